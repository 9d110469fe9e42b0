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

test('with a secret only what is signed with it counts', () => {
  const body = JSON.stringify({ repository });
  const sign = (secret: string) => createHmac('sha256', secret).update(body).digest('hex');
  const refused = { code: 'WEBHOOK_REFUSED' };
  const github = (signature: string) =>
    send({ 'x-github-event': 'push', 'x-hub-signature-256': signature }, body, {
      github: 's3cret',
    });
  assert.equal(github(`sha256=${sign('s3cret')}`), `github ${FOUND}`);
  for (const signature of [`sha256=${sign('s3creT')}`, '', 'sha256=', 'sha1=abc']) {
    assert.throws(() => github(signature), refused);
  }
  assert.throws(() => send({ 'x-github-event': 'push' }, body, { github: 'x' }), refused);
  const gitlab = { 'x-gitlab-event': 'Push Hook', 'x-gitlab-token': 'right' };
  assert.equal(send(gitlab, body, { gitlab: 'right' }), 'gitlab');
  assert.throws(() => send(gitlab, body, { gitlab: 'wrong' }), refused);
  const azure = { 'x-vss-activityid': '1', authorization: `Basic ${btoa('u:p')}` };
  assert.equal(send(azure, body, { azureDevOps: { username: 'u', password: 'p' } }), 'azureDevOps');
  assert.throws(
    () => send(azure, body, { azureDevOps: { username: 'u', password: 'q' } }),
    refused,
  );
});
