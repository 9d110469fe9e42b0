import type { TokenKind } from './lexer.ts';
import type { NumberNode } from './nodes.ts';
import { parseFloatText, parseInteger } from './number.ts';
import { quote, unquoteRune } from './quote.ts';
import { GoError } from './value.ts';

/** Reads a number literal under every kind that can hold it, as Go's ideal constants. Throws GoError. */
export function numberNode(position: number, text: string, kind: TokenKind): NumberNode {
  const base = { kind: 'number', position, text } as const;
  if (kind === 'charConstant') {
    const rune = unquoteRune(text);
    return { ...base, int: BigInt(rune), uint: BigInt(rune), float: rune };
  }
  if (kind === 'complex') return { ...base, ...complexLiteral(text) };
  if (text.endsWith('i')) {
    const imaginary = parseFloatText(text.slice(0, -1));
    if (imaginary.error === undefined) return { ...base, ...simplified(0, imaginary.value) };
  }
  const found = plainNumber(text);
  if (found.int === undefined && found.uint === undefined && found.float === undefined) {
    throw new GoError(`illegal number syntax: ${quote(text)}`);
  }
  return { ...base, ...found };
}

type Held = Pick<NumberNode, 'int' | 'uint' | 'float'>;

function plainNumber(text: string): Held {
  const unsigned = parseInteger(text, 0, true);
  const signed = parseInteger(text, 0);
  const int = signed.error === undefined ? signed.value : undefined;
  let uint = unsigned.error === undefined ? unsigned.value : undefined;
  if (int === 0n) uint = 0n;
  const whole = int ?? uint;
  if (whole !== undefined) {
    return {
      ...(int === undefined ? {} : { int }),
      ...(uint === undefined ? {} : { uint }),
      float: Number(whole),
    };
  }
  const float = parseFloatText(text);
  if (float.error !== undefined) return {};
  if (!/[.eEpP]/.test(text)) throw new GoError(`integer overflow: ${quote(text)}`);
  return { float: float.value, ...wholeParts(float.value) };
}

function wholeParts(value: number): Held {
  if (!Number.isInteger(value)) return {};
  return {
    ...(Math.abs(value) < 2 ** 63 ? { int: BigInt(value) } : {}),
    ...(value >= 0 && value < 2 ** 64 ? { uint: BigInt(value) } : {}),
  };
}

function simplified(
  real: number,
  imaginary: number,
): Omit<NumberNode, 'kind' | 'position' | 'text'> {
  const complex = { real, imaginary };
  return imaginary === 0 ? { complex, float: real, ...wholeParts(real) } : { complex };
}

function complexLiteral(text: string): Omit<NumberNode, 'kind' | 'position' | 'text'> {
  // The sign between the parts is the last one that does not belong to an exponent.
  const parts = /^(.*[^eEpP])([+-].*)i$/.exec(text);
  const real = parseFloatText(parts?.[1] ?? '');
  const imaginary = parseFloatText(parts?.[2] ?? '');
  if (real.error !== undefined || imaginary.error !== undefined) {
    throw new GoError(`syntax error scanning complex number`);
  }
  return simplified(real.value, imaginary.value);
}
