import type { JsonObject, KubeObject } from '@capstan/kube-object';
import { stringifyJson } from './json.ts';

const SIZE_MAX = 32_000_000;

/**
 * The encodings of objects that go to many readers: all watchers of a change see one text, and a list that is read again is
 * put together from texts. Objects never change, so that an encoding holds as long as its object lives. Bounded: when
 * `sizeMax` (characters or bytes) are kept those used since then replace those before, so at most twice as much is held.
 */
export class KeptEncodings<Encoding extends { readonly length: number }> {
  #recent = new WeakMap<object, Encoding>();
  #former = new WeakMap<object, Encoding>();
  #size = 0;
  readonly #sizeMax: number;

  constructor(sizeMax = SIZE_MAX) {
    this.#sizeMax = sizeMax;
  }

  get(object: JsonObject, encode: (object: JsonObject) => Encoding): Encoding {
    const kept = this.#recent.get(object);
    if (kept !== undefined) return kept;
    const encoding = this.#former.get(object) ?? encode(object);
    if (this.#size + encoding.length > this.#sizeMax) {
      this.#former = this.#recent;
      this.#recent = new WeakMap();
      this.#size = 0;
    }
    this.#recent.set(object, encoding);
    this.#size += encoding.length;
    return encoding;
  }
}

/** The JSON of objects. */
export class ObjectTexts {
  readonly #texts: KeptEncodings<string>;

  constructor(charsMax = SIZE_MAX) {
    this.#texts = new KeptEncodings(charsMax);
  }

  textOf(object: JsonObject): string {
    return this.#texts.get(object, stringifyJson);
  }

  /** Without apiVersion and kind, as the items of typed lists are written. */
  untypedTextOf(object: KubeObject): string {
    const text = this.textOf(object);
    const head = `{"apiVersion":${JSON.stringify(object.apiVersion)},"kind":${JSON.stringify(object.kind)},`;
    if (text.startsWith(head)) return `{${text.slice(head.length)}`;
    return stringifyJson(withoutType(object));
  }
}

/** One change of an object, as a watch tells it. */
interface Change {
  readonly type: string;
  readonly object: JsonObject;
}

export function plainLine(texts: ObjectTexts, { type, object }: Change): string {
  return `{"type":"${type}","object":${texts.textOf(object)}}\n`;
}

/** The bytes of changes: thousands of watchers of one change are sent the same ones. */
export class EventLines {
  readonly #texts: ObjectTexts;
  readonly #lines = new Map<string, KeptEncodings<Uint8Array>>();

  constructor(texts: ObjectTexts) {
    this.#texts = texts;
  }

  lineOf({ type, object }: Change): Uint8Array {
    let lines = this.#lines.get(type);
    if (lines === undefined) {
      lines = new KeptEncodings(LINE_BYTES_MAX);
      this.#lines.set(type, lines);
    }
    return lines.get(object, () => Buffer.from(plainLine(this.#texts, { type, object })));
  }
}

/** For so long as it takes to send a change to all who watch. */
const LINE_BYTES_MAX = 1_000_000;

export function withoutType(object: KubeObject): JsonObject {
  const { apiVersion: _a, kind: _k, ...rest } = object;
  return rest;
}
