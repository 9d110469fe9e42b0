import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { createHttpGet, type HttpGet, verifyNotation } from '@capstan/lib-oci';
import { memoryRegistry } from '../../lib/oci/src/testing/memory-registry.ts';
import { type JudgedSignature, judgedSignatures, judgeProgram } from './judge.ts';

const program = judgeProgram();
const REPOSITORY = 'registry.example.com/org/app';
const CONTENT = { tag: 'v1', layers: [{ mediaType: 'x', bytes: 'content' }] };

/** What Capstan says, in the words for one signature. */
async function ownWords(
  { mediaType, envelope, policy, certificates }: JudgedSignature,
  get: HttpGet,
): Promise<string> {
  const registry = memoryRegistry();
  const digest = registry.push(CONTENT);
  registry.push({
    subject: digest,
    artifactType: 'application/vnd.cncf.notary.signature',
    layers: [{ mediaType, bytes: Buffer.from(envelope, 'base64') }],
  });
  try {
    return await verifyNotation(registry.repository, digest, {
      policy,
      certificates: certificates.map((pem) => Buffer.from(pem)),
      repository: REPOSITORY,
      nowMs: Date.now(),
      get,
    });
  } catch (error) {
    const [, own = ''] =
      /^signature verification failed\nfailed to verify signature with digest sha256:[0-9a-f]{64}, (.*)$/s.exec(
        (error as Error).message,
      ) ?? [];
    return own;
  }
}

/** What is told besides the original's words: reasons that it only logs, and where Go's parsers tell of bytes. */
function comparable(says: string): string {
  return says
    .replace(/(revocation status is unknown) \(.*\)$/s, '$1')
    .replace(/^(failed to parse timestamp countersignature with error): .*$/s, '$1')
    .replace(/^(no trusted certificates are found to verify authenticity): .*$/s, '$1');
}

/** Where we are stricter: a responder has to have been given a certificate for that. */
const STRICTER = ['status: by a sibling'];

/** What tests without Go are made of: these cases with the answers of their authorities. */
const RECORDED = [
  ...['sound', 'none', 'of an expired certificate', 'too late', 'about something else'].map(
    (name) => `token: ${name}`,
  ),
  ...['by an authority that nobody trusts', 'by an authority of rsa2048', 'corrupt at its end'].map(
    (name) => `token: ${name}`,
  ),
  ...['by a revoked authority', 'by an authority of unknown status', 'without certificates'].map(
    (name) => `token: ${name}`,
  ),
  ...['good', 'revoked', 'unknown', 'fails, another says good', 'out of date', 'by a stranger'].map(
    (name) => `status: ${name}`,
  ),
  ...['by a delegate', 'by a sibling', 'invalid later than vouched for'].map(
    (name) => `status: ${name}`,
  ),
  ...['good', 'revoked', 'on hold', 'released', 'out of date', 'by a stranger'].map(
    (name) => `list: ${name}`,
  ),
  ...['changes revoke', 'changes release', 'after a responder that does not know'].map(
    (name) => `list: ${name}`,
  ),
];
const RECORD = join(import.meta.dirname, '../../lib/oci/src/testdata/notation-signatures.json');

test("each signature counts for us as it does for notation's own verifier, and for the same reason", {
  skip: program === undefined && 'needs Go',
}, async () => {
  const digest = memoryRegistry().push(CONTENT);
  await using judge = await judgedSignatures(program ?? '', { digest, size: 100 });
  const { get, close } = createHttpGet();
  const differences: string[] = [];
  const recorded: RecordedSignature[] = [];
  for (const signature of judge.signatures) {
    const [, form, index, name = ''] = /^(\w+) (\d+) (.*)$/.exec(signature.name) ?? [];
    const answers: Record<string, RecordedAnswer> = {};
    const own = await ownWords(signature, recording(get, answers));
    const isSame = comparable(own) === comparable(signature.says);
    if (!isSame && !STRICTER.includes(name)) {
      differences.push(`${signature.name}\n  own:    ${own}\n  theirs: ${signature.says}`);
    }
    const isPicked = (form === 'jws') === (Number(index) % 2 === 0);
    if (isPicked && RECORDED.includes(name)) {
      const says = STRICTER.includes(name) ? own : signature.says;
      recorded.push({ ...signature, name, says, answers });
    }
  }
  await close();
  assert.ok(judge.signatures.length > 250);
  assert.deepEqual(differences, []);
  if (process.env['UPDATE'] !== '1') return;
  const record = { nowMs: Date.now(), signatures: recorded };
  writeFileSync(RECORD, `${JSON.stringify(record, undefined, 1)}\n`);
});

interface RecordedAnswer {
  readonly status: number;
  /** Base64. */
  readonly body: string;
}

interface RecordedSignature extends JudgedSignature {
  readonly answers: Readonly<Record<string, RecordedAnswer>>;
}

/** Keeps what is answered, by URL. */
function recording(get: HttpGet, answers: Record<string, RecordedAnswer>): HttpGet {
  return async (request) => {
    const response = await get(request);
    const chunks: Uint8Array[] = [];
    for await (const chunk of response.body) chunks.push(chunk);
    const body = Buffer.concat(chunks);
    answers[request.url] = { status: response.status, body: body.toString('base64') };
    return {
      status: response.status,
      header: (name) => response.header(name),
      body: (async function* () {
        yield body;
      })(),
    };
  };
}
