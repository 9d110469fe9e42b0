import { type AddressInfo, createServer } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { connect, type KubeClient, loadKubeconfig } from '@capstan/kube-client';
import type { JsonObject, KubeObject } from '@capstan/kube-object';
import { CapstanError } from '@capstan/lib-std';
import type { Cluster } from './cluster.ts';

export async function clientOf(
  cluster: Pick<Cluster, 'kubeconfig'>,
  context?: string,
): Promise<KubeClient> {
  const file = cluster.kubeconfig;
  return connect(await loadKubeconfig({ file, ...(context === undefined ? {} : { context }) }));
}

export function configMap(namespace: string, name: string, data: JsonObject): KubeObject {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { namespace, name }, data };
}

export function pod(
  namespace: string,
  name: string,
  labels: Record<string, string> = {},
): KubeObject {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { namespace, name, labels },
    spec: { containers: [{ name: 'main', image: 'example.com/app:1' }] },
  };
}

export async function makeNamespace(client: KubeClient, name: string): Promise<string> {
  await client.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
  // Pods are refused until the controller has made the namespace's service account.
  await eventually(async () => {
    const ref = { apiVersion: 'v1', kind: 'ServiceAccount', namespace: name, name: 'default' };
    return (await client.find(ref)) !== undefined;
  }, `the service account of ${name}`);
  return name;
}

export async function eventually(
  isTrue: () => boolean | Promise<boolean>,
  what: string,
  timeoutMs = 30_000,
): Promise<void> {
  const endMs = Date.now() + timeoutMs;
  while (!(await isTrue())) {
    if (Date.now() > endMs) throw new Error(`gave up waiting for ${what}`);
    await pause(20);
  }
}

/** The code of the CapstanError that the promise rejects with. */
export async function codeOf(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
    return 'no error';
  } catch (error) {
    if (error instanceof CapstanError) return error.code;
    throw error;
  }
}

export function portOf(address: string | AddressInfo | null): number {
  if (address === null || typeof address === 'string') throw new Error('not a TCP server');
  return address.port;
}

/** A port of 127.0.0.1 that nobody listens on at this moment. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const port = portOf(server.address());
  await new Promise((resolve) => server.close(resolve));
  return port;
}

export function at(object: KubeObject | JsonObject | undefined, ...path: string[]): unknown {
  let value: unknown = object;
  for (const key of path) {
    value = typeof value === 'object' && value !== null ? Reflect.get(value, key) : undefined;
  }
  return value;
}
