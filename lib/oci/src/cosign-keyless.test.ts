import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { encodePem } from '@capstan/lib-x509';
import { verifyCosignKeyless } from './cosign-keyless.ts';
import type { HttpGet, HttpRequest } from './http-port.ts';
import { type MemoryRegistry, memoryRegistry } from './testing/memory-registry.ts';
import { createSigstore, type LogEntry, type OwnSigstore } from './testing/sigstore.ts';

const ISSUER = 'https://token.actions.example.com';
const SUBJECT = 'https://git.example.com/org/app/.ci/release.yaml@refs/heads/main';
const BUNDLE = 'application/vnd.dev.sigstore.bundle.v0.3+json';

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes);
const pemOf = (certificate: Buffer) => encodePem('CERTIFICATE', certificate);

/** As `cosign sign` of version 2: under a tag, with certificate and log entry as annotations. */
async function signUnderTag(
  registry: MemoryRegistry,
  digest: string,
  sigstore: OwnSigstore,
  change: (annotations: Record<string, string>) => Record<string, string> = (same) => same,
): Promise<LogEntry> {
  const signer = await sigstore.issue({ issuer: ISSUER, subject: SUBJECT });
  const payload = Buffer.from(
    JSON.stringify({
      critical: {
        identity: { 'docker-reference': '' },
        image: { 'docker-manifest-digest': digest },
        type: 'cosign container image signature',
      },
      optional: null,
    }),
  );
  const signature = signer.sign(payload).toString('base64');
  const entry = await sigstore.log({
    apiVersion: '0.0.1',
    kind: 'hashedrekord',
    spec: {
      data: { hash: { algorithm: 'sha256', value: sha256(payload).digest('hex') } },
      signature: {
        content: signature,
        publicKey: { content: Buffer.from(pemOf(signer.certificate)).toString('base64') },
      },
    },
  });
  const { body, integratedTime, logID, logIndex, signedEntryTimestamp } = entry;
  const log = {
    SignedEntryTimestamp: signedEntryTimestamp,
    Payload: { body, integratedTime, logIndex, logID },
  };
  registry.push({
    tag: `${digest.replace(':', '-')}.sig`,
    layers: [
      {
        mediaType: 'application/vnd.dev.cosign.simplesigning.v1+json',
        bytes: payload,
        annotations: change({
          'dev.cosignproject.cosign/signature': signature,
          'dev.sigstore.cosign/certificate': pemOf(signer.certificate),
          'dev.sigstore.cosign/bundle': JSON.stringify(log),
        }),
      },
    ],
  });
  return entry;
}

interface BundleParts {
  /** Beside the certificate and the entry. */
  readonly material?: object;
  /** Of the entry. */
  readonly changeEntry?: (entry: object) => object;
}

/** As `cosign sign` of version 3: a bundle that refers to the manifest. */
async function signByBundle(
  registry: MemoryRegistry,
  digest: string,
  sigstore: OwnSigstore,
  { material = {}, changeEntry = (same) => same }: BundleParts = {},
): Promise<void> {
  const signer = await sigstore.issue({ issuer: ISSUER, subject: SUBJECT });
  const statement = Buffer.from(
    JSON.stringify({
      _type: 'https://in-toto.io/Statement/v1',
      subject: [{ digest: { sha256: digest.slice(7) } }],
      predicateType: 'https://sigstore.dev/cosign/sign/v1',
      predicate: {},
    }),
  );
  const payloadType = 'application/vnd.in-toto+json';
  const head = `DSSEv1 ${payloadType.length} ${payloadType} ${statement.length} `;
  const signed = Buffer.concat([Buffer.from(head), statement]);
  const sig = signer.sign(signed).toString('base64');
  const envelope = { payload: statement.toString('base64'), payloadType, signatures: [{ sig }] };
  const entry = await sigstore.log({
    apiVersion: '0.0.1',
    kind: 'dsse',
    spec: {
      envelopeHash: {
        algorithm: 'sha256',
        value: sha256(Buffer.from(JSON.stringify(envelope))).digest('hex'),
      },
      payloadHash: { algorithm: 'sha256', value: sha256(statement).digest('hex') },
      signatures: [
        { signature: sig, verifier: Buffer.from(pemOf(signer.certificate)).toString('base64') },
      ],
    },
  });
  const bundle = {
    mediaType: BUNDLE,
    verificationMaterial: {
      certificate: { rawBytes: signer.certificate.toString('base64') },
      tlogEntries: [
        changeEntry({
          logIndex: String(entry.logIndex),
          logId: { keyId: Buffer.from(entry.logID, 'hex').toString('base64') },
          kindVersion: { kind: 'dsse', version: '0.0.1' },
          integratedTime: String(entry.integratedTime),
          inclusionPromise: { signedEntryTimestamp: entry.signedEntryTimestamp },
          inclusionProof: {
            ...{ logIndex: '0', treeSize: '1', hashes: [] },
            rootHash: leafHash(Buffer.from(entry.body, 'base64')).toString('base64'),
            checkpoint: { envelope: entry.checkpoint },
          },
          canonicalizedBody: entry.body,
        }),
      ],
      ...material,
    },
    dsseEnvelope: envelope,
  };
  registry.push({
    subject: digest,
    artifactType: BUNDLE,
    layers: [{ mediaType: BUNDLE, bytes: JSON.stringify(bundle) }],
  });
}

