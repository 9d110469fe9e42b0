import {
  applyJsonPatch,
  createJsonMergePatch,
  jsonMergePatch,
  PatchError,
  strategicMergePatch,
  threeWayJsonPatch,
  threeWayStrategicPatch,
  twoWayStrategicPatch,
} from '@capstan/kube-merge';
import type { Json, JsonObject } from '@capstan/kube-object';
import { normalizeBuiltIn, type Schema } from '@capstan/kube-schema';
import type { Answer, Oracle, PatchOperation, Question } from './oracle.ts';
import { Random } from './random.ts';
import { mutate, randomJson, randomObject } from './random-object.ts';
import { canonical } from './sessions.ts';
import type { Subject } from './subjects.ts';

type PatchQuestion = Question & { readonly op: PatchOperation };

/** One question of each kind of patch. */
export function randomPatches(
  seed: number,
  subjects: readonly Subject[],
): readonly { readonly question: PatchQuestion; readonly schema: Schema }[] {
  const random = new Random(seed);
  const { schema: kind, focus } = random.pick(subjects.filter(({ schema }) => schema.builtIn));
  const { schema } = kind;
  const normal = (object: JsonObject): JsonObject => normalizeBuiltIn(schema, object);
  const original = normal(randomObject(random, schema, focus));
  const modified = normal(mutate(random, schema, original, focus));
  const current = normal(mutate(random, schema, original, focus));
  const change = randomObject(random, schema, focus);
  const json = randomMap(random);
  const ask = (question: Omit<PatchQuestion, 'group' | 'version' | 'kind'>) => ({
    question: { ...kind.kind, ...question } as PatchQuestion,
    schema,
  });
  return [
    ask({ op: 'twoway', original, modified }),
    ask({ op: 'threeway', original, modified, current }),
    ask({ op: 'strategic', original, patch: direct(random, change) }),
    ask({ op: 'strategic', original: current, patch: safePatch(schema, original, modified) }),
    ask({ op: 'jsonmerge', original: json, patch: randomMap(random) }),
    ask({ op: 'createjsonmerge', original: json, modified: mix(random, json) }),
    ask({
      op: 'threewayjson',
      original: json,
      modified: mix(random, json),
      current: mix(random, json),
    }),
    ask({ op: 'jsonpatch', original: json, patch: randomOperations(random, json) }),
  ];
}

function safePatch(schema: Schema, original: JsonObject, modified: JsonObject): JsonObject {
  try {
    return twoWayStrategicPatch(schema, original, modified);
  } catch {
    return {};
  }
}

/** Puts directives, nulls and nonsense into a patch. */
function direct(random: Random, value: Json): Json {
  if (Array.isArray(value)) {
    const list: Json[] = (value as readonly Json[]).map((item) => direct(random, item));
    if (random.chance(0.1))
      list.push({ $patch: random.pick(['replace', 'delete', 'merge', 'odd']), name: 'a' });
    return list;
  }
  if (typeof value !== 'object' || value === null) return random.chance(0.05) ? null : value;
  const out: Record<string, Json> = {};
  for (const [key, item] of Object.entries(value as JsonObject)) {
    if (item === undefined) continue;
    out[key] = direct(random, item);
    if (Array.isArray(item) && random.chance(0.15)) addListDirective(random, out, key, item);
  }
  if (random.chance(0.04)) out['$patch'] = random.pick(['replace', 'delete', 'merge']);
  if (random.chance(0.04))
    out['$retainKeys'] = Object.keys(out).filter((key) => !key.startsWith('$'));
  if (random.chance(0.01)) out['unknown'] = { a: 1 };
  return out;
}

function addListDirective(
  random: Random,
  out: Record<string, Json>,
  key: string,
  list: readonly Json[],
): void {
  const scalars = list.every((item) => typeof item !== 'object');
  if (scalars && random.chance(0.5)) {
    // Not what the patch adds: Go walks the patch in random order.
    const gone = ['a', 'b', 'c', 'd'].filter((item) => !list.includes(item));
    if (gone.length > 0) out[`$deleteFromPrimitiveList/${key}`] = [random.pick(gone)];
    return;
  }
  out[`$setElementOrder/${key}`] = scalars
    ? [...list, 'd']
    : list.map((item) =>
        typeof item === 'object' && item !== null ? onlyKeys(item as JsonObject) : item,
      );
}

function onlyKeys(item: JsonObject): JsonObject {
  const kept = ['name', 'port', 'containerPort', 'mountPath', 'ip', 'uid', 'type', 'topologyKey'];
  return Object.fromEntries(Object.entries(item).filter(([key]) => kept.includes(key)));
}

