import assert from 'node:assert/strict';
import { test } from 'node:test';
import { kubernetesMinors, loadCatalogue } from '@capstan/kube-schema';
import { createApiServer } from './api-server.ts';

test('a server of any minor serves its own kinds and knows its own fields', async () => {
  for (const minor of kubernetesMinors) {
    const catalogue = await loadCatalogue(minor);
    const server = await createApiServer({ catalogue });
    const ask = async (method: string, path: string, body?: object): Promise<string> => {
      const response = await server.transport.request({
        method,
        path,
        headers: { 'content-type': 'application/json', accept: 'application/json' },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      const chunks: Uint8Array[] = [];
      for await (const chunk of response.body) chunks.push(chunk);
      return Buffer.concat(chunks).toString();
    };
    assert.match(await ask('GET', '/version'), new RegExp(catalogue.gitVersion), minor);
    const job = (name: string, more: object): object => ({
      apiVersion: 'batch/v1',
      kind: 'Job',
      metadata: { name },
      spec: {
        ...more,
        template: { spec: { restartPolicy: 'Never', containers: [{ name: 'c', image: 'i' }] } },
      },
    });
    const jobs = '/apis/batch/v1/namespaces/default/jobs?fieldValidation=Strict';
    assert.match(await ask('POST', jobs, job('plain', {})), /"uid"/, minor);
    const answer = await ask('POST', jobs, job('newest', { scheduling: {} }));
    if (minor === '1.37') assert.match(answer, /"uid"/);
    else assert.match(answer, /unknown field \\"spec.scheduling\\"/);
    const groups = await ask('GET', '/apis/admissionregistration.k8s.io/v1');
    const hasPolicies = groups.includes('"mutatingadmissionpolicies"');
    assert.equal(hasPolicies, minor === '1.37' || minor === '1.36', minor);
  }
});
