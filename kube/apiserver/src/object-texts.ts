import type { JsonObject, KubeObject } from '@capstan/kube-object';
import { stringifyJson } from './json.ts';

const CHARS_MAX = 32_000_000;

/**
 * The JSON of objects that go to many readers: all watchers of a change see one text, and a list that is read again is put
 * together from texts. Objects never change, so that a text holds as long as its object lives. Bounded: when `charsMax`
 * are kept the texts used since then replace those before, so at most twice as much is held.
 */
export class ObjectTexts {
  #recent = new WeakMap<object, string>();
  #former = new WeakMap<object, string>();
  #chars = 0;
  readonly #charsMax: number;

  constructor(charsMax = CHARS_MAX) {
    this.#charsMax = charsMax;
  }

  textOf(object: JsonObject): string {
    const kept = this.#recent.get(object);
    if (kept !== undefined) return kept;
    const text = this.#former.get(object) ?? stringifyJson(object);
    if (this.#chars + text.length > this.#charsMax) {
      this.#former = this.#recent;
      this.#recent = new WeakMap();
      this.#chars = 0;
    }
    this.#recent.set(object, text);
    this.#chars += text.length;
    return text;
  }

  /** Without apiVersion and kind, as the items of typed lists are written. */
  untypedTextOf(object: KubeObject): string {
    const text = this.textOf(object);
    const head = `{"apiVersion":${JSON.stringify(object.apiVersion)},"kind":${JSON.stringify(object.kind)},`;
    if (text.startsWith(head)) return `{${text.slice(head.length)}`;
    return stringifyJson(withoutType(object));
  }
}

export function withoutType(object: KubeObject): JsonObject {
  const { apiVersion: _a, kind: _k, ...rest } = object;
  return rest;
}