const anybody = () => undefined;

/** A log that answers a search with this. */
const logThat = (answer: unknown, status = 200): HttpGet => {
  return async () => ({
    status,
    header: () => undefined,
    body: new Blob([JSON.stringify(answer)]).stream(),
  });
};
const emptyLog = logThat([]);

test('a signature counts by certificate and log, in both forms, and says who signed', async () => {
  const sigstore = await createSigstore();
  for (const signBy of [signUnderTag, signByBundle] as const) {
    const registry = memoryRegistry();
    const digest = registry.push({ tag: 'v1', layers: [{ mediaType: 'x', bytes: 'content' }] });
    await signBy(registry, digest, sigstore);
    const options = { trustedRoot: sigstore.trustedRoot, problemWith: anybody, get: emptyLog };
    const signer = await verifyCosignKeyless(registry.repository, digest, options);
    assert.deepEqual(signer, { issuer: ISSUER, subject: SUBJECT });
    await assert.rejects(
      verifyCosignKeyless(registry.repository, digest, {
        ...options,
        problemWith: () => 'he is nobody',
      }),
      /no matching (signatures|attestations): he is nobody$/,
    );
    // The same signature means nothing to those who trust another Sigstore.
    const { trustedRoot } = await createSigstore();
    await assert.rejects(
      verifyCosignKeyless(registry.repository, digest, { ...options, trustedRoot }),
      /no matching (signatures|attestations): /,
    );
  }
});

test('what is not in the log, or was changed, does not count', async () => {
  const sigstore = await createSigstore();
  const changes: readonly ((given: Record<string, string>) => Record<string, string>)[] = [
    ({ 'dev.sigstore.cosign/bundle': _, ...rest }) => rest,
    ({ 'dev.sigstore.cosign/certificate': _, ...rest }) => rest,
    (given) => ({
      ...given,
      'dev.cosignproject.cosign/signature': Buffer.from('no signature').toString('base64'),
    }),
    (given) => {
      const log = JSON.parse(given['dev.sigstore.cosign/bundle'] ?? '');
      log.Payload.integratedTime += 1;
      return { ...given, 'dev.sigstore.cosign/bundle': JSON.stringify(log) };
    },
  ];
  for (const change of changes) {
    const registry = memoryRegistry();
    const digest = registry.push({ tag: 'v1', layers: [{ mediaType: 'x', bytes: 'content' }] });
    await signUnderTag(registry, digest, sigstore, change);
    const options = { trustedRoot: sigstore.trustedRoot, problemWith: anybody, get: emptyLog };
    await assert.rejects(
      verifyCosignKeyless(registry.repository, digest, options),
      /no matching signatures: /,
    );
  }
  const registry = memoryRegistry();
  const digest = registry.push({ tag: 'v1', layers: [{ mediaType: 'x', bytes: 'content' }] });
  await assert.rejects(
    verifyCosignKeyless(registry.repository, digest, {
      trustedRoot: sigstore.trustedRoot,
      problemWith: anybody,
      get: emptyLog,
    }),
    /no signatures found/,
  );
});

const WITHOUT_ENTRY = ({ 'dev.sigstore.cosign/bundle': _, ...rest }: Record<string, string>) =>
  rest;

const hash = (...parts: readonly Uint8Array[]) => sha256(Buffer.concat(parts)).digest();
const leafHash = (leaf: Uint8Array) => hash(Uint8Array.of(0), leaf);

