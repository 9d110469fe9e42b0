import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { test } from 'node:test';
import { parsePushWebhook, type WebhookSecrets } from './parse-push-webhook.ts';

function send(
  headers: Record<string, string>,
  body: unknown,
  secrets: WebhookSecrets = {},
): string {
  const bytes = Buffer.from(typeof body === 'string' ? body : JSON.stringify(body));
  const { sender, urls } = parsePushWebhook({ headers, body: bytes }, secrets);
  return [sender, ...urls].join(' ');
}

const repository = {
  clone_url: 'https://h/a/b.git',
  ssh_url: 'git@h:a/b.git',
  html_url: 'https://h/a/b',
};
const FOUND = 'https://h/a/b.git git@h:a/b.git https://h/a/b';

test('each host names the repository in its own way', () => {
  const push = { repository };
  assert.equal(send({ 'x-github-event': 'push' }, push), `github ${FOUND}`);
  assert.equal(send({ 'x-github-event': 'push', 'x-gitea-event': 'push' }, push), `gitea ${FOUND}`);
  assert.equal(send({ 'x-gogs-event': 'push' }, push), `gogs ${FOUND}`);
  const form = `payload=${encodeURIComponent(JSON.stringify(push))}`;
  const type = { 'content-type': 'application/x-www-form-urlencoded' };
  assert.equal(send({ 'x-github-event': 'push', ...type }, form), `github ${FOUND}`);
  assert.equal(
    send(type, { url: 'https://any/x' }),
    'generic https://any/x',
    'as curl -d sends it',
  );
  const project = { git_http_url: 'https://h/g.git', git_ssh_url: 'git@h:g.git' };
  assert.equal(
    send({ 'x-gitlab-event': 'Push Hook' }, { project }),
    'gitlab https://h/g.git git@h:g.git',
  );
  assert.equal(
    send(
      { 'x-event-key': 'repo:push', 'x-hook-uuid': '1' },
      { repository: { links: { html: { href: 'https://b/x' } } } },
    ),
    'bitbucket https://b/x',
  );
  assert.equal(
    send(
      { 'x-event-key': 'repo:refs_changed' },
      { repository: { links: { clone: [{ href: 'https://s/x.git' }] } } },
    ),
    'bitbucketServer https://s/x.git',
  );
  assert.equal(
    send(
      {},
      {
        publisherId: 'tfs',
        eventType: 'git.push',
        resource: { repository: { remoteUrl: 'https://d/x' } },
      },
    ),
    'azureDevOps https://d/x',
  );
  assert.equal(send({}, { url: 'https://any/x' }), 'generic https://any/x');
});

test('registries tell of an artifact that was pushed with a tag', () => {
  const container = {
    name: 'web',
    package_type: 'CONTAINER',
    owner: { login: 'Org' },
    package_version: { container_metadata: { tag: { name: '1.2.3' } } },
  };
  const github = { 'x-github-event': 'package' };
  const published = { action: 'published', package: container };
  assert.equal(send(github, published), 'github oci://ghcr.io/Org/web');
  assert.equal(send(github, { ...published, action: 'updated' }), 'github');
  const npm = { ...container, package_type: 'npm' };
  assert.equal(send(github, { ...published, package: npm }), 'github');
  const untagged = { ...container, package_version: { container_metadata: { tag: { name: '' } } } };
  assert.equal(send(github, { ...published, package: untagged }), 'github');
  const artifact = { tag: '1', resource_url: 'harbor.example.com:8443/apps/web:1' };
  const harbor = {
    type: 'PUSH_ARTIFACT',
    event_data: {
      resources: [{ digest: 'sha256:1', resource_url: 'x/y@sha256:1' }, artifact],
      repository: { name: 'web', namespace: 'apps' },
    },
  };
  const right = { authorization: 's3cret' };
  assert.equal(
    send(right, harbor, { harbor: 's3cret' }),
    'harbor oci://harbor.example.com:8443/apps/web',
  );
  assert.equal(send(right, { ...harbor, type: 'PULL_ARTIFACT' }, { harbor: 's3cret' }), 'harbor');
  assert.throws(() => send({}, harbor, { harbor: 's3cret' }), { code: 'WEBHOOK_REFUSED' });
  assert.throws(() => send(right, harbor, {}), { code: 'WEBHOOK_REFUSED' });
  assert.equal(
    send({}, { push_data: { tag: '1' }, repository: { repo_name: 'org/web' } }),
    'dockerHub oci://docker.io/org/web oci://index.docker.io/org/web oci://registry-1.docker.io/org/web',
  );
  const official = { push_data: { tag: '1' }, repository: { name: 'nginx' } };
  assert.match(send({}, official), / oci:\/\/docker\.io\/library\/nginx /);
  const split = { push_data: { tag: '1' }, repository: { name: 'web', namespace: 'org' } };
  assert.match(send({}, split), / oci:\/\/docker\.io\/org\/web /);
  assert.equal(
    send({}, { docker_url: 'quay.io/org/web', updated_tags: ['1'] }),
    'quay oci://quay.io/org/web',
  );
});

