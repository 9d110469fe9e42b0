import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { CapstanError } from '@capstan/lib-std';
import { inClusterConnection, loadKubeconfig, parseKubeconfig } from './kubeconfig.ts';

const directory = mkdtempSync(join(tmpdir(), 'capstan-kubeconfig-'));
after(() => rmSync(directory, { recursive: true }));

function write(name: string, text: string): string {
  const path = join(directory, name);
  mkdirSync(join(path, '..'), { recursive: true });
  writeFileSync(path, text);
  return path;
}

function config(cluster: string, user: string): string {
  return `apiVersion: v1
kind: Config
current-context: c
clusters: [{name: k, cluster: ${cluster}}]
users: [{name: u, user: ${user}}]
contexts: [{name: c, context: {cluster: k, user: u, namespace: team}}]
`;
}

const https = '{server: "https://k.example:6443"}';
const base64 = (text: string) => Buffer.from(text).toString('base64');

async function refused(promise: Promise<unknown> | (() => unknown)): Promise<CapstanError> {
  const error = await (async () => (typeof promise === 'function' ? promise() : promise))().catch(
    (caught: unknown) => caught,
  );
  assert.ok(error instanceof CapstanError, `not refused: ${error}`);
  return error;
}

test('of several files the first to say something wins, and paths are relative to their file', async () => {
  const one = write(
    'one/config',
    `clusters: [{name: k, cluster: {server: "https://one", certificate-authority: ca.crt}}]
contexts: [{name: b, context: {cluster: k, user: u}}]
`,
  );
  const two = write(
    'two/config',
    `current-context: b
clusters: [{name: k, cluster: {server: "https://two"}}]
users: [{name: u, user: {tokenFile: sub/token}}]
contexts: [{name: b, context: {cluster: other, user: u}}]
`,
  );
  write('one/ca.crt', 'CA of one');
  write('two/sub/token', 'secret-2\n');
  const environment = { KUBECONFIG: [one, '', join(directory, 'missing'), two].join(':') };
  const connection = await loadKubeconfig({ environment });
  assert.equal(connection.server, 'https://one');
  assert.equal(connection.certificateAuthority, 'CA of one');
  assert.deepEqual((await connection.credentials.current({})).headers, {
    authorization: 'Bearer secret-2',
  });
  assert.equal(connection.namespace, 'default');
});

test('clusters and users are read with all their fields', async () => {
  const ca = base64('CA');
  const cluster = `{server: "https://k.example:6443/base?x=1", certificate-authority-data: ${ca}, tls-server-name: k.internal, proxy-url: "socks5://p:1", disable-compression: true}`;
  const user = `{client-certificate-data: ${base64('CERT')}, client-key-data: ${base64('KEY')}, username: ann, password: "p:w", as: bob, as-groups: [g, h], as-uid: "7", as-user-extra: {Scope/X: [a]}}`;
  const connection = await loadKubeconfig({ file: write('full', config(cluster, user)) });
  const { credentials, origin, ...rest } = connection;
  assert.deepEqual(rest, {
    server: 'https://k.example:6443/base',
    certificateAuthority: 'CA',
    tlsServerName: 'k.internal',
    proxyUrl: 'socks5://p:1',
    disableCompression: true,
    namespace: 'team',
  });
  assert.match(origin, /^context c of .*full$/);
  assert.deepEqual(await credentials.current({}), {
    headers: {
      authorization: `Basic ${base64('ann:p:w')}`,
      'impersonate-user': 'bob',
      'impersonate-uid': '7',
      'impersonate-group': ['g', 'h'],
      'impersonate-extra-scope%2Fx': ['a'],
    },
    clientCertificate: { certificate: 'CERT', key: 'KEY' },
  });
});

const plugins = (version: string, fields: string) =>
  `{exec: {apiVersion: client.authentication.k8s.io/${version}, ${fields}}}`;