function randomMap(random: Random): JsonObject {
  return Object.fromEntries(
    ['a', 'b', 'c', 'd', 'e/f', 'g~h']
      .filter(() => random.chance(0.7))
      .map((key) => [key, randomJson(random, 3)]),
  );
}

function mix(random: Random, object: JsonObject): JsonObject {
  const other = randomMap(random);
  return Object.fromEntries(
    Object.entries({ ...other, ...object })
      .filter(() => random.chance(0.8))
      .map(([key, value]) => [key, random.chance(0.4) ? (other[key] ?? value) : value]),
  ) as JsonObject;
}

function randomOperations(random: Random, document: JsonObject): Json {
  const operations = ['add', 'remove', 'replace', 'move', 'copy', 'test', 'odd'];
  return Array.from({ length: 1 + random.below(4) }, () => {
    const op = random.chance(0.97) ? random.pick(operations.slice(0, 6)) : 'odd';
    const operation: Record<string, Json> = { op, path: randomPointer(random, document) };
    if (op === 'move' || op === 'copy') operation['from'] = randomPointer(random, document);
    else if (random.chance(0.95))
      operation['value'] = op === 'test' && random.chance(0.6) ? 'a' : randomJson(random, 2);
    if (random.chance(0.02)) delete operation['path'];
    return operation;
  });
}

function randomPointer(random: Random, document: Json): string {
  let pointer = '';
  let current: Json = document;
  while (random.chance(pointer === '' ? 1 : 0.6)) {
    const keys: string[] = Array.isArray(current)
      ? ['0', '1', '-', '-1', '7', 'x']
      : typeof current === 'object' && current !== null
        ? [...Object.keys(current), 'z']
        : [];
    if (keys.length === 0) break;
    const key = random.pick(keys);
    pointer += `/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`;
    const next: Json | undefined = (current as JsonObject)[key];
    current = next ?? null;
  }
  return pointer;
}

function answerPatch({ op, ...q }: PatchQuestion, schema: Schema): Answer {
  const { original = {}, modified = {}, current = {}, patch = {} } = q;
  const run = (): Json => {
    switch (op) {
      case 'strategic':
        return strategicMergePatch(schema, original as JsonObject, patch as JsonObject);
      case 'twoway':
        return twoWayStrategicPatch(schema, original as JsonObject, modified as JsonObject);
      case 'threeway':
        return threeWayStrategicPatch(schema, {
          original: original as JsonObject,
          modified: modified as JsonObject,
          current: current as JsonObject,
        });
      case 'jsonmerge':
        return jsonMergePatch(original, patch);
      case 'createjsonmerge':
        return createJsonMergePatch(original as JsonObject, modified as JsonObject);
      case 'threewayjson':
        return threeWayJsonPatch({
          original: original as JsonObject,
          modified: modified as JsonObject,
          current: current as JsonObject,
        });
      case 'jsonpatch':
        return applyJsonPatch(original, patch);
      default:
        return op satisfies never;
    }
  };
  try {
    return { result: run() };
  } catch (error) {
    if (error instanceof PatchError) return { error: error.message };
    throw error;
  }
}

/** How our answer differs from the oracle's; undefined if it does not, or if the oracle gives ours at other times. */
export async function judgePatch(
  oracle: Oracle,
  question: PatchQuestion,
  schema: Schema,
): Promise<string | undefined> {
  const ours = answerPatch(question, schema);
  const first = patchDifference(question.op, ours, await oracle.ask(question));
  if (first === undefined || !isStrategic(question.op)) return first;
  // Go walks a patch in random order, and directives that meet may come out either way.
  for (let i = 0; i < 30; i++) {
    const again = await oracle.ask(question);
    if (patchDifference(question.op, ours, again) === undefined) return undefined;
  }
  return first;
}

function isStrategic(op: PatchOperation): boolean {
  return op === 'strategic' || op === 'twoway' || op === 'threeway';
}

/**
 * Go walks maps in random order: of several mistakes in one strategic merge patch the libraries name any. Such answers agree
 * in being errors; the text is compared where only one mistake is possible.
 */
function patchDifference(op: PatchOperation, ours: Answer, theirs: Answer): string | undefined {
  if (isStrategic(op) && ours.error !== undefined && theirs.error !== undefined) return undefined;
  if (theirs.panic !== undefined) return undefined;
  if (ours.error !== undefined || theirs.error !== undefined)
    return ours.error === theirs.error
      ? undefined
      : `error\n  ours   ${ours.error}\n  theirs ${theirs.error}`;
  const [a, b] = [canonical(ours.result ?? null), canonical(theirs.result ?? null)];
  return a === b ? undefined : `result\n  ours   ${a}\n  theirs ${b}`;
}
