import { GoInt, type GoValue, isIntKind, isUintKind } from './value.ts';

/** The flags, width and precision of one directive. */
export interface Flags {
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
export function isUnadorned({ width, precision, plus, sharp, space }: Flags): boolean {
  return width === undefined && precision === undefined && !plus && !sharp && !space;
}

export function noFlags(): Flags {
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

/** Reads a format string: literal text and directives, with argument numbers. */
export class FormatScan {
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

/** `%s`, `%d`, `%v` without flags on strings and plain integers: what nearly every chart does. */
export function formatSimply(format: string, args: readonly GoValue[]): string | undefined {
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
