import type { LiveObject, LiveState } from '@capstan/kube-client';
import { listAt, textAt } from './fields.ts';

/**
 * What belongs to an object though no owner reference says so, as Argo CD shows it: the claims that a StatefulSet made from its
 * templates, the Endpoints of a Service, the tokens of a ServiceAccount, and the operators of an OperatorGroup.
 */
export function inferredChildren(
  parent: LiveObject,
  live: Pick<LiveState, 'get' | 'list'>,
): readonly LiveObject[] {
  const { group, kind, namespace, name } = parent.key;
  switch (`${group}/${kind}`) {
    case 'apps/StatefulSet': {
      const fits = claimsOf(parent);
      return live
        .list({ group: '', kind: 'PersistentVolumeClaim' }, namespace)
        .filter((claim) => isUnowned(claim) && fits(claim.key.name));
    }
    case '/Service': {
      const endpoints = live.get({ group: '', kind: 'Endpoints', namespace, name });
      return endpoints !== undefined && isUnowned(endpoints) ? [endpoints] : [];
    }
    case '/ServiceAccount':
      return live
        .list({ group: '', kind: 'Secret' }, namespace)
        .filter((secret) => isTokenOf(secret, parent));
    case 'operators.coreos.com/OperatorGroup':
      return live
        .list({ group, kind: 'ClusterServiceVersion' }, namespace)
        .filter((version) => version.read().metadata.annotations?.['olm.operatorGroup'] === name);
    default:
      return [];
  }
}

function isUnowned(object: LiveObject): boolean {
  return (object.read().metadata.ownerReferences ?? []).length === 0;
}

/** `<template>-<set>-<number>`; of a set that nobody manages the templates are not held. */
function claimsOf(set: LiveObject): (name: string) => boolean {
  const templates = listAt(set.read(), 'spec', 'volumeClaimTemplates').map((template) =>
    textAt(template, 'metadata', 'name'),
  );
  const end = `-${set.key.name}`;
  return (name) => {
    const [, stem] = /^(.*)-\d+$/.exec(name) ?? [];
    if (stem === undefined || !stem.endsWith(end)) return false;
    return templates.length === 0 || templates.includes(stem.slice(0, -end.length));
  };
}

function isTokenOf(secret: LiveObject, account: LiveObject): boolean {
  const { annotations = {} } = secret.read().metadata;
  return (
    annotations['kubernetes.io/service-account.name'] === account.key.name &&
    annotations['kubernetes.io/service-account.uid'] === account.uid
  );
}
