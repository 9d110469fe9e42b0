/** What the scanner hands to the parser: libyaml's token kinds, as numbers so that a switch is a jump table. */
export const STREAM_START = 1;
export const STREAM_END = 2;
export const VERSION_DIRECTIVE = 3;
export const TAG_DIRECTIVE = 4;
export const DOCUMENT_START = 5;
export const DOCUMENT_END = 6;
export const BLOCK_SEQUENCE_START = 7;
export const BLOCK_MAPPING_START = 8;
export const BLOCK_END = 9;
export const FLOW_SEQUENCE_START = 10;
export const FLOW_SEQUENCE_END = 11;
export const FLOW_MAPPING_START = 12;
export const FLOW_MAPPING_END = 13;
export const BLOCK_ENTRY = 14;
export const FLOW_ENTRY = 15;
export const KEY = 16;
export const VALUE = 17;
export const ALIAS = 18;
export const ANCHOR = 19;
export const TAG = 20;
export const SCALAR = 21;

/** A place in the text: code unit index, and zero-based line and column (in code points). */
export interface Mark {
  readonly index: number;
  readonly line: number;
  readonly column: number;
}

export interface Token {
  readonly type: number;
  readonly index: number;
  readonly line: number;
  readonly column: number;
  /** Column just after the token, where the parser puts an empty node. */
  readonly endColumn: number;
  /** Scalar text, anchor or alias name, tag handle, directive handle. */
  readonly value: string;
  /** Tag suffix, or the prefix of a tag directive. */
  readonly suffix: string;
  /** A `Style` flag for scalars; `major * 100 + minor` for a version directive. */
  readonly style: number;
}

/** A token; written out, since it is made for every few characters of text. */
export function createToken(
  type: number,
  start: Mark,
  endColumn: number,
  value = '',
  suffix = '',
  style = 0,
): Token {
  const { index, line, column } = start;
  return { type, index, line, column, endColumn, value, suffix, style };
}

/**
 * A comment between its scan and its attachment to a node. `anchorIndex` is where a token must start, or start after, to
 * collect it; the other marks decide which block a comment between two blocks belongs to.
 */
export interface Comment {
  scanIndex: number;
  anchorIndex: number;
  start: Mark;
  endIndex: number;
  head: string;
  line: string;
  foot: string;
}
