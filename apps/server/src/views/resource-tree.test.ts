import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { LiveObject } from '@capstan/kube-client';
import { type KubeObject, keyOf, keyString } from '@capstan/kube-object';
import { resourceTree } from './resource-tree.ts';

const object = (kind: string, name: string, status = {}): KubeObject => ({
  apiVersion: 'example.io/v1',
  kind,
  metadata: { name, namespace: 'n', uid: `uid-${name}` },
  status,
});

function live(one: KubeObject): LiveObject {
  const { uid = '', resourceVersion = '' } = one.metadata;
  return {
    key: keyOf(one),
    apiVersion: one.apiVersion,
    uid,
    resourceVersion,
    whole: true,
    read: () => one,
  } as unknown as LiveObject;
}

test('what an object owns is judged by the rules that the administrator set, as the object itself is', () => {
  const parent = object('Farm', 'farm');
  const children = [object('Animal', 'cow', { mood: 'bad' }), object('Tree', 'oak')];
  const rule = {
    group: 'example.io',
    kind: 'Animal',
    clauses: [
      {
        when: [{ path: 'status.mood', equals: 'bad' }],
        status: 'Degraded' as const,
        message: 'moody',
      },
    ],
    otherwise: 'Healthy' as const,
  };
  const tree = resourceTree(
    [
      {
        key: keyOf(parent),
        version: 'v1',
        sync: 'Synced',
        health: undefined,
        requiresPruning: false,
      },
    ],
    {
      get: () => live(parent),
      list: () => [],
      ownedBy: (uid) => (uid === 'uid-farm' ? children.map(live) : []),
    },
    { rules: { base: 'workload', custom: [rule] }, nowMs: 0 },
  );
  assert.deepEqual(
    tree.map(({ name, health, healthMessage }) => [name, health, healthMessage]),
    [
      ['farm', null, ''],
      ['cow', 'Degraded', 'moody'],
      ['oak', null, ''],
    ],
  );
});

test('what belongs to an object though no owner reference says so stands below it', () => {
  const of = (apiVersion: string, kind: string, name: string, more: object = {}): KubeObject => ({
    apiVersion,
    kind,
    metadata: { name, namespace: 'n', uid: `uid-${name}` },
    ...more,
  });
  const set = of('apps/v1', 'StatefulSet', 'db', {
    spec: { volumeClaimTemplates: [{ metadata: { name: 'data' } }] },
  });
  const account = of('v1', 'ServiceAccount', 'bot');
  const service = of('v1', 'Service', 'web');
  const token = (name: string, uid: string) => {
    const annotations = {
      'kubernetes.io/service-account.name': 'bot',
      'kubernetes.io/service-account.uid': uid,
    };
    const secret = of('v1', 'Secret', name);
    return { ...secret, metadata: { ...secret.metadata, annotations } };
  };
  const claim = (name: string) => of('v1', 'PersistentVolumeClaim', name);
  const group = of('operators.coreos.com/v1', 'OperatorGroup', 'ops');
  const operator = (name: string, member: string) => {
    const version = of('operators.coreos.com/v1alpha1', 'ClusterServiceVersion', name);
    const annotations = { 'olm.operatorGroup': member };
    return { ...version, metadata: { ...version.metadata, annotations } };
  };
  const held = [
    ...[set, account, service, of('v1', 'Endpoints', 'web'), of('v1', 'Endpoints', 'other')],
    ...['data-db-0', 'data-db-1', 'data-other-0', 'logs-db-0', 'data-db', 'data-db-x'].map(claim),
    ...[token('bot-token', 'uid-bot'), token('old-token', 'uid-before')],
    ...[group, operator('etcd', 'ops'), operator('kafka', 'others')],
  ].map(live);
  const tree = resourceTree(
    [set, account, service, group].map((one) => ({
      key: keyOf(one),
      version: 'v1',
      sync: 'Synced' as const,
      health: undefined,
      requiresPruning: false,
    })),
    {
      get: (key) => held.find((one) => keyString(one.key) === keyString(key)),
      list: ({ kind }) => held.filter(({ key }) => key.kind === kind),
      ownedBy: () => [],
    },
    { rules: { base: 'workload', custom: [] }, nowMs: 0 },
  );
  assert.deepEqual(
    tree.map(({ kind, name, parent }) => `${kind} ${name}${parent === null ? '' : ' below'}`),
    [
      'StatefulSet db',
      'PersistentVolumeClaim data-db-0 below',
      'PersistentVolumeClaim data-db-1 below',
      'ServiceAccount bot',
      'Secret bot-token below',
      'Service web',
      'Endpoints web below',
      'OperatorGroup ops',
      'ClusterServiceVersion etcd below',
    ],
  );
});