test('Docker Hub proves its secret in its address, or a proxy in a header', () => {
  const body = Buffer.from(
    JSON.stringify({ push_data: { tag: '1' }, repository: { repo_name: 'org/web' } }),
  );
  const ask = (query: string, headers: Record<string, string> = {}) =>
    parsePushWebhook({ headers, body, query: new URLSearchParams(query) }, { dockerHub: 's3cret' });
  assert.equal(ask('type=dockerhub&secret=s3cret').urls.length, 3);
  assert.equal(ask('secret=other', { authorization: 's3cret' }).urls.length, 3);
  for (const [query, headers] of [
    ['type=dockerhub', {}],
    ['secret=s3creT', {}],
    ['secret=s3cret', { authorization: 'other' }],
  ] as const)
    assert.throws(() => ask(query, headers), { code: 'WEBHOOK_REFUSED' }, query);
  const empty = {
    headers: {},
    body: Buffer.from('{}'),
    query: new URLSearchParams('type=dockerhub'),
  };
  assert.deepEqual(parsePushWebhook(empty), { sender: 'dockerHub', urls: [] });
});

test('other events, missing fields and wrong types are no pushes and no crash', () => {
  assert.equal(send({ 'x-github-event': 'ping' }, { repository }), 'github');
  for (const body of [
    '',
    'null',
    '[]',
    '7',
    '{',
    '{"repository":7}',
    '{"repository":{"clone_url":[]}}',
    '{"project":null}',
  ]) {
    for (const event of ['x-github-event', 'x-gogs-event', 'x-gitea-event']) {
      assert.equal(send({ [event]: 'push' }, body).split(' ').length, 1, `${event} ${body}`);
    }
    assert.equal(send({ 'x-gitlab-event': 'Push Hook' }, body), 'gitlab');
    assert.equal(send({ 'x-event-key': 'repo:push', 'x-hook-uuid': '' }, body), 'bitbucket');
    assert.equal(send({ 'x-event-key': 'repo:refs_changed' }, body), 'bitbucketServer');
    assert.equal(send({ 'x-vss-activityid': '1' }, body), 'azureDevOps');
  }
  const many = Array.from({ length: 1000 }, (_, i) => ({ href: `https://h/${i}` }));
  const notice = send(
    { 'x-event-key': 'repo:refs_changed' },
    { repository: { links: { clone: many } } },
  );
  assert.equal(notice.split(' ').length, 17);
  assert.throws(() => send({}, 'x'.repeat(26 * 1024 * 1024)), { code: 'WEBHOOK_TOO_LARGE' });
});

/** How each host proves a secret: its secrets, and the headers that a body gets by one of them. */
const PROOFS: Readonly<
  Record<
    string,
    {
      readonly secrets: (secret: string) => WebhookSecrets;
      readonly headers: (secret: string, body: string) => Record<string, string>;
      readonly event: Record<string, string>;
    }
  >