/** The root of a tree and the way to one of its leaves (RFC 6962, section 2.1). */
function treeOf(leaves: readonly Buffer[], at: number): { root: Buffer; way: readonly Buffer[] } {
  const [only] = leaves;
  if (only !== undefined && leaves.length === 1) return { root: only, way: [] };
  let half = 1;
  while (half * 2 < leaves.length) half *= 2;
  const isLeft = at < half;
  const left = treeOf(leaves.slice(0, half), isLeft ? at : 0);
  const right = treeOf(leaves.slice(half), isLeft ? 0 : at - half);
  const root = hash(Uint8Array.of(1), left.root, right.root);
  return { root, way: isLeft ? [...left.way, right.root] : [...right.way, left.root] };
}

/** As Rekor answers a search. */
function found(entry: LogEntry, { size = 1, at = 0 } = {}): Record<string, LoggedEntry> {
  const own = leafHash(Buffer.from(entry.body, 'base64'));
  const leaves = Array.from({ length: size }, (_, index) =>
    index === at ? own : leafHash(Buffer.from(`${index}`)),
  );
  const { root, way } = treeOf(leaves, at);
  const { signedEntryTimestamp, checkpoint: _, ...rest } = entry;
  const inclusionProof = {
    ...{ logIndex: at, treeSize: size, rootHash: root.toString('hex') },
    hashes: way.map((one) => one.toString('hex')),
  };
  return {
    [`24296fb24b8ad77a${own.toString('hex')}`]: {
      ...rest,
      verification: { signedEntryTimestamp, inclusionProof },
    },
  };
}

interface LoggedEntry extends Omit<LogEntry, 'signedEntryTimestamp' | 'checkpoint'> {
  verification: { signedEntryTimestamp: string; inclusionProof?: Record<string, unknown> };
}

test('the log is asked for an entry that did not come with its signature', async () => {
  const sigstore = await createSigstore();
  const registry = memoryRegistry();
  const digest = registry.push({ tag: 'v1', layers: [{ mediaType: 'x', bytes: 'content' }] });
  const entry = await signUnderTag(registry, digest, sigstore, WITHOUT_ENTRY);
  const { trustedRoot } = sigstore;
  const asked: HttpRequest[] = [];
  const signer = await verifyCosignKeyless(registry.repository, digest, {
    ...{ trustedRoot, problemWith: anybody },
    get: async (request) => {
      asked.push(request);
      return await logThat([found(entry)])(request);
    },
  });
  assert.deepEqual(signer, { issuer: ISSUER, subject: SUBJECT });
  assert.deepEqual(
    asked.map(({ method, url }) => `${method} ${url}`),
    ['POST https://rekor.example.com/api/v1/log/entries/retrieve'],
  );
  const body = JSON.parse(Buffer.from(entry.body, 'base64').toString());
  assert.deepEqual(JSON.parse(String(asked[0]?.body)), { entries: [body] });
  for (const size of [2, 3, 7, 8, 13]) {
    for (let at = 0; at < size; at++) {
      const get = logThat([found(entry, { size, at })]);
      await verifyCosignKeyless(registry.repository, digest, {
        trustedRoot,
        problemWith: anybody,
        get,
      });
    }
  }
});

test('what the log answers counts only when it is about the signature and the log promised it', async () => {
  const sigstore = await createSigstore();
  const registry = memoryRegistry();
  const digest = registry.push({ tag: 'v1', layers: [{ mediaType: 'x', bytes: 'content' }] });
  const entry = await signUnderTag(registry, digest, sigstore, WITHOUT_ENTRY);
  const other = memoryRegistry();
  const otherDigest = other.push({ tag: 'v1', layers: [{ mediaType: 'x', bytes: 'other' }] });
  const foreign = await signUnderTag(other, otherDigest, sigstore);
  const changed = (change: (one: LoggedEntry) => LoggedEntry) =>
    Object.fromEntries(
      Object.entries(found(entry, { size: 3 })).map(([name, one]) => [name, change(one)]),
    );
  const table: readonly (readonly [HttpGet, RegExp])[] = [
    [emptyLog, /signature not found in transparency log$/],
    [
      logThat({ code: 400 }, 400),
      /searching log query: \[POST \/api\/v1\/log\/entries\/retrieve\]\[400\]$/,
    ],
    [logThat([found(foreign)]), /no matching signatures: (?!.*not found)/],
    [
      logThat([{ ['0'.repeat(64)]: Object.values(found(entry))[0] }]),
      /no valid tlog entries found with proposed entry$/,
    ],
    [
      logThat([
        changed(({ verification, ...one }) => ({
          ...one,
          verification: { signedEntryTimestamp: verification.signedEntryTimestamp },
        })),
      ]),
      /no valid tlog entries found inclusion proof not provided$/,
    ],
    [
      logThat([
        changed((one) => ({
          ...one,
          verification: {
            ...one.verification,
            inclusionProof: { ...one.verification.inclusionProof, hashes: [] },
          },
        })),
      ]),
      /no valid tlog entries found verifying inclusion proof: wrong proof size 0$/,
    ],
    [
      logThat([
        changed((one) => ({
          ...one,
          verification: {
            ...one.verification,
            inclusionProof: { ...one.verification.inclusionProof, rootHash: '00' },
          },
        })),
      ]),
      /verifying inclusion proof: calculated root does not match$/,
    ],
    [
      logThat([changed((one) => ({ ...one, integratedTime: one.integratedTime + 1 }))]),
      /no matching signatures: /,
    ],
  ];
  for (const [get, why] of table) {
    const options = { trustedRoot: sigstore.trustedRoot, problemWith: anybody, get };
    await assert.rejects(verifyCosignKeyless(registry.repository, digest, options), why);
  }
});