test('what cannot be used is refused with the part that is wrong', async () => {
  const cases: readonly (readonly [string, RegExp])[] = [
    [config('{}', '{}'), /cluster "k" has no usable server address/],
    [config('{server: "ftp://x"}', '{}'), /no usable server address \("ftp:\/\/x"\)/],
    [config(https, '{username: u, password: 12345}'), /password is not a text; put it in quotes/],
    [config('{server: "k.example:6443/base"}', '{}'), /no usable server address/],
    [config('{server: "/x"}', '{}'), /no usable server address/],
    [config(https, '{token: t, username: u}'), /both token and username/],
    [config(https, '{tokenFile: /etc/hostname, username: u}'), /both tokenFile and username/],
    [config(https, '{tokenFile: no/such}'), /tokenFile: ENOENT/],
    [config(https, '{as-groups: [g]}'), /but not whom to act as/],
    [config(https, `{client-certificate-data: ${base64('C')}}`), /user "u" lacks client-key/],
    [
      config(https, `{client-certificate-data: ${base64('C')}, client-certificate: c.crt}`),
      /both client-certificate and client-certificate-data/,
    ],
    [
      config(
        `{server: "https://x", certificate-authority: c, certificate-authority-data: ${base64('C')}}`,
        '{}',
      ),
      /both certificate-authority and certificate-authority-data/,
    ],
    [
      config(https, '{}').replace('users: [', 'users: [{name: x, user: {token: 5}}, '),
      /users\[0\].user.token is not a text/,
    ],
    [config(https, '{}').replace('users: [', 'users: [{name: u}, '), /users has "u" twice/],
    [config(https, '{client-key-data: "%%"}'), /client-key-data is not base64/],
    [
      config('{server: "https://x", insecure-skip-tls-verify: "true"}', '{}'),
      /is neither true nor false/,
    ],
    [config(https, '{as-groups: g, as: u}'), /as-groups is not a list/],
    [config(https, '{exec: [a]}'), /exec is not a mapping/],
    [config(https, '{}').replace('kind: Config', 'kind: Other'), /it is a Other of v1/],
    [config(https, plugins('v1', 'command: x')), /interactiveMode must be one of/],
    [config(https, plugins('v1', 'interactiveMode: Never')), /exec.command is missing/],
    [config(https, plugins('v1beta1', 'command: x, env: [{value: z}]')), /env has no name/],
    [
      config(https, '{client-certificate: no.crt, client-key: no.key}'),
      /client-certificate: ENOENT/,
    ],
    [config(https, '{auth-provider: {name: gcp}}'), /has an auth-provider/],
    [config(https, '{exec: {command: x, apiVersion: v1}}'), /exec.apiVersion must be one of/],
    [config('{server: "https://x", proxy-url: "ftp://p"}', '{}'), /proxy-url that is not http/],
    [
      config(
        `{server: "https://x", insecure-skip-tls-verify: true, certificate-authority-data: ${base64('C')}}`,
        '{}',
      ),
      /has both insecure/,
    ],
    [config(https, '{}').replace('user: u', 'user: v'), /names user "v", which is not there/],
    [
      config(https, '{}').replace('cluster: k,', 'cluster: z,'),
      /names cluster "z", which is not there/,
    ],
    [
      config(https, '{}').replace('current-context: c', 'current-context: d'),
      /no context "d" \(contexts: c\)/,
    ],
    ['current-context: [', /is not readable YAML: .*line 1/s],
    ['just text', /it is not a mapping/],
  ];
  for (const [text, message] of cases) {
    const error = await refused(loadKubeconfig({ file: write('bad', text) }));
    assert.equal(error.code, 'KUBECONFIG_INVALID');
    assert.match(error.message, message);
  }
  const missing = await refused(loadKubeconfig({ environment: { HOME: directory } }));
  assert.equal(missing.code, 'KUBECONFIG_MISSING');
  assert.equal((await refused(loadKubeconfig({ file: '/no/such' }))).code, 'KUBECONFIG_MISSING');
});

test("a tenant's kubeconfig may not run programs, read files or skip checks", async () => {
  const origin = 'Secret team/prod';
  const cases: readonly (readonly [string, string, string])[] = [
    [https, '{exec: {command: id, apiVersion: client.authentication.k8s.io/v1}}', 'user.exec'],
    [https, '{auth-provider: {name: oidc}}', 'user.auth-provider'],
    [https, '{tokenFile: /var/run/secrets/kubernetes.io/serviceaccount/token}', 'user.tokenFile'],
    [
      https,
      '{client-certificate: /etc/passwd, client-key: a}',
      'user.client-certificate, user.client-key',
    ],
    [
      '{server: "https://x", certificate-authority: /etc/passwd}',
      '{}',
      'cluster.certificate-authority',
    ],
    [
      '{server: "https://x", insecure-skip-tls-verify: true}',
      '{}',
      'cluster.insecure-skip-tls-verify',
    ],
    ['{server: "http://x"}', '{token: t}', 'cluster.server (http)'],
    ['{server: "k:6443"}', '{token: t}', 'cluster.server (http)'],
  ];
  for (const [cluster, user, found] of cases) {
    const error = await refused(() => parseKubeconfig(config(cluster, user), { origin }));
    assert.equal(error.code, 'KUBECONFIG_UNSAFE');
    assert.equal(
      error.message,
      `the kubeconfig of Secret team/prod is refused, because it uses ${found}`,
    );
  }
  const fine = parseKubeconfig(config(https, '{token: t}').replace('current-context: c\n', ''), {
    origin,
  });
  assert.deepEqual((await fine.credentials.current({})).headers, { authorization: 'Bearer t' });
});

