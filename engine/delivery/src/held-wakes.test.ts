import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import { HeldWakes, type Weight } from './held-wakes.ts';

const woken: Weight[] = [];
const wake = (weight: Weight) => woken.push(weight);
beforeEach(() => woken.splice(0));

test('what came before the live state was read is seen, what came later wakes again, the heaviest of it', () => {
  const wakes = new HeldWakes();
  assert.equal(wakes.hold('a', 'content', wake), false, 'nobody looks at it');
  wakes.begin('a');
  assert.equal(wakes.hold('a', 'content', wake), true);
  wakes.seen('a');
  wakes.end('a', { goesOn: false });
  assert.deepEqual(woken, []);
  wakes.begin('a');
  wakes.hold('a', 'content', wake);
  wakes.seen('a');
  for (const weight of ['note', 'health', 'note'] as const) wakes.hold('a', weight, wake);
  assert.equal(wakes.hold('b', 'content', wake), false, 'another one');
  wakes.end('a', { goesOn: false });
  assert.deepEqual(woken, ['health']);
  assert.equal(wakes.hold('a', 'content', wake), false, 'the look is over');
});

test('an operation that goes on is woken by all that came, and so is a look that read nothing', () => {
  const wakes = new HeldWakes();
  wakes.begin('a');
  wakes.hold('a', 'content', wake);
  wakes.seen('a');
  wakes.end('a', { goesOn: true });
  wakes.begin('a');
  wakes.hold('a', 'health', wake);
  wakes.end('a', { goesOn: false });
  assert.deepEqual(woken, ['content', 'health']);
});
