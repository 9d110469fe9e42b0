import type { JsonObject } from '@capstan/kube-object';
import type { Core } from './core.ts';
import { cloneJson } from './json.ts';
import { SYSTEM } from './user.ts';
import { createObject } from './write-object.ts';

/** The objects that every cluster begins with; those that exist already stay as they are. */
export function bootstrap(core: Core): void {
  for (const name of ['default', 'kube-system', 'kube-public', 'kube-node-lease']) {
    ensure(
      core,
      { group: '', version: 'v1', name: 'namespaces' },
      {
        apiVersion: 'v1',
        kind: 'Namespace',
        metadata: { name },
      },
    );
  }
}

function ensure(
  core: Core,
  at: { readonly group: string; readonly version: string; readonly name: string },
  object: JsonObject & {
    readonly metadata: { readonly name: string; readonly namespace?: string };
  },
): void {
  const resource = core.registry.find(at.group, at.version, at.name);
  if (resource === undefined) return;
  const { name, namespace } = object.metadata;
  const key = resource.namespaced ? `${namespace ?? ''}/${name}` : name;
  if (core.store.get(resource.bucket, key) !== undefined) return;
  createObject(core, { resource, namespace: namespace ?? '', name }, cloneJson(object), {
    user: SYSTEM,
    dryRun: false,
    fieldManager: 'kube-apiserver',
    fieldValidation: 'Ignore',
    warn: () => undefined,
  });
}
