import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { encodePem } from '@capstan/lib-x509';
import { verifyCosignKeyless } from './cosign-keyless.ts';
import { type MemoryRegistry, memoryRegistry } from './testing/memory-registry.ts';
import { createSigstore, type OwnSigstore } from './testing/sigstore.ts';

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
): Promise<void> {
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
}

/** As `cosign sign` of version 3: a bundle that refers to the manifest. */
async function signByBundle(
  registry: MemoryRegistry,
  digest: string,
  sigstore: OwnSigstore,
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
    mediaType: 'application/vnd.dev.sigstore.bundle+json;version=0.1',
    verificationMaterial: {
      x509CertificateChain: { certificates: [{ rawBytes: signer.certificate.toString('base64') }] },
      tlogEntries: [
        {
          logIndex: String(entry.logIndex),
          logId: { keyId: Buffer.from(entry.logID, 'hex').toString('base64') },
          kindVersion: { kind: 'dsse', version: '0.0.1' },
          integratedTime: String(entry.integratedTime),
          inclusionPromise: { signedEntryTimestamp: entry.signedEntryTimestamp },
          canonicalizedBody: entry.body,
        },
      ],
    },
    dsseEnvelope: envelope,
  };
  registry.push({
    subject: digest,
    artifactType: BUNDLE,
    layers: [{ mediaType: BUNDLE, bytes: JSON.stringify(bundle) }],
  });
}

const anybody = () => true;

test('a signature counts by certificate and log, in both forms, and says who signed', async () => {
  const sigstore = await createSigstore();
  for (const signBy of [signUnderTag, signByBundle]) {
    const registry = memoryRegistry();
    const digest = registry.push({ tag: 'v1', layers: [{ mediaType: 'x', bytes: 'content' }] });
    await signBy(registry, digest, sigstore);
    const options = { trustedRoot: sigstore.trustedRoot, accepts: anybody };
    const signer = await verifyCosignKeyless(registry.repository, digest, options);
    assert.deepEqual(signer, { issuer: ISSUER, subject: SUBJECT });
    await assert.rejects(
      verifyCosignKeyless(registry.repository, digest, { ...options, accepts: () => false }),
      /no matching signatures: none of the expected identities matched what was in the certificate, got subjects \[/,
    );
    // The same signature means nothing to those who trust another Sigstore.
    const { trustedRoot } = await createSigstore();
    await assert.rejects(
      verifyCosignKeyless(registry.repository, digest, { ...options, trustedRoot }),
      /no matching signatures: /,
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
    const options = { trustedRoot: sigstore.trustedRoot, accepts: anybody };
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
      accepts: anybody,
    }),
    /no signatures found/,
  );
});
