import { sortedEntries } from './map.ts';
import { type FloatFormat, floatText, formatFloat } from './number.ts';
import { canBackquote, isPrintable, quote, quoteRune } from './quote.ts';
import { fromBytes, runeCount, runeText, toBytes } from './text.ts';
import {
  GoComplex,
  GoError,
  GoInt,
  GoKeyedMap,
  GoMap,
  GoNil,
  GoObject,
  GoPointer,
  GoScalar,
  GoStruct,
  type GoType,
  type GoValue,
  isIntKind,
  isUintKind,
  typeOf,
} from './value.ts';

/** Go's fmt.Sprintf: every verb and flag on every kind, with its texts for bad verbs and missing arguments. */
export function sprintf(format: string, args: readonly GoValue[]): string {
  const simple = formatSimply(format, args);
  if (simple !== undefined) return simple;
  const printer = new Printer();
  printer.printFormat(format, args);
  return printer.out;
}

/** fmt.Sprint: a space between operands when neither is a string. */
export function sprint(args: readonly GoValue[]): string {
  if (args.length === 1) return valueText(args[0]);
  let out = '';
  let previousString = true;
  for (const [index, arg] of args.entries()) {
    const isString = arg !== null && arg !== undefined && typeOf(arg).kind === 'string';
    if (index > 0 && !isString && !previousString) out += ' ';
    out += valueText(arg);
    previousString = isString;
  }
  return out;
}

/** fmt.Sprintln: always a space between operands, and a newline at the end. */
export function sprintln(args: readonly GoValue[]): string {
  return `${args.map(valueText).join(' ')}\n`;
}

/** What %v prints. */
export function valueText(value: GoValue): string {
  switch (typeof value) {
    case 'string':
      return value;
    case 'number':
      return floatText(value);
    case 'boolean':
      return value ? 'true' : 'false';
    default:
  }
  if (value instanceof GoInt && value.type.stringer === undefined) return String(value.value);
  const printer = new Printer();
  printer.printArg(value, 'v');
  return printer.out;
}

/** `%s`, `%d`, `%v` without flags on strings and plain integers: what nearly every chart does. */
function formatSimply(format: string, args: readonly GoValue[]): string | undefined {
  let out = '';
  let at = 0;
  let used = 0;
  for (;;) {
    const next = format.indexOf('%', at);
    if (next < 0) break;
    const verb = format[next + 1];
    const arg = args[used++];
    if (typeof arg === 'string' && (verb === 's' || verb === 'v')) {
      out += format.slice(at, next) + arg;
    } else if (arg instanceof GoInt && (verb === 'd' || verb === 'v') && !arg.type.stringer) {
      out += format.slice(at, next) + String(arg.value);
    } else return undefined;
    at = next + 2;
  }
  return used === args.length ? out + format.slice(at) : undefined;
}

interface Flags {
  width: number | undefined;
  precision: number | undefined;
  minus: boolean;
  plus: boolean;
  sharp: boolean;
  space: boolean;
  zero: boolean;
  plusV: boolean;
  sharpV: boolean;
}

/** No flag that changes how a plain integer is written. */
function isUnadorned({ width, precision, plus, sharp, space }: Flags): boolean {
  return width === undefined && precision === undefined && !plus && !sharp && !space;
}

function noFlags(): Flags {
  return {
    width: undefined,
    precision: undefined,
    minus: false,
    plus: false,
    sharp: false,
    space: false,
    zero: false,
    plusV: false,
    sharpV: false,
  };
}

const NUMBER_MAX = 1e6;

class Printer {
  out = '';
  #flags = noFlags();
  /** An error text is being printed: methods are not called then. */
  #erroring = false;

  // Format strings ------------------------------------------------------------------------------------------------

