import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createLocalClient, SYSTEM } from '@capstan/kube-apiserver';
import { startSandbox } from '../start-sandbox.ts';

test('an APIService is available when pods answer for its Service, and says why not before', async () => {
  await using sandbox = await startSandbox();
  const client = createLocalClient(sandbox.server.core, SYSTEM, 'test');
  const available = (name: string): string => {
    const found = client.get('apiregistration.k8s.io/v1/apiservices', '', name);
    const { conditions = [] } = Object(found?.['status']);
    return conditions
      .map(({ status, reason }: Record<string, string>) => `${status} ${reason}`)
      .join();
  };
  const eventually = async (name: string, expected: string): Promise<void> => {
    for (let i = 0; i < 100 && available(name) !== expected; i++) {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    assert.equal(available(name), expected);
  };
  const apiService = (group: string, service?: object): void => {
    const priorities = { groupPriorityMinimum: 100, versionPriority: 100 };
    client.create('apiregistration.k8s.io/v1/apiservices', {
      apiVersion: 'apiregistration.k8s.io/v1',
      kind: 'APIService',
      metadata: { name: `v1.${group}` },
      spec: JSON.parse(JSON.stringify({ group, version: 'v1', service, ...priorities })),
    });
  };
  apiService('local.example');
  await eventually('v1.local.example', 'True Local');
  const insecure = { namespace: 'default', name: 'adapter' };
  apiService('adapter.example', insecure);
  apiService('port.example', { ...insecure, port: 8443 });
  await eventually('v1.adapter.example', 'False ServiceNotFound');
  client.create('v1/services', {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'adapter', namespace: 'default' },
    spec: { selector: { app: 'adapter' }, ports: [{ name: 'https', port: 443 }] },
  });
  await eventually('v1.adapter.example', 'False MissingEndpoints');
  await eventually('v1.port.example', 'False ServicePortError');
  client.create('v1/pods', {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'adapter', namespace: 'default', labels: { app: 'adapter' } },
    spec: { containers: [{ name: 'c', image: 'i:1' }] },
  });
  await eventually('v1.adapter.example', 'True Passed');
  client.remove('v1/pods', 'default', 'adapter');
  await eventually('v1.adapter.example', 'False MissingEndpoints');
});
