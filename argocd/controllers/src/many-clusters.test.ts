/** A hundred clusters that come and go while the control plane runs, each reached in one of the ways that Secrets know. */
import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { after, before, test } from 'node:test';
import { type Cluster, createCluster } from '@capstan/engine-delivery';
import type { KubeClient } from '@capstan/kube-client';
import type { JsonObject, KubeObject } from '@capstan/kube-object';
import { messageOf } from '@capstan/lib-std';
import { type ClusterRegistration, readClusterSecret } from './cluster-secret.ts';
import { createClusterDirectory } from './clusters.ts';

const COUNT = 100;
const base64 = (text: string) => Buffer.from(text).toString('base64');

let folder: string;
let server: Server;
let port: number;
const pathBefore = process.env['PATH'];
/** Who asked, by the path that its cluster's address begins with. */
const seen = new Map<string, string>();

before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'capstan-clusters-'));
  // Stands in for the program that asks a cloud: it tells how it was called.
  const program = join(folder, 'argocd-k8s-auth');
  const credential = `{"apiVersion":"client.authentication.k8s.io/v1beta1","kind":"ExecCredential","status":{"token":"$(echo "$@" | tr ' ' '.')"}}`;
  writeFileSync(program, `#!/bin/sh\ncat <<EOT\n${credential}\nEOT\n`);
  chmodSync(program, 0o755);
  process.env['PATH'] = `${folder}${delimiter}${pathBefore}`;
  server = createServer((request, response) => {
    const [, name = ''] = (request.url ?? '').split('/');
    seen.set(name, request.headers.authorization ?? '');
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end('{"major":"1","minor":"36","gitVersion":"v1.36.0"}');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  port = (server.address() as AddressInfo).port;
});
after(async () => {
  process.env['PATH'] = pathBefore;
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  rmSync(folder, { recursive: true, force: true });
});

const exec = (...args: readonly string[]): JsonObject => ({
  execProviderConfig: {
    apiVersion: 'client.authentication.k8s.io/v1beta1',
    command: 'argocd-k8s-auth',
    args: [...args],
  },
});

/** Each way of access, and what the server is to see of it. */
const FORMS: readonly (readonly [
  config: (name: string) => JsonObject,
  (name: string) => string,
])[] = [
  [(name) => ({ bearerToken: `of-${name}` }), (name) => `Bearer of-${name}`],
  [(name) => ({ username: name, password: 'p' }), (name) => `Basic ${base64(`${name}:p`)}`],
  [
    (name) => ({ awsAuthConfig: { clusterName: name, roleARN: 'arn:r' } }),
    (name) => `Bearer aws.--cluster-name.${name}.--role-arn.arn:r`,
  ],
  [() => exec('gcp'), () => 'Bearer gcp'],
  [(name) => exec('azure', name), (name) => `Bearer azure.${name}`],
];

function secret(index: number, address = `http://127.0.0.1:${port}`): KubeObject {
  const name = `c${index}`;
  const config = FORMS[index % FORMS.length]?.[0](name) ?? {};
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: {
      name,
      namespace: 'argocd',
      labels: { 'argocd.argoproj.io/secret-type': 'cluster' },
    },
    data: {
      name: base64(name),
      server: base64(`${address}/${name}`),
      config: base64(JSON.stringify(config)),
      // Every tenth is looked at in one namespace alone.
      ...(index % 10 === 0 ? { namespaces: base64('team') } : {}),
    },
  };
}

function registrations(indexes: readonly number[]): readonly ClusterRegistration[] {
  return indexes.map((index) => readClusterSecret(secret(index)) ?? assert.fail());
}

const indexes = Array.from({ length: COUNT }, (_none, index) => index);

test('a hundred clusters are reached in every way, and come and go', async () => {
  const opened: string[] = [];
  const closed: string[] = [];
  await using directory = createClusterDirectory({
    own: clusterOf('in-cluster', undefined as unknown as KubeClient),
    create: ({ name }, client) => {
      opened.push(name);
      return clusterOf(name, client);
    },
  });
  const stop = directory.onOpen(
    ({ name }) =>
      () =>
        closed.push(name),
  );
  directory.register(registrations(indexes), { ownEnabled: true });
  assert.equal(directory.list().length, COUNT + 1);
  for (const index of indexes) await ask(directory.get(address(index)), index);
  assert.equal(opened.length, COUNT);

  const kept = indexes.filter((index) => index % 2 === 0);
  directory.register(registrations(kept), { ownEnabled: false });
  assert.equal(directory.list().length, kept.length, 'without the own one');
  assert.equal(directory.get('https://kubernetes.default.svc'), undefined);
  assert.equal(directory.get(address(1)), undefined);
  assert.deepEqual(closed.length, COUNT - kept.length);
  await ask(directory.get(address(2)), 2);
  assert.equal(opened.length, COUNT, 'what stays is not opened again');

  directory.register(registrations(indexes), { ownEnabled: true });
  await ask(directory.get(address(1)), 1);
  assert.equal(opened.length, COUNT + 1);
  assert.equal(
    directory
      .list()
      .find(({ name }) => name === 'c10')
      ?.namespaces?.join(),
    'team',
  );
  stop();
});

test('a cluster that is dead fails alone', async () => {
  await using directory = createClusterDirectory({
    own: clusterOf('in-cluster', undefined as unknown as KubeClient),
    create: ({ name }, client) => clusterOf(name, client),
  });
  const dead = readClusterSecret(secret(7, 'http://127.0.0.1:1')) ?? assert.fail();
  directory.register([...registrations([1, 2]), dead], { ownEnabled: true });
  const asked = directory.get('http://127.0.0.1:1/c7')?.client.discovery.version();
  await assert.rejects(asked ?? Promise.resolve(), (error) =>
    /127\.0\.0\.1:1/.test(messageOf(error)),
  );
  await ask(directory.get(address(1)), 1);
});

function address(index: number): string {
  return `http://127.0.0.1:${port}/c${index}`;
}

async function ask(cluster: Cluster | undefined, index: number): Promise<void> {
  const name = `c${index}`;
  seen.delete(name);
  // Not by discovery, which keeps its answer.
  await cluster?.client.getJson('/version');
  assert.equal(seen.get(name), FORMS[index % FORMS.length]?.[1](name));
}

function clusterOf(name: string, client: KubeClient): Cluster {
  return createCluster({ name, client, schemaOf: () => undefined, ownerReaders: [] });
}