  printFormat(format: string, args: readonly GoValue[]): void {
    const scan = new FormatScan(format, args);
    for (;;) {
      this.out += scan.literal();
      if (scan.atEnd) break;
      this.#flags = noFlags();
      const verb = scan.directive(this.#flags, (text) => {
        this.out += text;
      });
      if (verb === undefined) {
        this.out += '%!(NOVERB)';
        break;
      }
      this.#verb(verb, scan, args);
    }
    if (!scan.reordered && scan.argument < args.length) this.#extra(args.slice(scan.argument));
  }

  #verb(verb: string, scan: FormatScan, args: readonly GoValue[]): void {
    if (verb === '%') {
      this.out += '%';
      return;
    }
    if (!scan.goodIndex) {
      this.out += `%!${verb}(BADINDEX)`;
      return;
    }
    if (scan.argument >= args.length) {
      this.out += `%!${verb}(MISSING)`;
      return;
    }
    const flags = this.#flags;
    if (verb === 'v' || verb === 'w') {
      flags.sharpV = flags.sharp;
      flags.sharp = false;
      flags.plusV = flags.plus;
      flags.plus = false;
    }
    this.printArg(args[scan.argument], verb);
    scan.argument++;
  }

  #extra(args: readonly GoValue[]): void {
    this.#flags = noFlags();
    this.out += '%!(EXTRA ';
    for (const [index, arg] of args.entries()) {
      if (index > 0) this.out += ', ';
      if (arg === null || arg === undefined) this.out += '<nil>';
      else {
        this.out += `${typeOf(arg).text}=`;
        this.printArg(arg, 'v');
      }
    }
    this.out += ')';
  }

  // Values --------------------------------------------------------------------------------------------------------

  printArg(arg: GoValue, verb: string): void {
    if (arg === null || arg === undefined) {
      if (verb === 'T' || verb === 'v') this.#pad('<nil>');
      else this.#badVerb(verb, arg);
      return;
    }
    if (verb === 'T') {
      this.#string(typeOf(arg).text, 's', arg);
      return;
    }
    if (verb === 'p') {
      this.#pointer(arg, 'p');
      return;
    }
    this.#print(arg, verb, 0);
  }

  #print(value: GoValue, verb: string, depth: number): void {
    if (depth > 10_000) throw new GoError('value is nested too deeply to print');
    switch (typeof value) {
      case 'string':
        this.#verbW(verb, value) || this.#string(value, verb, value);
        return;
      case 'number':
        this.#verbW(verb, value) || this.#float(value, 64, verb, value);
        return;
      case 'boolean':
        this.#verbW(verb, value) || this.#bool(value, verb, value);
        return;
      case 'bigint':
        this.#verbW(verb, value) || this.#integer(value, true, verb, value);
        return;
      default:
    }
    if (value === null || value === undefined) {
      // Inside a container nil is an interface{}, which every verb prints alike.
      this.out += this.#flags.sharpV ? 'interface {}(nil)' : '<nil>';
      return;
    }
    if (this.#method(value, verb)) return;
    if (this.#verbW(verb, value)) return;
    if (value instanceof GoObject) this.#object(value, verb, depth);
    else if (value instanceof Uint8Array) this.#bytes(value, verb, depth);
    else if (Array.isArray(value)) this.#list(value, typeOf(value), verb, depth);
    else this.#map(value, typeOf(value), verb, depth);
  }

  #verbW(verb: string, value: GoValue): boolean {
    if (verb !== 'w' || this.#erroring) return false;
    this.#badVerb(verb, value);
    return true;
  }

  /** The String or Error method of the value, where the verb takes a string. */
  #method(value: GoValue, verb: string): boolean {
    const stringer = typeOf(value).stringer;
    if (stringer === undefined || this.#erroring || this.#flags.sharpV) return false;
    if (!'vsxXq'.includes(verb)) return false;
    this.#string(stringer(value), verb, value);
    return true;
  }

  #object(value: GoObject, verb: string, depth: number): void {
    if (value instanceof GoInt) {
      this.#integer(value.value, !isUintKind(value.type.kind), verb, value);
    } else if (value instanceof GoScalar) this.#scalar(value, verb);
    else if (value instanceof GoComplex) this.#complex(value, verb);
    else if (value instanceof GoMap || value instanceof GoKeyedMap) {
      this.#map(value, value.type, verb, depth);
    } else if (value instanceof GoStruct) this.#struct(value, verb, depth);
    else if (value instanceof GoNil) this.#nil(value, verb, depth);
    else if (value instanceof GoPointer) this.#pointed(value, verb, depth);
    else this.#pointer(value, verb);
  }

  #scalar({ value, type }: GoScalar, verb: string): void {
    const scalar = new GoScalar(type, value);
    if (typeof value === 'string') this.#string(value, verb, scalar);
    else if (typeof value === 'number') {
      this.#float(value, type.kind === 'float32' ? 32 : 64, verb, scalar);
    } else this.#bool(value, verb, scalar);
  }

  #nil(value: GoNil, verb: string, depth: number): void {
    const { kind, text } = value.type;
    if (kind === 'slice' || kind === 'map') {
      if (kind === 'slice' && value.type.elem?.kind === 'uint8' && 'sqxX'.includes(verb)) {
        this.#bytes(new Uint8Array(), verb, depth);
      } else if (this.#flags.sharpV) this.out += `${text}(nil)`;
      else this.out += kind === 'map' ? 'map[]' : '[]';
    } else this.#pointer(value, verb);
  }

  #pointed(value: GoPointer, verb: string, depth: number): void {
    const kind = typeOf(value.elem).kind;
    const shown = kind === 'array' || kind === 'slice' || kind === 'struct' || kind === 'map';
    if (depth > 0 || !shown) {
      this.#pointer(value, verb);
      return;
    }
    this.out += '&';
    this.#print(value.elem, verb, depth + 1);
  }

  #list(items: readonly GoValue[], type: GoType, verb: string, depth: number): void {
    if (type.elem?.kind === 'uint8' && 'sqxX'.includes(verb)) {
      this.#bytes(Uint8Array.from(items, byteOf), verb, depth);
      return;
    }
    const sharp = this.#flags.sharpV;
    this.out += sharp ? `${type.text}{` : '[';
    for (let i = 0; i < items.length; i++) {
      if (i > 0) this.out += sharp ? ', ' : ' ';
      this.#print(items[i], verb, depth + 1);
    }
    this.out += sharp ? '}' : ']';
  }

  #map(value: GoValue, type: GoType, verb: string, depth: number): void {
    const sharp = this.#flags.sharpV;
    this.out += sharp ? `${type.text}{` : 'map[';
    let first = true;
    for (const [key, item] of sortedEntries(value)) {
      if (!first) this.out += sharp ? ', ' : ' ';
      first = false;
      this.#print(key, verb, depth + 1);
      this.out += ':';
      this.#print(item, verb, depth + 1);
    }
    this.out += sharp ? '}' : ']';
  }

  #struct(value: GoStruct, verb: string, depth: number): void {
    const { sharpV, plusV } = this.#flags;
    if (sharpV) this.out += value.type.text;
    this.out += '{';
    for (const [index, field] of (value.type.fields ?? []).entries()) {
      if (index > 0) this.out += sharpV ? ', ' : ' ';
      if (plusV || sharpV) this.out += `${field.name}:`;
      const item = value.values[field.name];
      if (sharpV && (item === null || item === undefined)) this.out += `${field.type.text}(nil)`;
      else this.#print(item, verb, depth + 1);
    }
    this.out += '}';
  }

  #badVerb(verb: string, value: GoValue): void {
    this.#erroring = true;
    this.out += `%!${verb}(`;
    if (value === null || value === undefined) this.out += '<nil>';
    else {
      this.out += `${typeOf(value).text}=`;
      this.#print(value, 'v', 0);
    }
    this.out += ')';
    this.#erroring = false;
  }

  // Kinds ---------------------------------------------------------------------------------------------------------

  #bool(value: boolean, verb: string, original: GoValue): void {
    if (verb === 't' || verb === 'v') this.#pad(value ? 'true' : 'false');
    else this.#badVerb(verb, original);
  }

  #string(value: string, verb: string, original: GoValue): void {
    switch (verb) {
      case 'v':
        if (this.#flags.sharpV) this.#quoted(value);
        else this.#pad(this.#truncated(value));
        return;
      case 's':
        this.#pad(this.#truncated(value));
        return;
      case 'x':
      case 'X':
        this.#hexBytes(toBytes(value), verb);
        return;
      case 'q':
        this.#quoted(value);
        return;
      default:
        this.#badVerb(verb, original);
    }
  }

  #truncated(value: string): string {
    const { precision } = this.#flags;
    if (precision === undefined || value.length <= precision) return value;
    return [...value].slice(0, precision).join('');
  }

  #quoted(value: string): void {
    const text = this.#truncated(value);
    if (this.#flags.sharp && canBackquote(text)) this.#pad(`\`${text}\``);
    else this.#pad(quote(text, this.#flags.plus));
  }

  #hexBytes(bytes: Uint8Array, verb: string): void {
    const { precision, space, sharp } = this.#flags;
    const shown = precision === undefined ? bytes : bytes.subarray(0, precision);
    const prefix = sharp ? (verb === 'x' ? '0x' : '0X') : '';
    const pairs = Array.from(shown, (byte) => byte.toString(16).padStart(2, '0'));
    const digits = verb === 'x' ? pairs : pairs.map((pair) => pair.toUpperCase());
    const text = space ? digits.map((pair) => prefix + pair).join(' ') : prefix + digits.join('');
    this.#pad(pairs.length === 0 ? '' : text);
  }

  #bytes(bytes: Uint8Array, verb: string, depth: number): void {
    switch (verb) {
      case 'v':
      case 'd': {
        if (!this.#flags.sharpV) {
          if (!isUnadorned(this.#flags)) break;
          this.out += `[${bytes.join(' ')}]`;
          return;
        }
        this.out += '[]byte{';
        for (const [index, byte] of bytes.entries()) {
          if (index > 0) this.out += ', ';
          this.#sharpHex(byte);
        }
        this.out += '}';
        return;
      }
      case 's':
        this.#pad(this.#truncated(fromBytes(bytes)));
        return;
      case 'x':
      case 'X':
        this.#hexBytes(bytes, verb);
        return;
      case 'q':
        this.#quoted(fromBytes(bytes));
        return;
      default:
    }
    const items = Array.from(bytes, (byte) => new GoInt(BYTE, byte));
    this.#list(items, BYTE_LIST, verb, depth);
  }

  #integer(value: number | bigint, signed: boolean, verb: string, original: GoValue): void {
    switch (verb) {
      case 'v':
        if (this.#flags.sharpV && !signed) this.#sharpHex(value);
        else this.#radix(value, 10, verb);
        return;
      case 'd':
        this.#radix(value, 10, verb);
        return;
      case 'b':
        this.#radix(value, 2, verb);
        return;
      case 'o':
      case 'O':
        this.#radix(value, 8, verb);
        return;
      case 'x':
      case 'X':
        this.#radix(value, 16, verb);
        return;
      case 'c':
        this.#pad(runeText(runeOf(value)));
        return;
      case 'q':
        this.#pad(quoteRune(runeOf(value), this.#flags.plus));
        return;
      case 'U':
        this.#unicode(value);
        return;
      default:
        this.#badVerb(verb, original);
    }
  }

  #sharpHex(value: number | bigint): void {
    const { sharp } = this.#flags;
    this.#flags.sharp = true;
    this.#radix(value, 16, 'v');
    this.#flags.sharp = sharp;
  }

  #radix(value: number | bigint, base: number, verb: string): void {
    const flags = this.#flags;
    const negative = value < 0;
    let digits = (negative ? -value : value).toString(base);
    if (verb === 'X') digits = digits.toUpperCase();
    let least = 0;
    if (flags.precision !== undefined) {
      least = flags.precision;
      if (least === 0 && (value === 0 || value === 0n)) {
        this.out += ' '.repeat(flags.width ?? 0);
        return;
      }
    } else if (flags.zero && !flags.minus && flags.width !== undefined) {
      least = flags.width - (negative || flags.plus || flags.space ? 1 : 0);
    }
    digits = digits.padStart(least, '0');
    if (flags.sharp) {
      if (base === 2) digits = `0b${digits}`;
      else if (base === 8 && !digits.startsWith('0')) digits = `0${digits}`;
      else if (base === 16) digits = (verb === 'X' ? '0X' : '0x') + digits;
    }
    if (verb === 'O') digits = `0o${digits}`;
    const sign = negative ? '-' : flags.plus ? '+' : flags.space ? ' ' : '';
    this.#padWith(sign + digits, ' ');
  }

  #unicode(value: number | bigint): void {
    const { precision, sharp } = this.#flags;
    const unsigned = value < 0 ? BigInt.asUintN(64, BigInt(value)) : value;
    const digits = unsigned
      .toString(16)
      .toUpperCase()
      .padStart(Math.max(precision ?? 4, 4), '0');
    const shown = sharp && unsigned <= 0x10ffff && isPrintable(Number(unsigned));
    this.#padWith(`U+${digits}${shown ? ` '${runeText(Number(unsigned))}'` : ''}`, ' ');
  }

  #float(value: number, bits: 32 | 64, verb: string, original: GoValue): void {
    switch (verb) {
      case 'v':
        this.#floatAs(value, bits, 'g', -1, verb);
        return;
      case 'b':
      case 'g':
      case 'G':
      case 'x':
      case 'X':
        this.#floatAs(value, bits, verb, -1, verb);
        return;
      case 'f':
      case 'e':
      case 'E':
        this.#floatAs(value, bits, verb, 6, verb);
        return;
      case 'F':
        this.#floatAs(value, bits, 'f', 6, 'f');
        return;
      default:
        this.#badVerb(verb, original);
    }
  }

  #floatAs(value: number, bits: 32 | 64, format: FloatFormat, base: number, verb: string): void {
    const flags = this.#flags;
    const precision = flags.precision ?? base;
    const text = formatFloat(value, format, precision, bits);
    let sign = text.startsWith('-') ? '-' : '+';
    let body = /^[+-]/.test(text) ? text.slice(1) : text;
    if (flags.space && sign === '+' && !flags.plus) sign = ' ';
    if (!Number.isFinite(value)) {
      if (body === 'NaN' && !flags.space && !flags.plus) sign = '';
      else if (sign === '+' && !flags.plus && body !== 'NaN') sign = '+';
      this.#padWith(sign + body, ' ');
      return;
    }
    if (flags.sharp && format !== 'b') {
      body = sharpFloat(body, verb === 'v' ? 'g' : format, precision);
    }
    if (!flags.plus && sign === '+') {
      this.#pad(body);
      return;
    }
    if (flags.zero && !flags.minus && (flags.width ?? 0) > body.length + 1) {
      this.out += sign + body.padStart((flags.width ?? 0) - 1, '0');
      return;
    }
    this.#pad(sign + body);
  }

  #complex(value: GoComplex, verb: string): void {
    if (!'vbgGxXfFeE'.includes(verb)) {
      this.#badVerb(verb, value);
      return;
    }
    const bits = value.type.kind === 'complex64' ? 32 : 64;
    const { plus } = this.#flags;
    this.out += '(';
    this.#float(value.real, bits, verb, value);
    this.#flags.plus = true;
    this.#float(value.imaginary, bits, verb, value);
    this.out += 'i)';
    this.#flags.plus = plus;
  }

  /**
   * An address. JavaScript has none: a pointer that is not nil prints a fixed one, so that the same input gives the same
   * output.
   */
  #pointer(value: GoValue, verb: string): void {
    const { kind, text } = typeOf(value);
    if (!['chan', 'func', 'map', 'ptr', 'slice'].includes(kind)) {
      this.#badVerb(verb, value);
      return;
    }
    const address = value instanceof GoNil ? 0 : FIXED_ADDRESS;
    switch (verb) {
      case 'v':
        if (this.#flags.sharpV) {
          this.out += `(${text})(${address === 0 ? 'nil' : `0x${address.toString(16)}`})`;
        } else if (address === 0) this.#pad('<nil>');
        else this.#address(address);
        return;
      case 'p':
        this.#address(address);
        return;
      case 'b':
      case 'o':
      case 'd':
      case 'x':
      case 'X':
        this.#integer(address, false, verb, value);
        return;
      default:
        this.#badVerb(verb, value);
    }
  }

  #address(address: number): void {
    const { sharp } = this.#flags;
    this.#flags.sharp = !sharp;
    this.#radix(address, 16, 'v');
    this.#flags.sharp = sharp;
  }

  // Padding -------------------------------------------------------------------------------------------------------

  #pad(text: string): void {
    this.#padWith(text, this.#flags.zero && !this.#flags.minus ? '0' : ' ');
  }

  #padWith(text: string, fill: string): void {
    const { width, minus } = this.#flags;
    const missing = (width ?? 0) - (width === undefined ? 0 : runeCount(text));
    if (missing <= 0) this.out += text;
    else this.out += minus ? text + fill.repeat(missing) : fill.repeat(missing) + text;
  }
}

