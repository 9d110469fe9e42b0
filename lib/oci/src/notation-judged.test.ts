import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { verifyNotation } from './notation.ts';
import { memoryRegistry } from './testing/memory-registry.ts';

/** What conformance/signatures recorded: signatures, what their authorities answered, and what notation's own verifier says. */
interface Recorded {
  readonly nowMs: number;
  readonly signatures: readonly {
    readonly name: string;
    readonly mediaType: string;
    readonly envelope: string;
    readonly policy: unknown;
    readonly certificates: readonly string[];
    readonly says: string;
    readonly answers: Readonly<Record<string, { readonly status: number; readonly body: string }>>;
  }[];
}

const { nowMs, signatures } = JSON.parse(
  readFileSync(new URL('testdata/notation-signatures.json', import.meta.url), 'utf8'),
) as Recorded;

for (const { name, mediaType, envelope, policy, certificates, says, answers } of signatures) {
  test(`${name}: what notation says`, async () => {
    const registry = memoryRegistry();
    const digest = registry.push({ tag: 'v1', layers: [{ mediaType: 'x', bytes: 'content' }] });
    registry.push({
      subject: digest,
      artifactType: 'application/vnd.cncf.notary.signature',
      layers: [{ mediaType, bytes: Buffer.from(envelope, 'base64') }],
    });
    const asked: string[] = [];
    const outcome = await verifyNotation(registry.repository, digest, {
      ...{ policy, nowMs, repository: 'registry.example.com/org/app' },
      certificates: certificates.map((pem) => Buffer.from(pem)),
      get: async ({ url }) => {
        asked.push(url);
        const { status = 404, body = '' } = answers[url] ?? {};
        return {
          status,
          header: () => undefined,
          body: new Blob([Buffer.from(body, 'base64')]).stream(),
        };
      },
    }).catch((error: Error) => error.message.replace(/^.*\n.*sha256:[0-9a-f]{64}, /, ''));
    const told = outcome.replace(/(status is unknown) \(.*\)$/, '$1');
    assert.equal(told, says.replace(/(status is unknown) \(.*\)$/, '$1'));
    assert.deepEqual(asked.toSorted(), Object.keys(answers).toSorted());
  });
}
