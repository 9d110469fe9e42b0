import { type Node, pick, type Random } from './generate.ts';

export interface Mutated {
  readonly title: string;
  readonly object: Record<string, unknown>;
}

type Path = readonly (string | number)[];
type Container = Record<string | number, unknown>;

interface Place {
  readonly path: Path;
  readonly node: Node | undefined;
  readonly value: unknown;
}

/** An object, changed at one place in one way. */
export function mutated(
  object: Record<string, unknown>,
  root: Node,
  random: Random,
): Mutated | undefined {
  const places = [...placesOf(object, root, [])].filter(({ path }) => isOwn(path));
  if (places.length === 0) return undefined;
  // Labels are the same everywhere.
  const rare = places.filter(({ path }) => path[0] !== 'metadata' || random() < 0.2);
  const place = pick(rare.length === 0 ? places : rare, random);
  const [how, change] = pick(changesOf(place), random);
  const copy = structuredClone(object);
  let parent = copy as Container;
  for (const step of place.path.slice(0, -1)) parent = parent[step] as Container;
  change(parent, place.path.at(-1) ?? '');
  return { title: `${place.path.join('.')} ${how}`, object: copy };
}

function isOwn([first, second]: Path): boolean {
  return (
    first !== undefined &&
    !(first === 'metadata' && second !== 'labels') &&
    !/^(apiVersion|kind)$/.test(String(first))
  );
}

function* placesOf(value: unknown, node: Node | undefined, path: Path): Iterable<Place> {
  yield { path, node, value };
  if (Array.isArray(value)) {
    for (const [i, item] of value.entries()) yield* placesOf(item, node?.items, [...path, i]);
  } else if (typeof value === 'object' && value !== null) {
    for (const [key, item] of Object.entries(value)) {
      const additional = node?.additionalProperties;
      const inner =
        node?.properties?.[key] ?? (typeof additional === 'object' ? additional : undefined);
      yield* placesOf(item, inner, [...path, key]);
    }
  }
}

type Change = readonly [how: string, change: (parent: Container, key: string | number) => void];

function changesOf({ value, node }: Place): readonly Change[] {
  const put = (other: unknown): Change => [
    `= ${JSON.stringify(other)?.slice(0, 60)}`,
    (parent, key) => {
      parent[key] = other;
    },
  ];
  const remove: Change = [
    'removed',
    (parent, key) => {
      if (Array.isArray(parent)) parent.splice(Number(key), 1);
      else delete parent[key];
    },
  ];
  const others: Change[] = [remove, remove, put(null)];
  if (typeof value === 'string') {
    const texts = ['', ' ', 'x'.repeat(300), 'Bad_Value!', 'ünï', value.toUpperCase(), `${value} `];
    return [...others, ...texts.map(put), put(5), put(true), put([value]), put({ a: value })];
  }
  if (typeof value === 'number') {
    const { minimum = 0, maximum = 100 } = node ?? {};
    const numbers = [
      minimum - 1,
      maximum + 1,
      0,
      -1,
      1.5,
      3_000_000_000,
      1e30,
      9_007_199_254_740_991,
    ];
    return [...others, ...numbers.map(put), put(String(value)), put(false), put([]), put({})];
  }
  if (typeof value === 'boolean') return [...others, put(!value), put('true'), put(1), put({})];
  if (Array.isArray(value)) {
    const twice = [...value, ...value];
    return [
      ...others,
      put([]),
      put({}),
      put('x'),
      put(1),
      put(twice),
      put([...value, null]),
      put([...value, 'x']),
      put([...value, {}]),
    ];
  }
  if (typeof value !== 'object' || value === null) return [...others, put('x'), put(1), put({})];
  const of = value as Record<string, unknown>;
  return [
    ...others,
    put({}),
    put([]),
    put('x'),
    put(1),
    put({ ...of, unknownField: 1 }),
    put({ ...of, unknownField: { a: [{ b: 1 }] } }),
    put({ ...of, 'a.b/c': 'x' }),
    put(Object.fromEntries(Object.entries(of).map(([key, item]) => [key.toUpperCase(), item]))),
  ];
}
