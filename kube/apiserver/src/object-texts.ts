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

/** The bytes of changes that come together: thousands of watchers of them are sent the same ones. */
export class EventLines {
  readonly #texts: ObjectTexts;
  #changes: readonly Change[] = [];
  #bytes: Uint8Array = new Uint8Array(0);

  constructor(texts: ObjectTexts) {
    this.#texts = texts;
  }

  /** The last ones are kept: who watches the same sees the same, one after the other. */
  linesOf(changes: readonly Change[]): Uint8Array {
    if (isSame(changes, this.#changes)) return this.#bytes;
    const bytes = Buffer.from(changes.map((one) => plainLine(this.#texts, one)).join(''));
    if (bytes.length <= KEPT_BYTES_MAX) {
      this.#changes = changes;
      this.#bytes = bytes;
    }
    return bytes;
  }
}

const KEPT_BYTES_MAX = 1_000_000;

function isSame(some: readonly Change[], others: readonly Change[]): boolean {
  return (
    some.length === others.length &&
    some.every(({ type, object }, i) => type === others[i]?.type && object === others[i]?.object)
  );
}

export function withoutType(object: KubeObject): JsonObject {
  const { apiVersion: _a, kind: _k, ...rest } = object;
  return rest;
}
