import type { HelmRelease, ValuesReference } from '@capstan/flux-api';
import { isNotFound, type KubeClient } from '@capstan/kube-client';
import { parseValues, setValues, type Values } from '@capstan/kube-helm';
import type { KubeObject } from '@capstan/kube-object';
import { CapstanError, messageOf } from '@capstan/lib-std';

const KEY_DEFAULT = 'values.yaml';

/**
 * The values of a release: those referred to, one over the other, then `spec.values` over all, as Flux's chartutil merges
 * them. What a target path sets inside of `spec.values` stays set. Throws VALUES with the original's text.
 */
export async function composeValues(
  { spec, metadata }: HelmRelease,
  client: KubeClient,
  options: { readonly signal: AbortSignal },
): Promise<Values> {
  const { namespace = '' } = metadata;
  const own = structuredClone(spec.values ?? {}) as Values;
  const held = new Map<string, KubeObject | undefined>();
  let result: Values = {};
  for (const ref of spec.valuesFrom ?? []) {
    const text = await readReference(ref, { namespace, held, client, ...options });
    if (text === undefined) continue;
    try {
      if (ref.targetPath) {
        result = mergeMaps(result, own);
        setAtPath(result, ref.targetPath, { text, isLiteral: ref.literal === true });
      } else result = mergeMaps(result, readValues(text));
    } catch (error) {
      throw referenceError(ref, namespace, messageOf(error), error);
    }
  }
  return mergeMaps(result, own);
}

/** The first document alone, and failures, as chartutil reads values: not as a chart's own file is read. */
function readValues(text: string): Values {
  const [head = '', next = ''] = text.split(/^---[ \t]*(?:\r?\n|$)/m);
  const isBlank = head.split('\n').every((line) => /^\s*(#|$)/.test(line));
  try {
    return parseValues(isBlank ? next : head);
  } catch (error) {
    const message = messageOf(error)
      .replace(/^cannot unmarshal yaml document: /, '')
      .replace('Go value of type map[string]interface {}', 'Go value of type common.Values');
    throw new CapstanError('VALUES', message, { kind: 'retry', cause: error });
  }
}

interface ReadContext {
  readonly namespace: string;
  readonly held: Map<string, KubeObject | undefined>;
  readonly client: KubeClient;
  readonly signal: AbortSignal;
}

async function readReference(
  ref: ValuesReference,
  { namespace, held, client, signal }: ReadContext,
): Promise<string | undefined> {
  const { kind, name } = ref;
  if (kind !== 'ConfigMap' && kind !== 'Secret') {
    throw referenceError(ref, namespace, 'unsupported values reference kind');
  }
  const id = `${kind}/${name}`;
  const isKnown = held.has(id);
  if (!isKnown) held.set(id, await findObject(client, { kind, namespace, name }, signal));
  const object = held.get(id);
  if (object === undefined) {
    if (ref.optional === true) return undefined;
    const resource = kind === 'Secret' ? 'secrets' : 'configmaps';
    // What an optional reference has missed before is told without the server's words.
    const problem = isKnown ? 'resource not found' : `${resource} "${name}" not found`;
    throw referenceError(ref, namespace, problem);
  }
  const data: unknown = object['data'];
  const key = ref.valuesKey || KEY_DEFAULT;
  const value: unknown =
    typeof data === 'object' && data !== null && Object.hasOwn(data, key)
      ? Reflect.get(data, key)
      : undefined;
  if (typeof value === 'string') {
    return kind === 'Secret' ? Buffer.from(value, 'base64').toString('utf8') : value;
  }
  if (ref.optional === true) return undefined;
  throw referenceError(ref, namespace, 'key not found');
}

async function findObject(
  client: KubeClient,
  ref: { readonly kind: string; readonly namespace: string; readonly name: string },
  signal: AbortSignal,
): Promise<KubeObject | undefined> {
  try {
    return await client.find({ apiVersion: 'v1', ...ref }, { signal });
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}

function referenceError(
  ref: ValuesReference,
  namespace: string,
  problem: string,
  cause?: unknown,
): CapstanError {
  const optional = ref.optional === true ? ' optional' : '';
  return new CapstanError(
    'VALUES',
    `could not resolve${optional} ${ref.kind} chart values reference '${namespace}/${ref.name}' with key '${ref.valuesKey || KEY_DEFAULT}': ${problem}`,
    { cause, kind: 'retry' },
  );
}

/** A copy of `a` with `b` over it. Tables that only one of them has are shared, not copied. */
function mergeMaps(a: Values, b: Values): Values {
  const out: Values = { ...a };
  for (const [key, value] of Object.entries(b)) {
    const known = out[key];
    const both = isTable(known) && isTable(value);
    out[key] = both ? mergeMaps(known, value) : value;
  }
  return out;
}

function isTable(value: unknown): value is Values {
  if (typeof value !== 'object' || value === null) return false;
  return Object.getPrototypeOf(value) === Object.prototype;
}

/** In the language of `helm --set`; a quoted text stays one, a literal one is taken as it is. */
function setAtPath(
  values: Values,
  path: string,
  { text, isLiteral }: { readonly text: string; readonly isLiteral: boolean },
): void {
  if (isLiteral) {
    setValues(values, `${path}=${text.replace(/[\\,[\]{}]/g, '\\$&')}`, 'string');
    return;
  }
  const isQuoted = [`'`, `"`].some((quote) => text.startsWith(quote) && text.endsWith(quote));
  if (!isQuoted) setValues(values, `${path}=${text}`, 'typed');
  else setValues(values, `${path}=${text.replace(/^['"]+|['"]+$/g, '')}`, 'string');
}
