import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mayRun } from './shard-view.ts';

const KEYS = Array.from({ length: 50 }, (_, i) => `application/argocd/app-${i}`);

test('with one view of all, each key has exactly one owner', () => {
  const view = ['a', 'b', 'c'];
  for (const key of KEYS) {
    const owners = view.filter((identity) =>
      mayRun(
        key,
        { identity, views: [view] },
        view.filter((one) => one !== identity).map((one) => ({ identity: one, view })),
      ),
    );
    assert.equal(owners.length, 1);
  }
});

test('a replica that has said nothing owns nothing, and one alone owns all', () => {
  assert.ok(KEYS.every((key) => !mayRun(key, { identity: 'a', views: [[], ['a']] }, [])));
  assert.ok(KEYS.every((key) => mayRun(key, { identity: 'a', views: [['a']] }, [])));
});

test("a newcomer waits for the others' word, and they run nothing that is to be its own", () => {
  const [old, next] = [
    ['a', 'b'],
    ['a', 'b', 'c'],
  ];
  const others = (view: readonly string[]) => ['a', 'b'].map((identity) => ({ identity, view }));
  const newcomer = { identity: 'c', views: [next] };
  assert.ok(KEYS.every((key) => !mayRun(key, newcomer, others(old))));
  const taken = KEYS.filter((key) => mayRun(key, newcomer, others(next)));
  assert.ok(taken.length > 5 && taken.length < 30, String(taken.length));
  const still = (key: string) => mayRun(key, { identity: 'a', views: [old, next] }, []);
  assert.ok(taken.every((key) => !still(key)));
});