> = {
  github: {
    secrets: (github) => ({ github }),
    event: { 'x-github-event': 'push' },
    headers: (secret, body) => ({ 'x-hub-signature-256': `sha256=${sign(secret, body)}` }),
  },
  gitlab: {
    secrets: (gitlab) => ({ gitlab }),
    event: { 'x-gitlab-event': 'Push Hook' },
    headers: (secret) => ({ 'x-gitlab-token': secret }),
  },
  gitea: {
    secrets: (gitea) => ({ gitea }),
    event: { 'x-gitea-event': 'push', 'x-github-event': 'push', 'x-gogs-event': 'push' },
    headers: (secret, body) => ({ 'x-gitea-signature': sign(secret, body) }),
  },
  gogs: {
    secrets: (gogs) => ({ gogs }),
    event: { 'x-gogs-event': 'push', 'x-github-event': 'push' },
    headers: (secret, body) => ({ 'x-gogs-signature': sign(secret, body) }),
  },
  bitbucket: {
    secrets: (bitbucketUuid) => ({ bitbucketUuid }),
    event: { 'x-event-key': 'repo:push' },
    headers: (secret) => ({ 'x-hook-uuid': secret }),
  },
  bitbucketServer: {
    secrets: (bitbucketServer) => ({ bitbucketServer }),
    event: { 'x-event-key': 'repo:refs_changed' },
    headers: (secret, body) => ({ 'x-hub-signature': `sha256=${sign(secret, body)}` }),
  },
  azureDevOps: {
    secrets: (password) => ({ azureDevOps: { username: 'u', password } }),
    event: { 'x-vss-activityid': '1' },
    headers: (secret) => ({ authorization: `Basic ${btoa(`u:${secret}`)}` }),
  },
  generic: {
    secrets: (generic) => ({ generic }),
    event: {},
    headers: (secret, body) => ({ 'x-signature': sign(secret, body) }),
  },
};

function sign(secret: string, body: string): string {
  return createHmac('sha256', secret).update(body).digest('hex');
}

const BODY = JSON.stringify({ repository });
const refused = { code: 'WEBHOOK_REFUSED' };
/** A secret for every host at once. */
const ALL = Object.assign({}, ...Object.values(PROOFS).map(({ secrets }) => secrets('s3cret')));

for (const [host, { secrets, headers, event }] of Object.entries(PROOFS)) {
  test(`a webhook of ${host} counts when it is signed with the secret that was set, and no other`, () => {
    const sent = (given: Record<string, string>, set: WebhookSecrets, body = BODY) =>
      send({ ...event, ...given }, body, set).split(' ')[0];
    const right = headers('s3cret', BODY);
    const anyId: Record<string, string> = host === 'bitbucket' ? { 'x-hook-uuid': 'any' } : {};
    assert.equal(sent(right, secrets('s3cret')), host);
    assert.equal(sent(right, ALL), host, 'with the secrets of all hosts set');
    assert.equal(sent(anyId, {}), host, 'without a secret it is a hint like any other');
    assert.equal(sent({ ...headers('other', BODY), ...anyId }, {}), host);
    assert.throws(() => sent(headers('s3creT', BODY), secrets('s3cret')), refused);
    assert.throws(() => sent(headers('', BODY), secrets('s3cret')), refused);
    if (host === 'bitbucket') return;
    assert.throws(() => sent({}, secrets('s3cret')), refused);
    const isSigned = host !== 'gitlab' && host !== 'azureDevOps';
    if (isSigned) assert.throws(() => sent(right, secrets('s3cret'), `${BODY} `), refused);
  });
}

test('signatures of another kind, or of nothing, are none', () => {
  for (const signature of ['', 'sha256=', 'sha1=abc', sign('s3cret', '')]) {
    const headers = { 'x-github-event': 'push', 'x-hub-signature-256': signature };
    assert.throws(() => send(headers, BODY, { github: 's3cret' }), refused);
  }
});