test('what authenticates goes over https only; who is acted as goes over http too', async () => {
  const user = `{token: t, as: ann, client-certificate-data: ${base64('C')}, client-key-data: ${base64('K')}}`;
  for (const server of ['http://k:8080', 'k:8080']) {
    const file = write('plain', config(`{server: "${server}"}`, user));
    const connection = await loadKubeconfig({ file });
    assert.equal(connection.server, 'http://k:8080');
    assert.deepEqual(await connection.credentials.current({}), {
      headers: { 'impersonate-user': 'ann' },
    });
  }
});

test('of several ways to authenticate the one is taken that kubectl takes', async () => {
  write('tokens/token', 'from-file\n');
  const exec = 'exec: {apiVersion: client.authentication.k8s.io/v1beta1, command: /no/such}';
  const cases: readonly (readonly [string, string | undefined])[] = [
    [`{token: t, ${exec}}`, 'Bearer t'],
    [`{username: u, ${exec}}`, `Basic ${base64('u:')}`],
    [`{tokenFile: token, ${exec}}`, 'Bearer from-file'],
    ['{token: t, tokenFile: token}', 'Bearer from-file'],
    ['{token: t, tokenFile: no/such}', 'Bearer t'],
    ['{password: p}', undefined],
    [`{client-key-data: ${base64('K')}}`, undefined],
  ];
  for (const [user, authorization] of cases) {
    const { credentials } = await loadKubeconfig({
      file: write('tokens/config', config(https, user)),
    });
    const { headers, clientCertificate } = await credentials.current({});
    assert.equal(headers['authorization'], authorization, user);
    assert.equal(clientCertificate, undefined);
  }
  const certificate = `client-certificate-data: ${base64('C')}, client-key-data: ${base64('K')}`;
  const file = write('certified', config(https, `{${certificate}, ${exec}}`));
  const { credentials } = await loadKubeconfig({ file });
  assert.equal((await credentials.current({})).clientCertificate?.key, 'K');
});

function plugin(name: string, script: string, more = ''): string {
  const calls = join(directory, `${name}.calls`);
  const file = write(
    `${name}.sh`,
    `#!/bin/sh\necho "$KUBERNETES_EXEC_INFO" >> '${calls}'\n${script}\n`,
  );
  chmodSync(file, 0o755);
  const exec = `{exec: {apiVersion: client.authentication.k8s.io/v1, command: ./${name}.sh, args: [a, b], env: [{name: WHO, value: ann}], interactiveMode: IfAvailable${more}}}`;
  return write(`${name}.config`, config(https, exec));
}

const callsOf = (name: string) =>
  readFileSync(join(directory, `${name}.calls`), 'utf8')
    .trim()
    .split('\n');

test('a credential plugin is run once for many, again when its answer expires or is refused', async () => {
  const answer = (expiry: string) =>
    `echo '{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":{${expiry}"token":"'$WHO-$1-$2'"}}'`;
  const lasting = await loadKubeconfig({
    file: plugin('lasting', answer(''), ', provideClusterInfo: true'),
  });
  const { credentials } = lasting;
  const all = await Promise.all([
    credentials.current({}),
    credentials.current({}),
    credentials.current({}),
  ]);
  assert.deepEqual(all[0]?.headers, { authorization: 'Bearer ann-a-b' });
  assert.equal(callsOf('lasting').length, 1);
  assert.deepEqual(JSON.parse(callsOf('lasting')[0] ?? ''), {
    apiVersion: 'client.authentication.k8s.io/v1',
    kind: 'ExecCredential',
    spec: { interactive: false, cluster: { server: 'https://k.example:6443' } },
  });
  credentials.rejected(await credentials.current({}));
  await credentials.current({});
  assert.equal(callsOf('lasting').length, 2);

  const expiry = '"expirationTimestamp":"2020-01-01T00:00:00Z",';
  const expired = await loadKubeconfig({ file: plugin('expired', answer(expiry)) });
  await expired.credentials.current({});
  await expired.credentials.current({});
  assert.equal(callsOf('expired').length, 2);
});