const BYTE: GoType = { kind: 'uint8', text: 'uint8' };
const BYTE_LIST: GoType = { kind: 'slice', text: '[]uint8', elem: BYTE };
const FIXED_ADDRESS = 0xc000010000;

function byteOf(value: GoValue): number {
  return value instanceof GoInt ? Number(value.value) : 0;
}

function runeOf(value: number | bigint): number {
  return value < 0 || value > 0x10ffff ? 0xfffd : Number(value);
}

/** The sharp flag forces a decimal point and keeps trailing zeros. */
function sharpFloat(body: string, format: string, precision: number): string {
  const isHex = format === 'x' || format === 'X';
  let digits = 0;
  if (format === 'g' || format === 'G' || format === 'x') digits = precision === -1 ? 6 : precision;
  const cut = body.search(isHex ? /[pP]/ : /[eE]/);
  let head = cut < 0 ? body : body.slice(0, cut);
  const tail = cut < 0 ? '' : body.slice(cut);
  let significant = false;
  for (const char of head) {
    if (char === '.') continue;
    if (char !== '0') significant = true;
    if (significant) digits--;
  }
  if (!head.includes('.')) {
    if (head === '0') digits--;
    head += '.';
  }
  return head + '0'.repeat(Math.max(digits, 0)) + tail;
}

