import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { LiveObject } from '@capstan/kube-client';
import { type KubeObject, keyOf } from '@capstan/kube-object';
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