test('a plugin learns all of its cluster, and may ask the person at a terminal', async () => {
  const answer = `echo '{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":{"token":"t"}}'`;
  const file = plugin('asks', answer, ', provideClusterInfo: true');
  const text = readFileSync(file, 'utf8').replace(
    https,
    `{server: "https://k:6443", insecure-skip-tls-verify: true, tls-server-name: k.internal, proxy-url: "http://p:1", disable-compression: true,
      extensions: [{name: client.authentication.k8s.io/exec, extension: {audience: prod}}]}`,
  );
  const always = write('always.config', text.replace('IfAvailable', 'Always'));
  const never = write('never.config', text.replace('IfAvailable', 'Never'));
  const without = await refused(loadKubeconfig({ file: always, hasTerminal: false }));
  assert.match(without.message, /wants a terminal, and standard input is none/);
  for (const [config, hasTerminal] of [
    [always, true],
    [never, true],
    [write('available.config', text), false],
  ] as const) {
    await (await loadKubeconfig({ file: config, hasTerminal })).credentials.current({});
  }
  const infos = callsOf('asks').map((line) => JSON.parse(line).spec);
  assert.deepEqual(
    infos.map((spec) => spec.interactive),
    [true, false, false],
  );
  assert.deepEqual(infos[0].cluster, {
    server: 'https://k:6443',
    'tls-server-name': 'k.internal',
    'insecure-skip-tls-verify': true,
    'proxy-url': 'http://p:1',
    'disable-compression': true,
    config: { audience: 'prod' },
  });
});

test('a credential plugin that fails says how', async () => {
  const cases: readonly (readonly [string, string, RegExp])[] = [
    ['fails', 'echo "no login" >&2; exit 4', /ended with code 4: no login/],
    ['text', 'echo hello', /its answer is not JSON/],
    [
      'old',
      `echo '{"apiVersion":"client.authentication.k8s.io/v1beta1","kind":"ExecCredential","status":{"token":"t"}}'`,
      /not an ExecCredential of client.authentication.k8s.io\/v1/,
    ],
    [
      'empty',
      `echo '{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":{}}'`,
      /neither a token nor a client certificate/,
    ],
  ];
  for (const [name, script, message] of cases) {
    const { credentials } = await loadKubeconfig({
      file: plugin(name, script, ', installHint: brew install it'),
    });
    const error = await refused(credentials.current({}));
    assert.deepEqual(
      [error.code, error.kind, error.hint],
      ['EXEC_PLUGIN_FAILED', 'retry', 'brew install it'],
    );
    assert.match(error.message, message);
  }
});

test('a token file is read again when the server refuses the token', async () => {
  const token = write('tok', 'first\n');
  const { credentials } = await loadKubeconfig({
    file: write('tokconf', config(https, `{tokenFile: ${token}}`)),
  });
  const first = await credentials.current({});
  writeFileSync(token, 'second');
  assert.equal(await credentials.current({}), first);
  credentials.rejected(first);
  assert.deepEqual((await credentials.current({})).headers, { authorization: 'Bearer second' });
  rmSync(token);
  credentials.rejected(await credentials.current({}));
  assert.deepEqual((await credentials.current({})).headers, { authorization: 'Bearer second' });
});

test('a rotated client certificate is taken when the old one is refused, beside a token of its own', async () => {
  const certificate = write('tls.crt', 'certificate 1');
  const key = write('tls.key', 'key 1');
  const { credentials } = await loadKubeconfig({
    file: write(
      'rotated',
      config(https, `{client-certificate: ${certificate}, client-key: ${key}, token: t, as: ann}`),
    ),
  });
  const first = await credentials.current({});
  assert.deepEqual(first, {
    headers: { authorization: 'Bearer t', 'impersonate-user': 'ann' },
    clientCertificate: { certificate: 'certificate 1', key: 'key 1' },
  });
  writeFileSync(certificate, 'certificate 2');
  writeFileSync(key, 'key 2');
  assert.equal(await credentials.current({}), first);
  credentials.rejected(first);
  const second = await credentials.current({});
  assert.deepEqual(second.clientCertificate, { certificate: 'certificate 2', key: 'key 2' });
  rmSync(key);
  credentials.rejected(second);
  assert.equal(await credentials.current({}), second);
});

test('a Pod finds its API server and its own account, whose token is read again when it is refused', async () => {
  const root = join(directory, 'account');
  write('account/token', 'first\n');
  write('account/ca.crt', 'PEM');
  write('account/namespace', 'team\n');
  const environment = { KUBERNETES_SERVICE_HOST: 'fd00::1', KUBERNETES_SERVICE_PORT: '443' };
  const connection = await inClusterConnection(environment, root);
  assert.equal(connection?.server, 'https://[fd00::1]:443');
  assert.equal(connection?.certificateAuthority, 'PEM');
  assert.equal(connection?.namespace, 'team');
  const told = await inClusterConnection({ ...environment, POD_NAMESPACE: 'told' }, root);
  assert.equal(told?.namespace, 'told');
  const credentials = connection?.credentials;
  const before = await credentials?.current({});
  assert.equal(before?.headers?.['authorization'], 'Bearer first');
  write('account/token', 'second\n');
  if (before !== undefined) credentials?.rejected(before);
  assert.equal((await credentials?.current({}))?.headers?.['authorization'], 'Bearer second');
  assert.equal(await inClusterConnection({}, root), undefined);
  assert.equal(await inClusterConnection(environment, join(directory, 'nowhere')), undefined);
});
