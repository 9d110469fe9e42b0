import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { test } from 'node:test';
import type { KubeObject } from '@capstan/kube-object';
import { ManualClock } from '@capstan/lib-std';
import { webhookEndpoint } from './webhook-endpoint.ts';

const BODY = JSON.stringify({ repository: { clone_url: 'https://h/a/b.git' } });

function secretOf(name: string, values: Readonly<Record<string, string>>): KubeObject {
  const encoded = Object.entries(values).map(([key, value]) => [key, btoa(value)]);
  const data = Object.fromEntries(encoded);
  return { apiVersion: 'v1', kind: 'Secret', metadata: { name }, data };
}

function open(secret?: string, more: Readonly<Record<string, string>> = {}) {
  const told: string[] = [];
  const found = secretOf('argocd-secret', { 'webhook.github.secret': secret ?? '', ...more });
  const others = [secretOf('hooks', { github: 'from another' })];
  const handle = webhookEndpoint({
    client: {
      find: async () => (secret === undefined ? undefined : found),
      list: async (_kind, options) => ({
        items: options?.labelSelector === 'app.kubernetes.io/part-of=argocd' ? others : [],
        resourceVersion: '1',
      }),
    },
    clock: new ManualClock(),
    notifyPush: (url) => told.push(url),
  });
  const send = async (headers: Record<string, string>, body = BODY, query = '') => {
    const url = `http://localhost/api/webhook${query}`;
    const request = new Request(url, { method: 'POST', headers, body });
    return (await handle(request)).status;
  };
  return { told, send };
}

test('a push is passed on; anything else is answered and forgotten', async () => {
  const { told, send } = open();
  assert.equal(await send({ 'x-github-event': 'push' }), 202);
  assert.deepEqual(told, ['https://h/a/b.git']);
  assert.equal(await send({ 'x-github-event': 'ping' }), 202);
  assert.equal(await send({ 'x-github-event': 'push' }, 'no JSON'), 202);
  assert.equal(told.length, 1);
  assert.equal(await send({ 'x-github-event': 'push' }, 'x'.repeat(26 * 1024 * 1024)), 413);
});

test('with a secret in argocd-secret, only signed pushes count', async () => {
  const { told, send } = open('s3cret');
  assert.equal(await send({ 'x-github-event': 'push' }), 400);
  const signature = createHmac('sha256', 's3cret').update(BODY).digest('hex');
  const headers = { 'x-github-event': 'push', 'x-hub-signature-256': `sha256=${signature}` };
  assert.equal(await send(headers), 202);
  assert.deepEqual(told, ['https://h/a/b.git']);
});

test('the secrets of Docker Hub and of senders without a name of their own count, too', async () => {
  const { told, send } = open('', {
    'webhook.dockerhub.secret': 'hub',
    'webhook.generic.secret': 'any',
  });
  const image = JSON.stringify({ push_data: { tag: '1' }, repository: { repo_name: 'a/b' } });
  assert.equal(await send({}, image, '?type=dockerhub'), 400);
  assert.equal(await send({}, image, '?type=dockerhub&secret=hub'), 202);
  assert.equal(told.shift(), 'oci://docker.io/a/b');
  const push = JSON.stringify({ url: 'https://h/a/b.git' });
  assert.equal(await send({}, push), 400);
  const signature = createHmac('sha256', 'any').update(push).digest('hex');
  assert.equal(await send({ 'x-signature': signature }, push), 202);
  assert.equal(told.at(-1), 'https://h/a/b.git');
});

test('a secret may be another value of argocd-secret, or one of a Secret that belongs to Argo CD', async () => {
  for (const [reference, secret] of [
    ['$shared', 'from here'],
    ['$hooks:github', 'from another'],
    ['$none:github', '$none:github'],
  ] as const) {
    const { told, send } = open(reference, { shared: 'from here\n' });
    const signature = createHmac('sha256', secret).update(BODY).digest('hex');
    const headers = { 'x-github-event': 'push', 'x-hub-signature-256': `sha256=${signature}` };
    assert.equal(await send(headers), 202, reference);
    assert.equal(told.length, 1);
    assert.equal(await send({ ...headers, 'x-hub-signature-256': 'sha256=00' }), 400);
  }
});
