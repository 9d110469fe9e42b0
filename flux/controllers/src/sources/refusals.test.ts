/** What is wrong with a source is told by the reason and in the words of source-controller. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { at, find } from '../testing/look.ts';
import { startBucket, startRegistry } from '../testing/stand-ins.ts';
import { createWorld } from '../testing/world.ts';
import { certificatesOf, proxyOf } from './secret-contents.ts';

const NS = 'flux-system';

const secret = (name: string, data: object) => `
apiVersion: v1
kind: Secret
metadata: {name: ${name}, namespace: ${NS}}
stringData: ${JSON.stringify(data)}
`;
const source = (kind: string, name: string, spec: object) => `
apiVersion: source.toolkit.fluxcd.io/v1
kind: ${kind}
metadata: {name: ${name}, namespace: ${NS}}
spec: ${JSON.stringify({ interval: '1h', ...spec })}
`;

const NONE = { name: 'none' };
const EMPTY = { name: 'empty' };
const STS = { provider: 'ldap', endpoint: 'https://sts.example.com' };
const AUTH = 'AuthenticationFailed';
const NO_TLS = `secret '${NS}/empty' must contain either 'ca.crt' or both 'tls.crt' and 'tls.key'`;

/** Beside a bucket that can be read: what is added, and what comes of it. */
const BUCKETS: readonly (readonly [object, string, string])[] = [
  [{ secretRef: NONE }, AUTH, `failed to get secret '${NS}/none': secrets "none" not found`],
  [
    { secretRef: EMPTY },
    AUTH,
    "invalid 'empty' secret data: required fields 'accesskey' and 'secretkey'",
  ],
  [{ certSecretRef: NONE }, AUTH, `failed to get TLS config: secret '${NS}/none' not found`],
  [{ certSecretRef: EMPTY }, AUTH, `failed to get TLS config: ${NO_TLS}`],
  [{ proxySecretRef: NONE }, AUTH, `failed to get proxy URL: secret '${NS}/none' not found`],
  [
    { proxySecretRef: EMPTY },
    AUTH,
    `failed to get proxy URL: secret '${NS}/empty': key 'address' not found`,
  ],
  [
    { sts: { ...STS, secretRef: NONE } },
    AUTH,
    `failed to get STS secret '${NS}/none': secrets "none" not found`,
  ],
  [
    { sts: { ...STS, secretRef: EMPTY } },
    AUTH,
    "invalid 'empty' secret data for 'ldap' STS provider: required fields username, password",
  ],
  [
    { sts: { ...STS, certSecretRef: NONE } },
    AUTH,
    `failed to get STS TLS config: secret '${NS}/none' not found`,
  ],
  [{ sts: { ...STS, certSecretRef: EMPTY } }, AUTH, `failed to get STS TLS config: ${NO_TLS}`],
  [{ bucketName: 'other' }, 'BucketOperationFailed', "bucket 'other' not found"],
  [
    { endpoint: '127.0.0.1:1' },
    'BucketOperationFailed',
    "failed to confirm existence of 'data' bucket: ",
  ],
  [
    { provider: 'gcp', secretRef: EMPTY },
    AUTH,
    "invalid 'empty' secret data: required fields 'serviceaccount'",
  ],
  [
    { provider: 'azure', secretRef: EMPTY },
    AUTH,
    "invalid 'empty' secret data: requires a 'clientId' or 'accountKey' field",
  ],
];