test('a log may sign in another name than that of its address, with its own key', async () => {
  const sigstore = await createSigstore();
  const registry = memoryRegistry();
  const digest = registry.push({ tag: 'v1', layers: [{ mediaType: 'x', bytes: 'content' }] });
  await signByBundle(registry, digest, sigstore);
  const { tlogs } = sigstore.trustedRoot as { tlogs: readonly object[] };
  const moved = tlogs.map((one) => ({ ...one, baseUrl: 'http://log.internal:3000' }));
  const trustedRoot = { ...(sigstore.trustedRoot as object), tlogs: moved };
  const options = { trustedRoot, problemWith: anybody, get: emptyLog };
  const signer = await verifyCosignKeyless(registry.repository, digest, options);
  assert.deepEqual(signer, { issuer: ISSUER, subject: SUBJECT });
  const changes: readonly NonNullable<BundleParts['changeEntry']>[] = [
    (entry) => ({ ...entry, inclusionPromise: undefined }),
    (entry) => ({ ...entry, inclusionPromise: { signedEntryTimestamp: 'AAAA' } }),
    (entry) => ({ ...entry, integratedTime: '1000' }),
    (entry) =>
      JSON.parse(JSON.stringify(entry).replace(/"envelope":"([^"]*) - 1?/, '"envelope":"$1 - 2')),
  ];
  for (const changeEntry of changes) {
    const other = memoryRegistry();
    const about = other.push({ tag: 'v1', layers: [{ mediaType: 'x', bytes: 'other' }] });
    await signByBundle(other, about, sigstore, { changeEntry });
    await assert.rejects(
      verifyCosignKeyless(other.repository, about, options),
      /no matching attestations: /,
    );
  }
});

test("an authority's time is not looked at beside that of a log", async () => {
  const sigstore = await createSigstore();
  const registry = memoryRegistry();
  const digest = registry.push({ tag: 'v1', layers: [{ mediaType: 'x', bytes: 'content' }] });
  const stamps = { rfc3161Timestamps: [{ signedTimestamp: 'AAAA' }] };
  await signByBundle(registry, digest, sigstore, {
    material: { timestampVerificationData: stamps },
  });
  const options = { trustedRoot: sigstore.trustedRoot, problemWith: anybody, get: emptyLog };
  const signer = await verifyCosignKeyless(registry.repository, digest, options);
  assert.deepEqual(signer, { issuer: ISSUER, subject: SUBJECT });
});

test('a root of trust has to say where its log is', async () => {
  const { trustedRoot } = await createSigstore();
  const { repository } = memoryRegistry();
  const options = { problemWith: anybody, get: emptyLog };
  const tlogs = (trustedRoot as { tlogs: readonly object[] }).tlogs;
  await assert.rejects(
    verifyCosignKeyless(repository, `sha256:${'0'.repeat(64)}`, {
      ...options,
      trustedRoot: { ...(trustedRoot as object), tlogs: [] },
    }),
    /unable to extract Rekor URL from trusted root: no transparency log entries found in trusted root$/,
  );
  await assert.rejects(
    verifyCosignKeyless(repository, `sha256:${'0'.repeat(64)}`, {
      ...options,
      trustedRoot: {
        ...(trustedRoot as object),
        tlogs: tlogs.map((one) => ({ ...one, baseUrl: '' })),
      },
    }),
    /no transparency log entry with a BaseURL found in trusted root$/,
  );
});
