import assert from 'node:assert/strict';
import { constants, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { test } from 'node:test';
import {
  basicConstraints,
  distinguishedName,
  encodePem,
  extendedKeyUsage,
  keyUsage,
  publicKeyInfo,
  signCertificate,
} from '@capstan/lib-x509';
import { encode, Tagged } from 'cborg';
import { verifyNotation } from './notation.ts';
import { memoryRegistry } from './testing/memory-registry.ts';

const NOW = Date.parse('2026-06-01T12:00:00Z');
const HOUR = 3_600_000;
const CODE_SIGNING = '1.3.6.1.5.5.7.3.3';
const PREFIX = 'io.cncf.notary.';

interface Signer {
  readonly key: KeyObject;
  /** DER, from the signer to the root. */
  readonly chain: readonly Uint8Array[];
}

function signer(
  kind: 'ec' | 'rsa' = 'ec',
  more: { readonly endsMs?: number; readonly purposes?: readonly string[] } = {},
): Signer {
  const keys = () =>
    kind === 'ec'
      ? generateKeyPairSync('ec', { namedCurve: 'prime256v1' })
      : generateKeyPairSync('rsa', { modulusLength: 2048 });
  const [root, own] = [keys(), keys()];
  const name = (common: string) =>
    distinguishedName([
      ['2.5.4.6', 'US'],
      ['2.5.4.8', 'WA'],
      ['2.5.4.10', 'Example'],
      ['2.5.4.3', common],
    ]);
  const times = { notBeforeMs: NOW - HOUR, notAfterMs: more.endsMs ?? NOW + HOUR };
  const authority = signCertificate(
    {
      ...{ serialNumber: 1n, issuer: name('root'), subject: name('root'), ...times },
      publicKey: publicKeyInfo(root.publicKey),
      extensions: [basicConstraints(true), keyUsage('keyCertSign')],
    },
    root.privateKey,
  );
  const leaf = signCertificate(
    {
      ...{ serialNumber: 2n, issuer: name('root'), subject: name('signer'), ...times },
      publicKey: publicKeyInfo(own.publicKey),
      extensions: [
        basicConstraints(false),
        keyUsage('digitalSignature'),
        extendedKeyUsage(...(more.purposes ?? [CODE_SIGNING])),
      ],
    },
    root.privateKey,
  );
  return { key: own.privateKey, chain: [leaf, authority] };
}

function signBytes(key: KeyObject, bytes: Uint8Array): Buffer {
  return key.asymmetricKeyType === 'ec'
    ? sign('sha256', bytes, { key, dsaEncoding: 'ieee-p1363' })
    : sign('sha256', bytes, {
        key,
        padding: constants.RSA_PKCS1_PSS_PADDING,
        saltLength: constants.RSA_PSS_SALTLEN_DIGEST,
      });
}

const payloadOf = (digest: string) =>
  Buffer.from(JSON.stringify({ targetArtifact: { mediaType: 'x', digest, size: 1 } }));

interface Said {
  readonly expiresAtMs?: number;
  readonly critical?: readonly string[];
}

function jws({ key, chain }: Signer, digest: string, { expiresAtMs, critical }: Said = {}): string {
  const expiry = expiresAtMs === undefined ? {} : { [`${PREFIX}expiry`]: new Date(expiresAtMs) };
  const head = Buffer.from(
    JSON.stringify({
      alg: key.asymmetricKeyType === 'ec' ? 'ES256' : 'PS256',
      crit: critical ?? [`${PREFIX}signingScheme`],
      cty: 'application/vnd.cncf.notary.payload.v1+json',
      [`${PREFIX}signingScheme`]: 'notary.x509',
      [`${PREFIX}signingTime`]: new Date(NOW),
      ...expiry,
    }),
  ).toString('base64url');
  const payload = payloadOf(digest).toString('base64url');
  return JSON.stringify({
    payload,
    protected: head,
    header: { x5c: chain.map((der) => Buffer.from(der).toString('base64')) },
    signature: signBytes(key, Buffer.from(`${head}.${payload}`)).toString('base64url'),
  });
}

function cose({ key, chain }: Signer, digest: string, { expiresAtMs, critical }: Said = {}) {
  const time = (ms: number) => new Tagged(1, Math.floor(ms / 1000));
  const head = encode(
    new Map<unknown, unknown>([
      [1, key.asymmetricKeyType === 'ec' ? -7 : -37],
      [2, critical ?? [`${PREFIX}signingScheme`]],
      [3, 'application/vnd.cncf.notary.payload.v1+json'],
      [`${PREFIX}signingScheme`, 'notary.x509'],
      [`${PREFIX}signingTime`, time(NOW)],
      ...(expiresAtMs === undefined ? [] : ([[`${PREFIX}expiry`, time(expiresAtMs)]] as const)),
    ]),
  );
  const payload = payloadOf(digest);
  const signature = signBytes(key, encode(['Signature1', head, new Uint8Array(), payload]));
  return encode(new Tagged(18, [head, new Map([[33, chain]]), payload, signature]));
}

const POLICY = {
  version: '1.0',
  trustPolicies: [
    {
      name: 'apps',
      registryScopes: ['registry.example.com/org/app'],
      signatureVerification: { level: 'strict' },
      trustStores: ['ca:example'],
      trustedIdentities: ['x509.subject: C=US, ST=WA, O=Example'],
    },
  ],
};

type Statement = (typeof POLICY.trustPolicies)[number];

/** The policy with another statement. */
const policy = (change: object) => ({
  ...POLICY,
  trustPolicies: [{ ...(POLICY.trustPolicies[0] as Statement), ...change }],
});

interface Case {
  readonly signedBy?: Signer;
  readonly trusts?: Signer;
  readonly said?: Said;
  readonly policy?: unknown;
  readonly form?: 'jws' | 'cose';
  /** Of the signed manifest, when it is another one. */
  readonly about?: string;
}

const SIGNER = signer();

async function nobody(): Promise<never> {
  throw new Error('nobody is asked');
}

/** `verified`, `ignored`, or why not. */
async function outcome(given: Case): Promise<string> {
  const registry = memoryRegistry();
  const digest = registry.push({ tag: 'v1', layers: [{ mediaType: 'x', bytes: 'content' }] });
  const { signedBy = SIGNER, form = 'jws', about = digest } = given;
  const isJws = form === 'jws';
  registry.push({
    subject: digest,
    artifactType: 'application/vnd.cncf.notary.signature',
    layers: [
      {
        mediaType: isJws ? 'application/jose+json' : 'application/cose',
        bytes: isJws ? jws(signedBy, about, given.said) : cose(signedBy, about, given.said),
      },
    ],
  });
  const root = (given.trusts ?? signedBy).chain.at(-1) ?? new Uint8Array();
  try {
    return await verifyNotation(registry.repository, digest, {
      policy: given.policy ?? POLICY,
      certificates: [Buffer.from(encodePem('CERTIFICATE', root))],
      repository: 'registry.example.com/org/app',
      nowMs: NOW,
      get: nobody,
    });
  } catch (error) {
    return (error as Error).message.replace(
      /^signature verification failed\nfailed to verify signature with digest sha256:[0-9a-f]{64}, /,
      '',
    );
  }
}

test('envelopes of both forms and of both families of keys count', async () => {
  for (const signedBy of [SIGNER, signer('rsa')]) {
    for (const form of ['jws', 'cose'] as const) {
      const said = {
        expiresAtMs: NOW + HOUR,
        critical: [`${PREFIX}signingScheme`, `${PREFIX}expiry`],
      };
      assert.equal(await outcome({ signedBy, form, said }), 'verified');
    }
  }
});

test('what the policy does not accept is said', async () => {
  const table: readonly (readonly [Case, RegExp])[] = [
    [
      { trusts: signer() },
      /^the signature's certificate chain does not contain any trusted certificate$/,
    ],
    [
      { policy: policy({ trustedIdentities: ['x509.subject: C=US, ST=WA, O=Other'] }) },
      /^signing certificate from the digital signature does not match the X\.509 trusted identities \[map\["C":"US" "O":"Other" "ST":"WA"\]\] defined in the trust policy "apps"$/,
    ],
    [{ policy: policy({ trustedIdentities: ['*'] }) }, /^verified$/],
    [
      { policy: policy({ trustStores: ['signingAuthority:x'] }) },
      /^no trusted certificates are found to verify authenticity/,
    ],
    [{ policy: policy({ registryScopes: ['other/app'] }) }, /no applicable trust policy/],
    [{ policy: policy({ registryScopes: ['*'] }) }, /^verified$/],
    [{ policy: policy({ signatureVerification: { level: 'none' } }) }, /invalid signatureVerif/],
    [{ policy: { version: '2.0' } }, /unsupported version "2.0"/],
    [{ said: { expiresAtMs: NOW - 1000 } }, /^digital signature has expired/],
    [{ said: { critical: ['com.example.other'] } }, /critical parts: com.example.other/],
    [{ about: `sha256:${'0'.repeat(64)}` }, /^content descriptor mismatch$/],
    [
      { signedBy: signer('ec', { endsMs: NOW - 1000 }) },
      /^verification time is after certificate "CN=signer,O=Example,ST=WA,C=US" validity period/,
    ],
    [
      { signedBy: signer('ec', { purposes: ['1.3.6.1.5.5.7.3.1'] }) },
      /extended key usage must not contain ServerAuth eku/,
    ],
    [
      { signedBy: { ...SIGNER, key: signer().key } },
      /^signature is invalid\. Error: .*verification error$/,
    ],
    [
      { signedBy: { ...SIGNER, chain: [SIGNER.chain[0], signer().chain[1]] as Uint8Array[] } },
      /certificate-chain is invalid, .* is not issued by /,
    ],
  ];
  for (const form of ['jws', 'cose'] as const) {
    for (const [given, want] of table) assert.match(await outcome({ ...given, form }), want);
  }
});

test('an audit lets pass what it logs, and says that nothing was verified', async () => {
  const audit = policy({ signatureVerification: { level: 'audit' } });
  assert.equal(await outcome({ policy: audit, trusts: signer() }), 'ignored');
  assert.equal(await outcome({ policy: audit, said: { expiresAtMs: NOW - 1 } }), 'verified');
  const skip = policy({
    signatureVerification: { level: 'skip' },
    trustStores: [],
    trustedIdentities: [],
  });
  assert.equal(await outcome({ policy: skip, trusts: signer() }), 'ignored');
  const override = { authenticity: 'enforce', revocation: 'skip' };
  const overridden = policy({ signatureVerification: { level: 'audit', override } });
  assert.match(
    await outcome({ policy: overridden, trusts: signer() }),
    /does not contain any trusted certificate/,
  );
});

test('without a signature nothing counts', async () => {
  const registry = memoryRegistry();
  const digest = registry.push({ tag: 'v1', layers: [{ mediaType: 'x', bytes: 'content' }] });
  await assert.rejects(
    verifyNotation(registry.repository, digest, {
      policy: POLICY,
      certificates: [],
      repository: 'registry.example.com/org/app',
      nowMs: NOW,
      get: nobody,
    }),
    /: no signature is associated with "registry\.example\.com\/org\/app@sha256:[0-9a-f]{64}", make sure the artifact was signed successfully$/,
  );
});

test('a policy has to be sound as a whole', async () => {
  const other = { ...(POLICY.trustPolicies[0] as Statement), registryScopes: ['*'] };
  const level = (more: object) => policy({ signatureVerification: { level: 'strict', ...more } });
  const table: readonly (readonly [unknown, string])[] = [
    [{}, 'trust policy document has empty version, version must be specified'],
    [
      { version: '1.0', trustPolicies: [] },
      'trust policy document can not have zero trust policy statements',
    ],
    [
      { ...POLICY, trustPolicies: [...POLICY.trustPolicies, other] },
      'multiple trust policy statements use the same name "apps", statement names must be unique',
    ],
    [
      {
        ...POLICY,
        trustPolicies: [...POLICY.trustPolicies, { ...POLICY.trustPolicies[0], name: 'b' }],
      },
      'registry scope "registry.example.com/org/app" is present in multiple trust policy statements, one registry scope value can only be associated with one statement',
    ],
    [
      policy({ name: '' }),
      'trust policy: a trust policy statement is missing a name, every statement requires a name',
    ],
    [
      policy({ registryScopes: ['https://example.com/a'] }),
      'registry scope "https://example.com/a" is not valid, make sure',
    ],
    [
      policy({ registryScopes: ['example.com/*'] }),
      'registry scope "example.com/*" with wild card(s) is not valid, make sure',
    ],
    [
      policy({ registryScopes: ['*', 'example.com/a'] }),
      'trust policy statement "apps" uses wildcard registry scope',
    ],
    [policy({ registryScopes: [] }), 'trust policy statement "apps" has zero registry scopes'],
    [
      policy({ trustStores: ['example'] }),
      'trust policy: trust policy statement "apps" has malformed trust store value "example"',
    ],
    [
      policy({ trustStores: ['other:example'] }),
      'trust policy: trust policy statement "apps" uses an unsupported trust store type "other" in trust store value "other:example"',
    ],
    [
      policy({ trustStores: ['ca:a/b'] }),
      'trust policy: trust policy statement "apps" uses an unsupported trust store name "a/b"',
    ],
    [
      policy({ trustedIdentities: ['*', 'x509.subject:C=US,ST=WA,O=a'] }),
      'trust policy: trust policy statement "apps" uses a wildcard trusted identity',
    ],
    [
      policy({ trustedIdentities: ['x509.subject'] }),
      'trust policy: trust policy statement "apps" has trusted identity "x509.subject" missing separator',
    ],
    [
      policy({ trustedIdentities: ['x509.subject:C=US,O=a'] }),
      'trust policy: trust policy statement "apps" has trusted identity "x509.subject:C=US,O=a" with invalid identity value: distinguished name (DN) "C=US,O=a" has no mandatory RDN attribute for "ST"',
    ],
    [
      policy({
        trustedIdentities: ['x509.subject:C=US,ST=WA,O=a', 'x509.subject:C=US,ST=WA,O=a,CN=b'],
      }),
      'trust policy: trust policy statement "apps" has overlapping x509 trustedIdentities',
    ],
    [
      level({ override: { expiry: 'skip' } }),
      'trust policy: trust policy statement "apps" has invalid signatureVerification: "expiry" verification can not be skipped in custom signature verification',
    ],
    [
      level({ override: { integrity: 'log' } }),
      'trust policy: trust policy statement "apps" has invalid signatureVerification: "integrity" verification can not be overridden in custom signature verification',
    ],
    [
      level({ override: { other: 'log' } }),
      'trust policy: trust policy statement "apps" has invalid signatureVerification: verification type "other" in custom signature verification is not supported',
    ],
    [
      level({ verifyTimestamp: 'never' }),
      'trust policy: trust policy statement "apps" has invalid signatureVerification: verifyTimestamp must be "always" or "afterCertExpiry", but got "never"',
    ],
  ];
  for (const [given, message] of table) {
    const told = await outcome({ policy: given });
    assert.ok(told.startsWith(message), `${told}\n${message}`);
  }
});

test('a timestamp that a policy asks for is never taken for granted', async () => {
  const trustStores = ['ca:example', 'tsa:example'];
  assert.match(
    await outcome({ policy: policy({ trustStores }) }),
    /^no timestamp countersignature was found/,
  );
  const signatureVerification = { level: 'strict', verifyTimestamp: 'afterCertExpiry' };
  assert.equal(
    await outcome({ policy: policy({ trustStores, signatureVerification }) }),
    'verified',
  );
});