/** Beside an artifact `6.1.5` that can be pulled. */
const ARTIFACTS: readonly (readonly [object, string, string])[] = [
  [{ ref: { tag: 'none' } }, 'OCIArtifactPullFailed', 'failed to determine artifact digest: '],
  [
    { ref: { digest: 'none' } },
    'OCIArtifactPullFailed',
    'failed to determine artifact digest: cannot parse hash: "none"',
  ],
  [
    { ref: { digest: 'sha256:0' } },
    'OCIArtifactPullFailed',
    'failed to determine artifact digest: wrong number of hex digits for sha256: 0',
  ],
  [
    { ref: { digest: 'sha256:xyz' } },
    'OCIArtifactPullFailed',
    'failed to determine artifact digest: found non-hex character in hash: x',
  ],
  [
    { ref: { digest: `md5:${'0'.repeat(32)}` } },
    'OCIArtifactPullFailed',
    'failed to determine artifact digest: unsupported hash: "md5"',
  ],
  [{ ref: { semver: '<= 6.1.0' } }, 'ReadOperationFailed', 'no match found for semver: <= 6.1.0'],
  [
    { ref: { semver: 'no-range' } },
    'ReadOperationFailed',
    'semver \'no-range\' parse error: improper constraint: "no-range"',
  ],
  [
    { ref: { semver: '>=6', semverFilter: '(' } },
    'ReadOperationFailed',
    'error parsing regexp: missing closing )',
  ],
  [
    { secretRef: NONE },
    AUTH,
    `failed to get credential: failed to get secret '${NS}/none': secrets "none" not found`,
  ],
  [
    { serviceAccountName: 'none' },
    AUTH,
    `failed to get credential: serviceaccount '${NS}/none' not found`,
  ],
  [
    { serviceAccountName: 'puller' },
    AUTH,
    `failed to get credential: failed to get image pull secret for serviceaccount '${NS}/puller': secret '${NS}/gone' not found`,
  ],
  [{ proxySecretRef: NONE }, AUTH, `failed to get proxy address: secret '${NS}/none' not found`],
  [{ certSecretRef: NONE }, AUTH, `secret '${NS}/none' not found`],
  [{ certSecretRef: { name: 'no-ca' } }, AUTH, 'failed to parse CA certificate'],
];

test('each row is refused as in source-controller', async () => {
  await using world = await createWorld();
  await using bucket = await startBucket(new Map([['a', 'b']]));
  await using registry = await startRegistry();
  registry.push('6.1.5', [{ mediaType: 'text/plain', bytes: Buffer.from('a') }]);
  await world.kubectlApply(secret('empty', { other: 'x' }));
  await world.kubectlApply(secret('no-ca', { 'ca.crt': 'none' }));
  await world.kubectlApply(
    `apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: puller, namespace: ${NS}}\nimagePullSecrets: [{name: gone}]\n`,
  );
  const data = { bucketName: 'data', endpoint: bucket.host, insecure: true };
  const artifact = { url: `oci://${registry.host}/org/app` };
  const rows = [
    ...BUCKETS.map(([spec, ...told]) => ['Bucket', { ...data, ...spec }, ...told] as const),
    ...ARTIFACTS.map(
      ([spec, ...told]) => ['OCIRepository', { ...artifact, ...spec }, ...told] as const,
    ),
  ];
  for (const [index, [kind, spec]] of rows.entries()) {
    await world.kubectlApply(source(kind, `row-${index}`, spec));
  }
  for (const [index, [kind, spec, reason, message]] of rows.entries()) {
    const found = await world.eventually(
      () => world.get(kind, `${NS}/row-${index}`),
      (one) => at(find(one, 'Ready'), 'status') === 'False',
    );
    const failed = find(found, 'FetchFailed');
    const title = JSON.stringify(spec);
    assert.equal(at(failed, 'reason'), reason, title);
    const told = String(at(failed, 'message'));
    assert.ok(told.includes(message), `${title}: ${told}`);
  }
});

test('certificates and proxies of Secrets are judged before they are used', () => {
  const data = (values: Readonly<Record<string, string>>) =>
    new Map(Object.entries(values).map(([key, value]) => [key, Buffer.from(value)]));
  const certificates: readonly (readonly [Readonly<Record<string, string>>, string])[] = [
    [{ 'tls.crt': 'x' }, "secret 'a/b' contains 'tls.crt' but missing 'tls.key'"],
    [{ keyFile: 'x' }, "secret 'a/b' contains 'tls.key' but missing 'tls.crt'"],
    [
      { 'tls.crt': 'x', 'tls.key': 'y' },
      'failed to parse TLS certificate and key: tls: failed to find any PEM data in certificate input',
    ],
  ];
  for (const [values, message] of certificates) {
    assert.throws(() => certificatesOf(data(values), 'a/b'), { message });
  }
  const proxies: readonly (readonly [string, string])[] = [
    ['', "secret 'a/b': proxy address is empty"],
    [
      'proxy:80',
      "secret 'a/b': proxy URL must use one of the supported schemes (http, https, socks5), got 'proxy'",
    ],
    [
      'ftp://p',
      "secret 'a/b': proxy URL must use one of the supported schemes (http, https, socks5), got 'ftp'",
    ],
  ];
  for (const [address, message] of proxies) {
    assert.throws(() => proxyOf(data({ address }), 'a/b'), { message });
  }
  const values = { address: ' socks5://p:1080\n', username: 'u', password: 'p@' };
  assert.equal(proxyOf(data(values), 'a/b'), 'socks5://u:p%40@p:1080');
});
