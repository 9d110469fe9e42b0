/** One change to an object, which may or may not make it invalid. */
export interface Mutation {
  /** `spec.ports[0].port = -1` */
  readonly title: string;
  readonly object: Record<string, unknown>;
  /** The same change as a JSON patch, for an object that is there already. */
  readonly patch: readonly Record<string, unknown>[];
}

type Path = readonly (string | number)[];

const LONG = 'x'.repeat(300);
const TEXTS = ['', 'Bad_Value!', ' space', LONG, '-a.b', 'a/b/c', '300.1.2.3'];
const NUMBERS = [-1, 0, 1, 70_000, 3_000_000_000];
const owner = { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'o', uid: 'u', controller: true };
/** What every kind has, and the samples have not. */
const METADATA: readonly (readonly [string, unknown])[] = [
  ['annotations', { 'Bad Key!': 'v', 'UPPER/ok': 'v' }],
  ['finalizers', ['plain']],
  ['finalizers', ['example.com/well', 'Bad Name!/x', 'orphan', 'foregroundDeletion']],
  ['ownerReferences', [{ apiVersion: '', kind: '', name: '', uid: '' }]],
  ['ownerReferences', [owner, { ...owner, name: 'p' }]],
  ['ownerReferences', [{ ...owner, apiVersion: 'v1', kind: 'Event' }]],
];
const METADATA_DONE: ReadonlySet<string> = new Set(['apiVersion', 'kind']);

/** What the server's own decoder would refuse is left out: of a text only other texts, of a number other numbers. */
export function mutationsOf(object: Readonly<Record<string, unknown>>): Mutation[] {
  const made: Mutation[] = [];
  const add = (path: Path, how: string, ...values: unknown[]) =>
    made.push({
      title: `${showPath(path)} ${how}`,
      object: changed(object, path, (parent, key) =>
        values.length === 0 ? remove(parent, key) : put(parent, key, values[0]),
      ),
      patch: [
        {
          op: values.length === 0 ? 'remove' : typeof path.at(-1) === 'number' ? 'replace' : 'add',
          path: path.map((key) => `/${String(key).replaceAll('/', '~1')}`).join(''),
          ...(values.length === 0 ? {} : { value: values[0] }),
        },
      ],
    });
  walk(object, [], (path, value) => {
    if (path.length === 0 || METADATA_DONE.has(String(path[0]))) return;
    if (path[0] === 'metadata' && path.length > 1 && path[1] !== 'labels') return;
    add(path, 'removed');
    for (const other of othersThan(value)) {
      add(path, `= ${short(other)}`, other);
    }
    if (Array.isArray(value) && value.length > 0) {
      add(path, 'first item twice', [...value, value[0]]);
    }
  });
  for (const [key, value] of METADATA) add(['metadata', key], `= ${short(value)}`, value);
  return made;
}

function othersThan(value: unknown): unknown[] {
  if (typeof value === 'string') {
    const swapped = value.toLowerCase() === value ? value.toUpperCase() : value.toLowerCase();
    const numbers = /^\d/.test(value) ? ['-1', '0', '1.5', '3000G'] : [];
    return [...TEXTS, swapped, ...numbers].filter((text) => text !== value);
  }
  if (typeof value === 'number') return NUMBERS.filter((number) => number !== value);
  if (typeof value === 'boolean') return [!value];
  if (Array.isArray(value)) return value.length === 0 ? [] : [[]];
  if (typeof value !== 'object' || value === null) return [];
  const keys = Object.keys(value);
  const texts = keys.length > 0 && Object.values(value).every((item) => typeof item === 'string');
  return [
    ...(keys.length === 0 ? [] : [{}]),
    ...(texts
      ? [
          { ...value, 'Bad Key!': 'v' },
          { ...value, key: 'bad value!' },
        ]
      : []),
  ];
}

type Container = Record<string | number, unknown>;

function remove(parent: Container, key: string | number): void {
  if (Array.isArray(parent)) parent.splice(Number(key), 1);
  else delete parent[key];
}

function put(parent: Container, key: string | number, value: unknown): void {
  parent[key] = value;
}

function changed(
  object: Readonly<Record<string, unknown>>,
  path: Path,
  change: (parent: Container, key: string | number) => void,
): Record<string, unknown> {
  const copy = structuredClone(object) as Record<string, unknown>;
  let parent: Container = copy;
  for (const key of path.slice(0, -1)) parent = parent[key] as Container;
  change(parent, path.at(-1) ?? '');
  return copy;
}

function walk(value: unknown, path: Path, visit: (path: Path, value: unknown) => void): void {
  visit(path, value);
  if (Array.isArray(value)) {
    for (const [i, item] of value.entries()) walk(item, [...path, i], visit);
  } else if (typeof value === 'object' && value !== null) {
    for (const [key, item] of Object.entries(value)) walk(item, [...path, key], visit);
  }
}

function showPath(path: Path): string {
  return path
    .map((key, i) => (typeof key === 'number' ? `[${key}]` : i === 0 ? key : `.${key}`))
    .join('');
}

function short(value: unknown): string {
  const text = JSON.stringify(value);
  return text.length > 40 ? `${text.slice(0, 40)}…` : text;
}