/** Reads a format string: literal text and directives, with argument numbers. */
class FormatScan {
  argument = 0;
  reordered = false;
  goodIndex = true;
  readonly #format: string;
  readonly #args: readonly GoValue[];
  #at = 0;
  #afterIndex = false;

  constructor(format: string, args: readonly GoValue[]) {
    this.#format = format;
    this.#args = args;
  }

  get atEnd(): boolean {
    return this.#at >= this.#format.length;
  }

  literal(): string {
    const next = this.#format.indexOf('%', this.#at);
    const end = next < 0 ? this.#format.length : next;
    const text = this.#format.slice(this.#at, end);
    this.#at = end;
    return text;
  }

  /** Reads a directive from its percent sign on into the flags, and returns the verb. */
  directive(flags: Flags, report: (text: string) => void): string | undefined {
    this.goodIndex = true;
    this.#at++;
    this.#readFlags(flags);
    this.#readIndex();
    this.#readWidth(flags, report);
    this.#readPrecision(flags, report);
    if (!this.#afterIndex) this.#readIndex();
    this.#afterIndex = false;
    if (this.atEnd) return undefined;
    const verb = String.fromCodePoint(this.#format.codePointAt(this.#at) ?? 0);
    this.#at += verb.length;
    return /[\ud800-\udfff]/.test(verb) && verb.length === 1 ? '\ufffd' : verb;
  }

  #readFlags(flags: Flags): void {
    for (; ; this.#at++) {
      switch (this.#format[this.#at]) {
        case '#':
          flags.sharp = true;
          break;
        case '0':
          flags.zero = true;
          break;
        case '+':
          flags.plus = true;
          break;
        case '-':
          flags.minus = true;
          break;
        case ' ':
          flags.space = true;
          break;
        default:
          return;
      }
    }
  }

  #readIndex(): void {
    this.#afterIndex = false;
    if (this.#format[this.#at] !== '[') return;
    this.reordered = true;
    const close = this.#format.indexOf(']', this.#at);
    // Go looks for an index only where three characters are left.
    if (close < 0 || this.#format.length - this.#at < 3) {
      this.goodIndex = false;
      this.#at++;
      return;
    }
    const text = this.#format.slice(this.#at + 1, close);
    const index = /^\d+$/.test(text) ? Number(text) : -1;
    this.#at = close + 1;
    const parses = index >= 0 && index <= NUMBER_MAX * 10;
    if (parses && index >= 1 && index <= this.#args.length) this.argument = index - 1;
    else this.goodIndex = false;
    this.#afterIndex = parses;
  }

  #readWidth(flags: Flags, report: (text: string) => void): void {
    if (this.#format[this.#at] === '*') {
      this.#at++;
      const width = this.#integerArgument();
      if (width === undefined) report('%!(BADWIDTH)');
      else if (width < 0) {
        flags.width = -width;
        flags.minus = true;
        flags.zero = false;
      } else flags.width = width;
      this.#afterIndex = false;
      return;
    }
    flags.width = this.#number();
    if (this.#afterIndex && flags.width !== undefined) this.goodIndex = false;
  }

  #readPrecision(flags: Flags, report: (text: string) => void): void {
    if (this.#format[this.#at] !== '.' || this.#at + 1 >= this.#format.length) return;
    this.#at++;
    if (this.#afterIndex) this.goodIndex = false;
    this.#readIndex();
    if (this.#format[this.#at] === '*') {
      this.#at++;
      const precision = this.#integerArgument();
      if (precision === undefined || precision < 0) report('%!(BADPREC)');
      else flags.precision = precision;
      this.#afterIndex = false;
      return;
    }
    flags.precision = this.#number() ?? 0;
  }

  #number(): number | undefined {
    let value: number | undefined;
    for (; this.#at < this.#format.length; this.#at++) {
      const digit = this.#format.charCodeAt(this.#at) - 48;
      if (!(digit >= 0 && digit <= 9)) break;
      if (value !== undefined && value > NUMBER_MAX) {
        // Go gives up on a crazy number, and with it on the rest of the format.
        this.#at = this.#format.length;
        return undefined;
      }
      value = (value ?? 0) * 10 + digit;
    }
    return value;
  }

  #integerArgument(): number | undefined {
    if (this.argument >= this.#args.length) return undefined;
    const arg = this.#args[this.argument++];
    let value: number | undefined;
    if (typeof arg === 'bigint') value = Number(arg);
    else if (arg instanceof GoInt && (isIntKind(arg.type.kind) || isUintKind(arg.type.kind))) {
      value = Number(arg.value);
    }
    return value === undefined || Math.abs(value) > NUMBER_MAX ? undefined : value;
  }
}
