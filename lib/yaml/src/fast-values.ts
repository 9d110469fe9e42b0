import { isDigit } from './chars.ts';
import type { NumberMode, YamlObject, YamlValue } from './decode.ts';
import { FastReader, FULL_SCAN } from './fast-reader.ts';
import { resolvePlain, startsAsString } from './resolve.ts';

/** Slots of the table in which keys are found again, so that an object's shape is made from one string per name. */
const KEY_SLOTS = 256;

/** Reads the first document into values as sigs.k8s.io/yaml does; what is rare goes to the scanner by `FULL_SCAN`. */
export class FastValues extends FastReader<YamlValue, string, YamlObject, YamlValue[]> {
  private readonly numbers: NumberMode;
  private readonly strict: boolean;
  private readonly keys: string[] = new Array(KEY_SLOTS).fill('');

  constructor(text: string, numbers: NumberMode, strict: boolean) {
    super(text, { skipsComments: true });
    this.numbers = numbers;
    this.strict = strict;
  }

  read(): YamlValue {
    if (this.text.startsWith('---\n')) {
      this.pos = 4;
      this.lineStart = 4;
    }
    return this.readRoot();
  }

  protected startMapping(): YamlObject {
    return {};
  }

  protected startSequence(): YamlValue[] {
    return [];
  }

  protected addEntry(mapping: YamlObject, key: string, value: YamlValue): void {
    if (this.strict && Object.hasOwn(mapping, key)) throw FULL_SCAN;
    mapping[key] = value;
  }

  protected addItem(sequence: YamlValue[], item: YamlValue): void {
    sequence.push(item);
  }

  protected plainKey(from: number, to: number): string {
    const { text } = this;
    const first = text.charCodeAt(from);
    const slot = (first * 31 + text.charCodeAt(to - 1) * 7 + (to - from) * 13) & (KEY_SLOTS - 1);
    const known = this.keys[slot]!;
    if (known.length === to - from && text.startsWith(known, from)) return known;
    const key = text.slice(from, to);
    if (!startsAsString(first) && resolvePlain(key, 'v2').tag !== '!!str') throw FULL_SCAN;
    if (key === '<<' || key === '__proto__') throw FULL_SCAN;
    this.keys[slot] = key;
    return key;
  }

  protected quotedKey(_index: number, value: string): string {
    if (value === '__proto__') throw FULL_SCAN;
    return value;
  }

  protected plain(from: number, to: number): YamlValue {
    const { text } = this;
    const first = text.charCodeAt(from);
    if (startsAsString(first)) return text.slice(from, to);
    if (isDigit(first) && to - from <= 15 && (first !== 0x30 || to - from === 1)) {
      const small = smallInteger(text, from, to);
      if (small >= 0) return this.numbers === 'kinds' ? BigInt(small) : small;
    }
    const resolved = resolvePlain(text.slice(from, to), 'v2');
    const { tag, value } = resolved;
    if (typeof value === 'number') {
      if (!Number.isFinite(value)) throw FULL_SCAN;
      return this.numbers === 'kinds' && tag === '!!int' ? BigInt(value) : value;
    }
    return typeof value === 'bigint' && this.numbers === 'float64' ? Number(value) : value;
  }

  protected quoted(_index: number, value: string): YamlValue {
    return value;
  }

  protected blockText(_index: number, _line: number, value: string): YamlValue {
    return value;
  }

  protected empty(): YamlValue {
    return null;
  }
}

/** The decimal number from `from` to `to`, or -1 when there is anything but digits. */
function smallInteger(text: string, from: number, to: number): number {
  let value = 0;
  for (let at = from; at < to; at++) {
    const c = text.charCodeAt(at);
    if (!isDigit(c)) return -1;
    value = value * 10 + (c - 0x30);
  }
  return value;
}
