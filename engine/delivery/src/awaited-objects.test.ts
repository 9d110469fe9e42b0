import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { LiveChange } from '@capstan/kube-client';
import { AwaitedObjects } from './awaited-objects.ts';

const key = (name: string) => ({ group: '', kind: 'ConfigMap', namespace: 'web', name });

test('who waits for an object of a cluster is told, until it waits for others or for none', () => {
  const awaited = new AwaitedObjects();
  let tell: (change: LiveChange) => void = () => undefined;
  const woken: string[] = [];
  const live = {
    subscribe: (listener: (change: LiveChange) => void) => {
      tell = listener;
      return () => undefined;
    },
  };
  awaited.watch({ name: 'here', live: live as never }, (owner) => woken.push(owner));
  const wokenBy = (name: string) => {
    woken.length = 0;
    tell({ key: key(name), before: undefined, after: undefined, isInitial: false });
    return woken.join();
  };
  awaited.set('a', { name: 'here' }, [key('x'), key('y')]);
  awaited.set('b', { name: 'here' }, [key('x')]);
  awaited.set('c', { name: 'elsewhere' }, [key('x')]);
  assert.deepEqual([wokenBy('x'), wokenBy('y')], ['a,b', 'a']);
  awaited.set('a', { name: 'here' }, [key('z')]);
  assert.deepEqual([wokenBy('x'), wokenBy('y'), wokenBy('z')], ['b', '', 'a']);
  awaited.forget('b');
  awaited.set('a', { name: 'here' }, []);
  assert.deepEqual([wokenBy('x'), wokenBy('z')], ['', '']);
});
