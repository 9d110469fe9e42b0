import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import {
  differences,
  runScript,
  type Send,
  startWebhookServer,
  type WebhookServer,
} from '@capstan/kube-apiserver/testing';
import { type Cluster, startCluster, whyNoCluster } from '../cluster/cluster.ts';
import { webhookScripts } from './scripts/webhooks.ts';
import { sendToOurs, sendToReal } from './servers.ts';

/** Webhooks are asked the same by both servers, and their answers lead to the same. */
describe('both servers ask webhooks alike', { skip: whyNoCluster() }, () => {
  let cluster: Cluster;
  let server: WebhookServer;
  const alive = setInterval(() => undefined, 60_000);
  before(async () => {
    server = await startWebhookServer();
    cluster = await startCluster({ args: ['-with', ''] });
  });
  after(async () => {
    clearInterval(alive);
    await cluster.stop();
    await server[Symbol.asyncDispose]();
  });

  for (const [i, { name }] of webhookScripts({ url: '', caBundle: '' }).entries()) {
    test(name, async () => {
      const script = webhookScripts(server)[i];
      if (script === undefined) throw new Error(`no script ${name}`);
      const ask = async (send: Send, settles: boolean) => {
        const from = server.reviews.length;
        const answers = await runScript(script, send, { settles });
        return { answers, reviews: server.reviews.slice(from).map(masked) };
      };
      const real = await ask(sendToReal(cluster), true);
      const ours = await ask(await sendToOurs(), false);
      const found = script.steps.flatMap(({ method, path }, at) =>
        differences(real.answers[at], ours.answers[at]).map(
          (line) => `#${at} ${method} ${path}: ${line}`,
        ),
      );
      assert.deepEqual(found, []);
      assert.deepEqual(ours.reviews, real.reviews);
    });
  }
});

/** What differs from run to run, and who asks. */
function masked(review: unknown): unknown {
  const text = JSON.stringify(review, (key, value: unknown) => {
    if (
      key === 'uid' ||
      key === 'creationTimestamp' ||
      key === 'time' ||
      key === 'resourceVersion'
    ) {
      return value === null || value === undefined ? value : '<masked>';
    }
    if (key === 'userInfo') return '<user>';
    return typeof value === 'string'
      ? value.replace(/\bkube-api-access-\w{5}\b/, 'kube-api-access-<id>')
      : value;
  });
  return JSON.parse(text) as unknown;
}
