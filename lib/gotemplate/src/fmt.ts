import { FormatScan, formatSimply, isUnadorned, noFlags } from './format-scan.ts';
import { LimitError, PartCount } from './limits.ts';
import { sortedEntries } from './map.ts';
import { type FloatFormat, floatText, formatFloat, sharpFloat } from './number.ts';
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

const DEPTH_MAX = 10_000;
const PRINTED_MAX = 64 * 1024 * 1024;

function tooLong(): LimitError {
  return new LimitError(`print: result is longer than ${PRINTED_MAX} bytes`);
}

class Printer {
  out = '';
  #flags = noFlags();
  /** An error text is being printed: methods are not called then. */
  #erroring = false;
  readonly #parts = new PartCount();

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
      if (this.out.length > PRINTED_MAX) throw tooLong();
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
    if (depth > DEPTH_MAX) throw new GoError('value is nested too deeply to print');
    if (depth > 0) this.#parts.add();
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
    // fmt takes bytes apart before it looks at %w.
    const isBytes = depth === 0 && value instanceof Uint8Array;
    if (!isBytes && this.#verbW(verb, value)) return;
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
        this.out += depth > 0 ? '[]uint8{' : '[]byte{';
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
