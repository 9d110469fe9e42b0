import type { Expr } from './ast.ts';
import type { Functions, Overload } from './functions.ts';
import type { CelType } from './types.ts';
import { CelError, CelList, CelMap, type CelValue, typeNameOf } from './values.ts';

const TIME = 'google.protobuf.Timestamp';
const SPAN = 'google.protobuf.Duration';
const NUMBERS = ['int', 'uint', 'double'];

/** Operators by the types that have them; values of other types are told the operator's name. */
const TRAITS: ReadonlyMap<string, readonly string[]> = new Map([
  ['_+_', [...NUMBERS, 'string', 'bytes', 'list', TIME, SPAN]],
  ['_-_', [...NUMBERS, TIME, SPAN]],
  ['_*_', NUMBERS],
  ['_/_', NUMBERS],
  ['_%_', ['int', 'uint']],
  ['-_', ['int', 'double', 'bool', SPAN]],
  ...['_<_', '_<=_', '_>_', '_>=_'].map((name): [string, readonly string[]] => [
    name,
    [...NUMBERS, 'bool', 'string', 'bytes', TIME, SPAN],
  ]),
  ['size', ['string', 'bytes', 'list', 'map']],
  ['matches', ['string']],
]);
/** What has functions of its own refuses in general words. */
const RECEIVERS: ReadonlySet<string> = new Set(['string', TIME, SPAN]);
/** Look at their arguments themselves. */
const UNGUARDED: ReadonlySet<string> = new Set([
  '!_',
  '@in',
  '_==_',
  '_!=_',
  'contains',
  'startsWith',
  'endsWith',
]);
/** With a literal pattern they are calls of their own. */
const PATTERNS: ReadonlySet<string> = new Set(['matches', 'find', 'findAll']);

/** What is said of a call whose arguments no function of its name takes, as the interpreter of cel-go has it. */
export function noOverload(
  name: string,
  args: readonly CelValue[],
  { functions, words }: { readonly functions: Functions; readonly words: readonly Expr[] },
): CelError {
  const plain = new CelError('no such overload');
  if (UNGUARDED.has(name)) return plain;
  if (PATTERNS.has(name) && words[1]?.kind === 'literal') return plain;
  const types = args.map(typeNameOf);
  if (name === 'flatten') return new CelError(`no such overload: ${types.join('.')}.flatten()`);
  const traits = TRAITS.get(name);
  if (traits !== undefined) {
    const [first = ''] = types;
    const isOwn = traits.includes(first) || RECEIVERS.has(first);
    return isOwn ? plain : new CelError(`no such overload: ${name}`);
  }
  const isFit = functions.overloads(name)?.some((overload) => takes(overload, args)) === true;
  return isFit ? plain : new CelError(`no such overload: ${name}(${types.join(', ')})`);
}

function takes({ params }: Overload, args: readonly CelValue[]): boolean {
  return (
    params.length === args.length && params.every((param, i) => isOf(param, args[i] as CelValue))
  );
}

/** Of a list or map the first element is looked at. */
function isOf(type: CelType, value: CelValue): boolean {
  switch (type.kind) {
    case 'dyn':
    case 'param':
      return true;
    case 'list': {
      if (!(value instanceof CelList)) return false;
      return value.size === 0 || isOf(type.element, value.at(0));
    }
    case 'map': {
      if (!(value instanceof CelMap)) return false;
      for (const key of value.keys()) {
        return isOf(type.key, key) && isOf(type.value, value.get(key) ?? null);
      }
      return true;
    }
    default:
      return 'name' in type && type.name === typeNameOf(value);
  }
}
