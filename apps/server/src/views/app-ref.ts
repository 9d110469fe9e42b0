import type { AppRef } from '@capstan/apps-contract';
import { type KubeObject, type ObjectKey, parseApiVersion } from '@capstan/kube-object';
import { CapstanError } from '@capstan/lib-std';
import { textAt, valueAt } from './fields.ts';

/** The group of each kind of app. */
export const APP_KINDS = {
  Application: 'argoproj.io',
  Kustomization: 'kustomize.toolkit.fluxcd.io',
  HelmRelease: 'helm.toolkit.fluxcd.io',
} as const satisfies Record<AppRef['kind'], string>;

export function isAppKind(kind: string): kind is AppRef['kind'] {
  return Object.hasOwn(APP_KINDS, kind);
}

/** The app that an object is; undefined when it is none. */
export function appRefOf(
  object: Pick<KubeObject, 'apiVersion' | 'kind' | 'metadata'>,
): AppRef | undefined {
  const { kind } = object;
  if (!isAppKind(kind) || parseApiVersion(object.apiVersion).group !== APP_KINDS[kind]) {
    return undefined;
  }
  return { kind, namespace: object.metadata.namespace ?? '', name: object.metadata.name ?? '' };
}

/** What one of Flux's appliers takes its content from; undefined when it names nothing. */
export function sourceKeyOf(object: KubeObject): ObjectKey | undefined {
  const references = [
    valueAt(object, 'spec', 'sourceRef'),
    valueAt(object, 'spec', 'chart', 'spec', 'sourceRef'),
    valueAt(object, 'spec', 'chartRef'),
  ];
  const found = references.find((one) => textAt(one, 'name') !== '');
  if (found === undefined) return undefined;
  return {
    group: 'source.toolkit.fluxcd.io',
    kind: textAt(found, 'kind'),
    namespace: textAt(found, 'namespace') || (object.metadata.namespace ?? ''),
    name: textAt(found, 'name'),
  };
}

export function parseAppRef(params: Readonly<Record<string, string>>): AppRef {
  const { kind = '', namespace = '', name = '' } = params;
  if (isAppKind(kind)) return { kind, namespace, name };
  throw new CapstanError('APP_NOT_FOUND', `there are no apps of the kind ${JSON.stringify(kind)}`, {
    hint: `kinds are ${Object.keys(APP_KINDS).join(', ')}`,
  });
}
