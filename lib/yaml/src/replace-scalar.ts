import { CapstanError } from '@capstan/lib-std';
import { analyzeScalar, FLOW_PLAIN, SINGLE_QUOTED } from './analyze-scalar.ts';
import { breakWidth, isBlank, isBlankOrEnd, isBreak } from './chars.ts';
import { YamlErrorCode } from './errors.ts';
import { Style, type YamlNode } from './node.ts';
import { parseDocuments } from './parse.ts';
import { isOldBoolean, resolveTag } from './resolve.ts';
import { escapeText } from './write-scalar.ts';

/** Keys of mappings and indexes of sequences from the root of a document to a node. */
export type NodePath = readonly (string | number)[];

export interface ReplaceOptions {
  /** Which document of the stream, counted from 0, which is the default. */
  readonly document?: number;
}

/**
 * Replaces the scalar at `path` by the string `value` and leaves every other character of `text` as it is: comments, order,
 * quotes, line breaks. The scalar keeps its quotes where they can hold the new value; a plain one is quoted when the
 * value would not stay a string. Throws `YAML_VALUE` when there is no scalar on one line at the path.
 */
export function replaceScalar(
  text: string,
  path: NodePath,
  value: string,
  options: ReplaceOptions = {},
): string {
  const document = parseDocuments(text)[options.document ?? 0];
  const root = document?.content[0];
  const node = root === undefined ? undefined : findNode(root, path);
  if (node?.kind !== 'scalar') {
    throw problem(
      path,
      node === undefined
        ? 'is not there'
        : `is ${node.kind === 'alias' ? 'an' : 'a'} ${node.kind}, not a scalar`,
    );
  }
  const start = skipProperties(text, offsetOf(text, node));
  const end = endOfScalar(text, start, node);
  if (end < 0) throw problem(path, 'does not stand on one line');
  // An absent value begins right after its colon or dash.
  const gap = start === end && start > 0 && !isBlankOrEnd(text.charCodeAt(start - 1)) ? ' ' : '';
  return text.slice(0, start) + gap + spell(value, node) + text.slice(end);
}

/** The node at `path` below `node`, aliases not followed; nothing when there is none. */
export function findNode(node: YamlNode, path: NodePath): YamlNode | undefined {
  let found: YamlNode | undefined = node;
  for (const step of path) {
    if (found === undefined) return undefined;
    const { kind, content }: YamlNode = found;
    if (kind === 'sequence' && typeof step === 'number') found = content[step];
    else if (kind === 'mapping') {
      const at = content.findIndex((key, i) => i % 2 === 0 && key.value === String(step));
      found = at < 0 ? undefined : content[at + 1];
    } else return undefined;
  }
  return found;
}

function problem(path: NodePath, reason: string): CapstanError {
  return new CapstanError(YamlErrorCode.value, `cannot replace ${path.join('.')}: it ${reason}`, {
    hint: 'name a scalar that is written on one line',
  });
}

/** The index of a node's first character; its column counts code points. */
function offsetOf(text: string, node: YamlNode): number {
  let at = 0;
  for (let line = 1; line < node.line; at++) {
    if (!isBreak(text.charCodeAt(at))) continue;
    at += breakWidth(text, at) - 1;
    line++;
  }
  // A byte order mark at the start takes no column.
  if (node.line === 1 && text.charCodeAt(0) === 0xfeff) at++;
  for (let column = 1; column < node.column; column++) at += text.codePointAt(at)! > 0xffff ? 2 : 1;
  return at;
}

/** Passes an anchor and a tag, which stand before the text of a node but belong to it. */
function skipProperties(text: string, start: number): number {
  let at = start;
  while (text[at] === '&' || text[at] === '!') {
    while (at < text.length && !isBlankOrEnd(text.charCodeAt(at))) at++;
    while (isBlank(text.charCodeAt(at))) at++;
  }
  return at;
}

/** The index after a scalar that stands on one line, or -1. */
function endOfScalar(text: string, start: number, node: YamlNode): number {
  const { style, value } = node;
  if ((style & (Style.literal | Style.folded)) !== 0) return -1;
  const quote = (style & Style.single) !== 0 ? "'" : (style & Style.double) !== 0 ? '"' : '';
  if (quote === '') return text.startsWith(value, start) ? start + value.length : -1;
  for (let at = start + 1; at < text.length && !isBreak(text.charCodeAt(at)); at++) {
    if (quote === '"' && text[at] === '\\') at++;
    else if (text[at] === quote) {
      if (quote === '"' || text[at + 1] !== "'") return at + 1;
      at++;
    }
  }
  return -1;
}

function spell(value: string, node: YamlNode): string {
  const flags = analyzeScalar(value, false);
  const double = (node.style & Style.double) !== 0;
  const single = (node.style & Style.single) !== 0;
  // Plain text that is safe in flow context is safe everywhere, so that the context need not be known.
  const staysString = resolveTag(value) === '!!str' && !isOldBoolean(value);
  if (!double && !single && staysString && (flags & FLOW_PLAIN) !== 0) return value;
  if (!double && (flags & SINGLE_QUOTED) !== 0 && !isBreakInside(value)) {
    if (single || staysString) return `'${value.replaceAll("'", "''")}'`;
  }
  return `"${escapeText(value)}"`;
}

function isBreakInside(value: string): boolean {
  for (let i = 0; i < value.length; i++) if (isBreak(value.charCodeAt(i))) return true;
  return false;
}
