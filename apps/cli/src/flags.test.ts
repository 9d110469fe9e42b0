import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type FlagSpec, parseFlags } from './flags.ts';

const SPECS: Readonly<Record<string, FlagSpec>> = {
  output: { kind: 'string', short: 'o' },
  'include-crds': { kind: 'boolean' },
  set: { kind: 'list' },
};

test('flags stand anywhere, with their value behind them or after an equals sign', () => {
  const flags = parseFlags(['a', '-o', '-', '--set=x=1,y=2', '--set', 'z=3', '', 'b'], SPECS);
  assert.deepEqual(flags.positionals, ['a', '', 'b']);
  assert.equal(flags.text('output'), '-');
  assert.deepEqual(flags.texts('set'), ['x=1', 'y=2', 'z=3']);
});

test('a boolean takes what Go takes for one, and the last one counts', () => {
  const read = (...args: string[]) => parseFlags(args, SPECS).flag('include-crds');
  assert.equal(read('--include-crds'), true);
  assert.equal(read('--include-crds=T'), true);
  assert.equal(read('--include-crds', '--include-crds=0'), false);
  assert.equal(read('--', '--include-crds=maybe'), false);
  assert.throws(() => read('--include-crds=maybe'), {
    message:
      'invalid argument "maybe" for "--include-crds" flag: strconv.ParseBool: parsing "maybe": invalid syntax',
  });
});

test('what is no flag, or lacks its value, is told in the words of the Go commands', () => {
  const said = (...args: string[]) => {
    try {
      parseFlags(args, SPECS);
      return '';
    } catch (error) {
      return error instanceof Error ? error.message : '';
    }
  };
  assert.equal(said('--nope'), 'unknown flag: --nope');
  assert.equal(said('-x'), "unknown shorthand flag: 'x' in -x");
  assert.equal(said('--output'), 'flag needs an argument: --output');
  assert.equal(said('-o'), "flag needs an argument: 'o' in -o");
});
