import {
  BRACE_CLOSE,
  BRACE_OPEN,
  BRACKET_CLOSE,
  BRACKET_OPEN,
  BYTE_ORDER_MARK,
  COLON,
  COMMA,
  DASH,
  DOT,
  HASH,
  isBlank,
  isBlankOrEnd,
  isBreak,
  LF,
  QUESTION,
  SPACE,
  TAB,
} from './chars.ts';

/** What a text allows an emitter to do with it; flags of `analyzeScalar`. */
export const MULTILINE = 1;
export const FLOW_PLAIN = 2;
export const BLOCK_PLAIN = 4;
export const SINGLE_QUOTED = 8;
export const BLOCK_SCALAR = 16;

const ANYTHING = FLOW_PLAIN | BLOCK_PLAIN | SINGLE_QUOTED | BLOCK_SCALAR;

/**
 * How libyaml's emitter may write `text`, as a sum of the flags above. v2 escapes tabs, v3 allows them in block scalars.
 */
export function analyzeScalar(text: string, tabsAreSpecial: boolean): number {
  if (text === '') return BLOCK_PLAIN | SINGLE_QUOTED;
  return isSimple(text) ? ANYTHING : analyzeFully(text, tabsAreSpecial);
}

/** The common case: letters, digits and signs that mean nothing to YAML wherever they stand. */
function isSimple(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if ((c >= 0x61 && c <= 0x7a) || (c >= 0x41 && c <= 0x5a) || (c >= 0x2f && c <= 0x39)) continue;
    if (i > 0 && (c === DASH || c === DOT || c === 0x5f || c === 0x3d)) continue;
    return false;
  }
  return true;
}

function analyzeFully(text: string, tabsAreSpecial: boolean): number {
  const { length } = text;
  let blockIndicators = startsLikeDocument(text);
  let flowIndicators = blockIndicators;
  let multiline = false;
  let special = false;
  let tabs = false;
  let breakSpace = false;
  let spaceBreak = false;
  let afterSpace = false;
  let afterBreak = false;
  let afterWhite = true;
  for (let i = 0; i < length; i++) {
    const c = text.charCodeAt(i);
    switch (indicatorAt(text, c, i, afterWhite)) {
      case 2:
        blockIndicators = true;
        flowIndicators = true;
        break;
      case 1:
        flowIndicators = true;
    }
    if (c === TAB && !tabsAreSpecial) tabs = true;
    else if (!isPrintable(c)) special = true;
    if (c === SPACE) {
      if (afterBreak) breakSpace = true;
      afterSpace = true;
      afterBreak = false;
    } else if (isBreak(c)) {
      multiline = true;
      if (afterSpace) spaceBreak = true;
      afterSpace = false;
      afterBreak = true;
    } else {
      afterSpace = false;
      afterBreak = false;
    }
    afterWhite = isBlankOrEnd(c);
  }
  const first = text.charCodeAt(0);
  const last = text.charCodeAt(length - 1);
  const edge = first === SPACE || last === SPACE || isBreak(first) || isBreak(last);
  const unquotable = breakSpace || spaceBreak || tabs || special;
  let flags = multiline ? MULTILINE : 0;
  const plain = !edge && !unquotable && !multiline;
  if (plain && !flowIndicators) flags |= FLOW_PLAIN;
  if (plain && !blockIndicators) flags |= BLOCK_PLAIN;
  if (!unquotable) flags |= SINGLE_QUOTED;
  if (last !== SPACE && !spaceBreak && !special) flags |= BLOCK_SCALAR;
  return flags;
}

function startsLikeDocument(text: string): boolean {
  const c = text.charCodeAt(0);
  if (c !== DASH && c !== DOT) return false;
  return text.charCodeAt(1) === c && text.charCodeAt(2) === c;
}

/** 2: an indicator in every context; 1: in flow context only; 0: none. */
function indicatorAt(text: string, c: number, at: number, afterWhite: boolean): 0 | 1 | 2 {
  switch (c) {
    case HASH:
      return afterWhite ? 2 : 0;
    case COMMA:
    case BRACKET_OPEN:
    case BRACKET_CLOSE:
    case BRACE_OPEN:
    case BRACE_CLOSE:
      return at === 0 ? 2 : 1;
    case COLON:
      return beforeWhite(text, at) ? 2 : 1;
    case QUESTION:
      return at === 0 && beforeWhite(text, at) ? 2 : 1;
    case DASH:
      return at === 0 && beforeWhite(text, at) ? 2 : 0;
    case 0x26: // &
    case 0x2a: // *
    case 0x21: // !
    case 0x7c: // |
    case 0x3e: // >
    case 0x27: // '
    case 0x22: // "
    case 0x25: // %
    case 0x40: // @
    case 0x60: // `
      return at === 0 ? 2 : 0;
    default:
      return 0;
  }
}

function beforeWhite(text: string, at: number): boolean {
  return at + 1 >= text.length || isBlank(text.charCodeAt(at + 1));
}

/** What libyaml writes as it is. A surrogate is half of a character beyond U+FFFF, all of which it escapes. */
export function isPrintable(c: number): boolean {
  if (c < 0x7f) return c >= 0x20 || c === LF;
  if (c < 0xa0) return false;
  return c < 0xd800 || (c >= 0xe000 && c !== BYTE_ORDER_MARK && c < 0xfffe);
}
