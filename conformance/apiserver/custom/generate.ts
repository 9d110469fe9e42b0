import { parseSchema, validateCustomResource } from '@capstan/kube-schema';

/** A node of an OpenAPI v3 schema as a CustomResourceDefinition has it. */
export interface Node {
  readonly type?: string;
  readonly format?: string;
  readonly pattern?: string;
  readonly enum?: readonly unknown[];
  readonly properties?: Readonly<Record<string, Node>>;
  readonly additionalProperties?: Node | boolean;
  readonly items?: Node;
  readonly required?: readonly string[];
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: boolean;
  readonly exclusiveMaximum?: boolean;
  readonly multipleOf?: number;
  readonly [extension: `x-kubernetes-${string}`]: unknown;
}

export type Random = () => number;

/** The same numbers for the same text. */
export function randomOf(seed: string): Random {
  let state = 2_166_136_261;
  for (const char of seed) state = Math.imul(state ^ (char.codePointAt(0) ?? 0), 16_777_619) >>> 0;
  return () => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff;
    return state / 0x80000000;
  };
}

export function pick<T>(items: readonly T[], random: Random): T {
  return items[Math.floor(random() * items.length)] as T;
}

const DEPTH_MAX = 12;

/** How many of the fields that need not be there are there, from 0 to 1. */
export function sampleOf(node: Node, fill: number, random: Random, depth = 0): unknown {
  if (node.enum !== undefined && node.enum.length > 0) return pick(node.enum, random);
  if (node['x-kubernetes-int-or-string'] === true) return random() < 0.5 ? 5 : '50%';
  switch (node.type) {
    case 'string':
      return textOf(node);
    case 'integer':
    case 'number':
      return numberOf(node);
    case 'boolean':
      return random() < 0.5;
    case 'array':
      return listOf(node, fill, random, depth);
    case 'object':
      return objectOf(node, fill, random, depth);
    default:
      return { anything: [1, 'x', { deep: null }] };
  }
}

const TEXTS = [
  'abc',
  'a',
  'A',
  '1',
  'example.com',
  'https://example.com/x',
  '10.0.0.1',
  '10.0.0.0/8',
  '1Gi',
  '1h',
  '1h30m',
  '5m',
  'v1',
  '1.2.3',
  '/a/b',
  'Ready',
  'example.com/name',
  'sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef',
  'arn:aws:iam::123456789012:role/x',
  'YWJj',
  '2024-02-28T10:20:30Z',
  '2024-02-28',
  '123e4567-e89b-12d3-a456-426614174000',
  'a@example.com',
  'us-east-1a',
  '00:11:22:33:44:55',
  '1-2',
  '*',
  '',
];
const OF_FORMAT: Readonly<Record<string, string>> = {
  'date-time': '2024-02-28T10:20:30Z',
  date: '2024-02-28',
  duration: '5m',
  byte: 'YWJj',
  ipv4: '10.0.0.1',
  ipv6: '::1',
  uri: 'https://example.com/x',
  uuid: '123e4567-e89b-12d3-a456-426614174000',
  email: 'a@example.com',
  hostname: 'example.com',
  cidr: '10.0.0.0/8',
  mac: '00:11:22:33:44:55',
};

function textOf(node: Node): string {
  const { minLength = 0, maxLength = 1000 } = node;
  const schema = parseSchema({ ...node, type: 'string' } as never);
  const fits = (text: string): boolean =>
    validateCustomResource(schema, text as never).length === 0;
  const texts = [
    OF_FORMAT[node.format ?? ''] ?? 'abc',
    ...TEXTS,
    'x'.repeat(Math.min(minLength, 2000)),
  ];
  return texts.find(fits) ?? 'abc'.slice(0, maxLength);
}

function numberOf(node: Node): number {
  const step = node.multipleOf ?? 1;
  const { minimum, maximum } = node;
  if (minimum !== undefined) {
    const first = Math.ceil(minimum / step) * step;
    return node.exclusiveMinimum === true && first <= minimum ? first + step : first;
  }
  if (maximum === undefined || maximum > step) return step;
  const last = Math.floor(maximum / step) * step;
  return node.exclusiveMaximum === true && last >= maximum ? last - step : last;
}

function listOf(node: Node, fill: number, random: Random, depth: number): unknown[] {
  if (node.items === undefined || depth > DEPTH_MAX) return [];
  const wanted = Math.max(node.minItems ?? 0, fill > 0 ? 1 + Math.floor(random() * 2) : 0);
  const items: unknown[] = [];
  const seen = new Set<string>();
  for (
    let i = 0;
    i < wanted * 3 && items.length < Math.min(wanted, node.maxItems ?? wanted, 20);
    i++
  ) {
    const item = sampleOf(node.items, fill, random, depth + 1);
    const key = keyOf(node, item);
    if (key !== undefined && seen.has(key)) continue;
    seen.add(key ?? '');
    items.push(item);
  }
  return items;
}

/** What tells items apart. */
function keyOf(node: Node, item: unknown): string | undefined {
  const type = node['x-kubernetes-list-type'];
  if (type === 'set') return JSON.stringify(item);
  if (type !== 'map') return undefined;
  const keys = (node['x-kubernetes-list-map-keys'] ?? []) as readonly string[];
  const of = (item ?? {}) as Readonly<Record<string, unknown>>;
  return JSON.stringify(keys.map((key) => of[key]));
}

function objectOf(
  node: Node,
  fill: number,
  random: Random,
  depth: number,
): Record<string, unknown> {
  const made: Record<string, unknown> = {};
  const { properties = {}, additionalProperties } = node;
  for (const [name, property] of Object.entries(properties)) {
    const isRequired = node.required?.includes(name) === true;
    if (!isRequired && (depth > DEPTH_MAX || random() >= fill)) continue;
    made[name] = sampleOf(property, depth > DEPTH_MAX ? 0 : fill, random, depth + 1);
  }
  if (typeof additionalProperties === 'object' && fill > 0 && depth <= DEPTH_MAX) {
    made['key'] = sampleOf(additionalProperties, fill, random, depth + 1);
  }
  if (node['x-kubernetes-embedded-resource'] === true) {
    Object.assign(made, { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'inner' } });
  }
  if (node['x-kubernetes-preserve-unknown-fields'] === true && fill > 0) made['more'] = { a: [1] };
  return made;
}
