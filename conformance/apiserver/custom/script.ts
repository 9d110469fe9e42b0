import type { Step } from '@capstan/kube-apiserver/testing';
import { type Node, randomOf, sampleOf } from './generate.ts';
import { mutated } from './mutate.ts';

export interface Definition {
  readonly metadata: { readonly name: string };
  readonly spec: {
    readonly group: string;
    readonly scope: string;
    readonly names: { readonly plural: string; readonly kind: string };
    readonly versions: readonly {
      readonly name: string;
      readonly storage: boolean;
      readonly schema?: { readonly openAPIV3Schema?: Node };
      readonly subresources?: { readonly status?: unknown };
    }[];
  };
}

export const NAMESPACE = 'custom';
const FILLS = [1, 0, 0.5];

/** Objects of a kind, made from its schema: as they should be, and changed at one place; created, changed and applied. */
export function objectSteps(definition: Definition, count: number): readonly Step[] {
  const { spec, metadata } = definition;
  const version = spec.versions.find(({ storage }) => storage);
  const schema = version?.schema?.openAPIV3Schema;
  if (version === undefined || schema === undefined) return [];
  const random = randomOf(metadata.name);
  const at = spec.scope === 'Namespaced' ? `namespaces/${NAMESPACE}/` : '';
  const path = `/apis/${spec.group}/${version.name}/${at}${spec.names.plural}`;
  const object = (name: string, fill: number): Record<string, unknown> => ({
    ...(sampleOf(schema, fill, random) as object),
    apiVersion: `${spec.group}/${version.name}`,
    kind: spec.names.kind,
    metadata: { name, labels: { a: 'b' } },
  });
  const bases = FILLS.map((fill, i) => object(`object-${i}`, fill));
  const titled = (title: string) => ({
    headers: { 'x-title': `${metadata.name}: ${title}`.replace(/[^\x20-\x7e]/g, '?') },
  });
  const steps: Step[] = bases.map((body, i) => ({
    method: 'POST',
    path: `${path}?fieldManager=m`,
    body,
    keep: { [`version${i}`]: 'metadata.resourceVersion' },
    ...titled(`created, filled ${FILLS[i]}`),
  }));
  for (let i = 0; i < count; i++) {
    const base = bases[i % bases.length] as Record<string, unknown>;
    const change = mutated(base, schema, random);
    if (change === undefined) continue;
    steps.push({
      ...writeOf(i, path, change.object),
      ...titled(`${WAYS[i % WAYS.length]} ${change.title}`),
    });
  }
  if (version.subresources?.status !== undefined) {
    const status = { status: bases[0]?.['status'] ?? {}, spec: { ignored: 1 } };
    steps.push({
      method: 'PATCH',
      path: `${path}/object-0/status?fieldManager=s`,
      type: 'application/merge-patch+json',
      body: status,
      ...titled('status'),
    });
  }
  return steps;
}

const WAYS = ['created', 'created', 'strictly created', 'replaced', 'merged', 'applied'] as const;

function writeOf(i: number, path: string, object: Record<string, unknown>): Step {
  const { name } = object['metadata'] as { readonly name: string };
  const metadata = object['metadata'] as object;
  const own = { ...object, metadata: { ...metadata, name: 'other' } };
  const known = {
    ...object,
    metadata: { ...metadata, resourceVersion: `{{version${name.slice(-1)}}}` },
  };
  const query = 'dryRun=All&fieldManager=n';
  switch (WAYS[i % WAYS.length]) {
    case 'strictly created':
      return { method: 'POST', path: `${path}?${query}&fieldValidation=Strict`, body: own };
    case 'replaced':
      return { method: 'PUT', path: `${path}/${name}?${query}`, body: known };
    case 'merged':
      return {
        method: 'PATCH',
        path: `${path}/${name}?${query}`,
        type: 'application/merge-patch+json',
        body: object,
      };
    case 'applied':
      return {
        method: 'PATCH',
        path: `${path}/${name}?${query}&force=true`,
        type: 'application/apply-patch+yaml',
        body: object,
      };
    default:
      return { method: 'POST', path: `${path}?${query}&fieldValidation=Warn`, body: own };
  }
}
