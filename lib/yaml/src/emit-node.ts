import {
  analyzeScalar,
  BLOCK_PLAIN,
  BLOCK_SCALAR,
  FLOW_PLAIN,
  MULTILINE,
  SINGLE_QUOTED,
} from './analyze-scalar.ts';
import { isBlank, isBlankOrEnd, isBreak, LF, SPACE } from './chars.ts';
import { YamlErrorCode, yamlError } from './errors.ts';
import { Style, type YamlNode } from './node.ts';
import { byteLength, collectionTag, scalarTag, tagLength, tagText } from './tag-text.ts';
import { chompingHint, escapeText } from './write-scalar.ts';

export interface EmitOptions {
  /** Columns per level, 2 to 9; others mean 2. Default 2, as kyaml sets it. */
  readonly indent?: number;
  /** Whether a sequence inside a mapping starts in the column of its key. Default true, as kyaml sets it. */
  readonly compactSequences?: boolean;
}

/** One document as go.yaml.in/yaml/v3's Encoder writes it, with a final line break and without `---`. */
export function emitDocument(node: YamlNode, options: EmitOptions = {}): string {
  return emitDocuments([node], options);
}

/** Documents as one Encoder writes them, one after the other, with `---` between them. */
export function emitDocuments(nodes: readonly YamlNode[], options: EmitOptions = {}): string {
  const emitter = new Emitter(options);
  for (const node of nodes) emitter.document(node);
  return emitter.out;
}

const NO_SCALAR = 0;

/**
 * Writes a node tree. Comments wait in five registers until the place where they may be written comes by; a register that
 * is still full when another node fills it again is lost, as in the original.
 */
class Emitter {
  out = '';
  private readonly bestIndent: number;
  private readonly compact: boolean;
  private first = true;
  private indent = -1;
  private column = 0;
  private flowLevel = 0;
  /** Whether the last character written was white space. */
  private whitespace = true;
  /** Whether the line holds nothing but indentation and `-`, `?`, `:` so far. */
  private indention = true;
  private footIndent = -1;
  private head = '';
  private line = '';
  private foot = '';
  private tail = '';
  private keyLine = '';

  constructor(options: EmitOptions) {
    const indent = options.indent ?? 2;
    this.bestIndent = indent < 2 || indent > 9 ? 2 : indent;
    this.compact = options.compactSequences ?? true;
  }

  document(node: YamlNode): void {
    const isDocument = node.kind === 'document';
    if (isDocument && node.headComment !== '') this.head = node.headComment;
    if (!this.first) {
      this.writeIndent();
      this.writeIndicator('---', true, false, false);
      this.writeIndent();
    }
    this.first = false;
    if (this.head !== '') {
      this.processHead();
      this.putBreak();
    }
    const roots = isDocument ? node.content : [node];
    for (const root of roots) {
      this.begin(root, '');
      this.processHead();
      this.startNode(root, false, false);
      this.processLine();
      this.processFoot();
      this.body(root, false, false);
    }
    if (isDocument && node.footComment !== '') this.foot = node.footComment;
    this.footIndent = 0;
    this.processFoot();
    this.footIndent = -1;
    this.writeIndent();
  }

  /** Fills the registers from what a node carries at its start. */
  private begin(node: YamlNode, tail: string): void {
    if (node.headComment !== '') this.head = node.headComment;
    if (node.kind === 'scalar' || node.kind === 'alias') {
      if (node.lineComment !== '') this.line = node.lineComment;
      if (node.footComment !== '') this.foot = node.footComment;
    }
    if (tail !== '' && (node.kind === 'scalar' || node.kind === 'mapping')) this.tail = tail;
  }

  /** Fills the registers from what a collection carries at its end. */
  private end(node: YamlNode, tail: string): void {
    if (tail !== '') this.tail = tail;
    if (node.lineComment !== '') this.line = node.lineComment;
    if (node.footComment !== '') this.foot = node.footComment;
  }

  /** A scalar or alias whole; of a collection its anchor and tag. */
  private startNode(node: YamlNode, simpleKey: boolean, inSequence: boolean): void {
    switch (node.kind) {
      case 'scalar':
        this.scalar(node, simpleKey, inSequence);
        return;
      case 'alias':
        this.writeIndicator('*', true, false, false);
        this.writeAnchor(node.value, 'alias');
        return;
      case 'mapping':
      case 'sequence':
        this.anchor(node);
        this.tag(collectionTag(node));
        return;
      case 'document':
        throw yamlError('cannot encode node with unknown kind 1', YamlErrorCode.value);
      default:
        node.kind satisfies never;
    }
  }

  /** The inside of a collection; nothing for other nodes. */
  private body(node: YamlNode, inMapping: boolean, inSequence: boolean): void {
    if (node.kind === 'sequence') {
      if (this.isFlow(node)) this.flowSequence(node, inSequence);
      else this.blockSequence(node, inMapping, inSequence);
    } else if (node.kind === 'mapping') {
      if (this.isFlow(node)) this.flowMapping(node, inSequence);
      else this.blockMapping(node, inSequence);
    }
  }

  private isFlow(node: YamlNode): boolean {
    return this.flowLevel > 0 || (node.style & Style.flow) !== 0 || isEmpty(node);
  }

  private blockSequence(node: YamlNode, inMapping: boolean, inSequence: boolean): void {
    const compact = inMapping && (this.column === 0 || !this.indention) && this.compact;
    const saved = this.indent;
    this.indent = this.deeper(false, inSequence, compact);
    for (const item of node.content) {
      this.begin(item, '');
      this.processHead();
      this.writeIndent();
      this.writeIndicator('-', true, false, true);
      this.startNode(item, false, true);
      this.processLine();
      this.processFoot();
      this.body(item, false, true);
    }
    this.end(node, '');
    this.indent = saved;
  }

  private blockMapping(node: YamlNode, inSequence: boolean): void {
    const { content } = node;
    const saved = this.indent;
    this.indent = this.deeper(false, inSequence, false);
    let tail = '';
    for (let i = 0; i + 1 < content.length; i += 2) {
      const { key, foot } = splitFoot(content[i]!);
      this.begin(key, tail);
      tail = foot;
      this.processHead();
      this.writeIndent();
      if (this.line !== '') {
        this.keyLine = this.line;
        this.line = '';
      }
      const simple = this.isSimpleKey(key);
      if (!simple) this.writeIndicator('?', true, false, true);
      this.startNode(key, simple, false);
      this.body(key, true, false);
      this.blockValue(content[i + 1]!, simple);
    }
    this.end(node, tail);
    this.processHead();
    this.indent = saved;
  }

  private blockValue(value: YamlNode, simple: boolean): void {
    if (!simple) this.writeIndent();
    this.writeIndicator(':', !simple, false, !simple);
    this.begin(value, '');
    if (this.keyLine !== '') this.placeKeyLine(value);
    this.startNode(value, false, false);
    this.processLine();
    this.processFoot();
    this.body(value, true, false);
  }

  /** A line comment of the key goes after a scalar value, or before a block that follows. */
  private placeKeyLine(value: YamlNode): void {
    if (value.kind === 'scalar') {
      if (this.line !== '') return;
      this.line = this.keyLine;
      this.keyLine = '';
    } else if (value.kind !== 'alias' && (value.style & Style.flow) === 0) {
      const line = this.line;
      this.line = this.keyLine;
      this.processLine();
      this.keyLine = this.line;
      this.line = line;
    }
  }

  private flowSequence(node: YamlNode, inSequence: boolean): void {
    this.writeIndicator('[', true, true, false);
    const saved = this.indent;
    this.indent = this.deeper(true, inSequence, false);
    this.flowLevel++;
    // After a comment the comma has been written already.
    let needsComma = false;
    for (const item of node.content) {
      this.begin(item, '');
      if (needsComma) this.writeIndicator(',', false, false, false);
      this.processHead();
      if (this.column === 0) this.writeIndent();
      needsComma = !this.hasTrailing();
      this.startNode(item, false, false);
      this.afterFlowItem();
      this.body(item, false, false);
    }
    this.end(node, '');
    this.flowLevel--;
    this.indent = saved;
    if (this.column === 0) this.writeIndent();
    this.closeFlow(']');
  }

  private flowMapping(node: YamlNode, inSequence: boolean): void {
    const { content } = node;
    this.writeIndicator('{', true, true, false);
    const saved = this.indent;
    this.indent = this.deeper(true, inSequence, false);
    this.flowLevel++;
    let needsComma = false;
    let tail = '';
    for (let i = 0; i + 1 < content.length; i += 2) {
      const { key, foot } = splitFoot(content[i]!);
      this.begin(key, tail);
      tail = foot;
      if (needsComma) this.writeIndicator(',', false, false, false);
      this.processHead();
      if (this.column === 0) this.writeIndent();
      const simple = this.isSimpleKey(key);
      if (!simple) this.writeIndicator('?', true, false, false);
      this.startNode(key, simple, false);
      this.body(key, true, false);
      const value = content[i + 1]!;
      this.begin(value, '');
      this.writeIndicator(':', !simple, false, false);
      needsComma = !this.hasTrailing();
      this.startNode(value, false, false);
      this.afterFlowItem();
      this.body(value, true, false);
    }
    this.end(node, tail);
    if (needsComma && (this.head !== '' || this.foot !== '' || this.tail !== '')) {
      this.writeIndicator(',', false, false, false);
    }
    this.processHead();
    this.flowLevel--;
    this.indent = saved;
    this.closeFlow('}');
  }

  private hasTrailing(): boolean {
    return this.line !== '' || this.foot !== '' || this.tail !== '';
  }

  private afterFlowItem(): void {
    if (this.hasTrailing()) this.writeIndicator(',', false, false, false);
    this.processLine();
    this.processFoot();
  }

  private closeFlow(bracket: string): void {
    this.writeIndicator(bracket, false, false, false);
    this.processLine();
    this.processFoot();
  }

  /** The indentation of what is inside the present one. An item of a block sequence only passes its dash. */
  private deeper(flow: boolean, inSequence: boolean, compact: boolean): number {
    const { indent, bestIndent } = this;
    if (indent < 0) return flow ? bestIndent : 0;
    if (inSequence) return indent + 2;
    const next = bestIndent * Math.floor((indent + bestIndent) / bestIndent);
    return compact ? next - 2 : next;
  }

  private isSimpleKey(node: YamlNode): boolean {
    switch (node.kind) {
      case 'alias':
        return node.value.length <= 128;
      case 'scalar': {
        const { length } = node.value;
        if (length > 128 || (analyzeScalar(node.value, false) & MULTILINE) !== 0) return false;
        const tag = scalarTag(node).tag;
        if (length < 40 && tag === '' && node.anchor === '') return true;
        return byteLength(node.value) + node.anchor.length + tagLength(tag) <= 128;
      }
      default:
        return isEmpty(node) && node.anchor.length + tagLength(collectionTag(node)) <= 128;
    }
  }

  private scalar(node: YamlNode, simpleKey: boolean, inSequence: boolean): void {
    const { value } = node;
    const { tag, quote } = scalarTag(node);
    const flags = analyzeScalar(value, false);
    const style = this.scalarStyle(node, flags, quote, simpleKey);
    this.anchor(node);
    this.tag(tag);
    const saved = this.indent;
    switch (style) {
      case NO_SCALAR:
        if (value !== '') {
          if (!this.whitespace) this.put(' ');
          this.put(value);
          this.whitespace = false;
        }
        this.indention = false;
        return;
      case Style.double:
        this.writeIndicator('"', true, false, false);
        this.put(escapeText(value));
        this.writeIndicator('"', false, false, false);
        this.indention = false;
        return;
      case Style.single:
        this.indent = this.deeper(true, inSequence, false);
        this.singleQuoted(value);
        break;
      default:
        this.indent = this.deeper(true, inSequence, false);
        this.blockScalar(value, style === Style.literal);
    }
    this.indent = saved;
  }

  /** The style that is asked for, or the next one that can hold the text; `NO_SCALAR` is plain. */
  private scalarStyle(node: YamlNode, flags: number, quote: boolean, simpleKey: boolean): number {
    const { value } = node;
    let style: number = NO_SCALAR;
    if ((node.style & Style.double) !== 0) style = Style.double;
    else if ((node.style & Style.single) !== 0) style = Style.single;
    else if ((node.style & Style.literal) !== 0) style = Style.literal;
    else if ((node.style & Style.folded) !== 0) style = Style.folded;
    else if ((flags & MULTILINE) !== 0 && value.includes('\n')) style = Style.literal;
    else if (quote) style = Style.double;
    if (simpleKey && (flags & MULTILINE) !== 0) style = Style.double;
    const inFlow = this.flowLevel > 0;
    if (style === NO_SCALAR) {
      const allowed = (flags & (inFlow ? FLOW_PLAIN : BLOCK_PLAIN)) !== 0;
      if (!allowed || (value === '' && (inFlow || simpleKey))) style = Style.single;
    }
    if (style === Style.single && (flags & SINGLE_QUOTED) === 0) style = Style.double;
    if (style === Style.literal || style === Style.folded) {
      if ((flags & BLOCK_SCALAR) === 0 || inFlow || simpleKey) style = Style.double;
    }
    return style;
  }

  private singleQuoted(value: string): void {
    this.writeIndicator("'", true, false, false);
    let breaks = false;
    let from = 0;
    for (let i = 0; i < value.length; i++) {
      const c = value.charCodeAt(i);
      if (isBreak(c)) {
        this.putQuotedRun(value, from, i, breaks);
        if ((!breaks || i > from) && c === LF) this.putBreak();
        this.writeBreak(value, i);
        breaks = true;
        from = i + 1;
      }
    }
    this.putQuotedRun(value, from, value.length, breaks);
    this.writeIndicator("'", false, false, false);
    this.indention = false;
  }

  private putQuotedRun(value: string, from: number, to: number, breaks: boolean): void {
    if (to === from) return;
    if (breaks) this.writeIndent();
    this.put(value.slice(from, to).replaceAll("'", "''"));
    this.indention = false;
  }

  private blockScalar(value: string, literal: boolean): void {
    this.writeIndicator(literal ? '|' : '>', true, false, false);
    const c = value.charCodeAt(0);
    if (c === SPACE || isBreak(c)) this.writeIndicator(`${this.bestIndent}`, false, false, false);
    const chomping = chompingHint(value);
    if (chomping !== '') this.writeIndicator(chomping, false, false, false);
    if (this.line === '') this.putBreak();
    else this.processLine();
    this.whitespace = true;
    if (literal) this.literalLines(value);
    else this.foldedLines(value);
  }

  private literalLines(value: string): void {
    let from = 0;
    for (let i = 0; i <= value.length; i++) {
      const atEnd = i === value.length;
      if (!atEnd && !isBreak(value.charCodeAt(i))) continue;
      if (i > from) {
        this.writeIndent();
        this.put(value.slice(from, i));
        this.indention = false;
      }
      if (!atEnd) this.writeBreak(value, i);
      from = i + 1;
    }
  }

  private foldedLines(value: string): void {
    let from = 0;
    let leadingSpaces = true;
    const firstText = indexOfText(value);
    const doubles = !isBlankOrEnd(firstText < value.length ? value.charCodeAt(firstText) : 0);
    for (let i = 0; i <= value.length; i++) {
      const atEnd = i === value.length;
      if (!atEnd && !isBreak(value.charCodeAt(i))) continue;
      if (i > from) {
        this.writeIndent();
        leadingSpaces = isBlank(value.charCodeAt(from));
        this.put(value.slice(from, i));
        this.indention = false;
        // A break that is to survive folding is written twice.
        if (!atEnd && !leadingSpaces && value.charCodeAt(i) === LF && doubles) this.putBreak();
      }
      if (!atEnd) this.writeBreak(value, i);
      from = i + 1;
    }
  }

  private anchor(node: YamlNode): void {
    if (node.anchor === '') return;
    this.writeIndicator('&', true, false, false);
    this.writeAnchor(node.anchor, 'anchor');
  }

  private writeAnchor(name: string, kind: 'anchor' | 'alias'): void {
    if (name === '') throw yamlError(`${kind} value must not be empty`, YamlErrorCode.value);
    if (!/^[0-9A-Za-z_-]+$/.test(name)) {
      throw yamlError(
        `${kind} value must contain alphanumerical characters only`,
        YamlErrorCode.value,
      );
    }
    this.put(name);
    this.whitespace = false;
    this.indention = false;
  }

  private tag(tag: string): void {
    if (tag === '') return;
    if (!this.whitespace) this.put(' ');
    this.put(tagText(tag));
    this.whitespace = false;
    this.indention = false;
  }

  private processHead(): void {
    if (this.tail !== '') {
      this.writeIndent();
      this.writeComment(this.tail);
      this.tail = '';
      this.footIndent = Math.max(this.indent, 0);
    }
    if (this.head === '') return;
    this.writeIndent();
    this.writeComment(this.head);
    this.head = '';
  }

  private processLine(): void {
    if (this.line === '') return;
    if (!this.whitespace) this.put(' ');
    this.writeComment(this.line);
    this.line = '';
  }

  private processFoot(): void {
    if (this.foot === '') return;
    this.writeIndent();
    this.writeComment(this.foot);
    this.foot = '';
    this.footIndent = Math.max(this.indent, 0);
  }

  private writeComment(comment: string): void {
    let from = 0;
    let broken = false;
    for (let i = 0; i <= comment.length; i++) {
      const atEnd = i === comment.length;
      if (!atEnd && !isBreak(comment.charCodeAt(i))) continue;
      if (i > from) {
        if (broken) this.writeIndent();
        if (comment[from] !== '#') this.put('# ');
        this.put(comment.slice(from, i));
        this.indention = false;
        if (atEnd) this.putBreak();
      }
      if (!atEnd) this.writeBreak(comment, i);
      broken = true;
      from = i + 1;
    }
    this.whitespace = true;
  }

  private put(text: string): void {
    this.out += text;
    this.column += text.length;
  }

  private putBreak(): void {
    this.out += '\n';
    this.column = 0;
    this.indention = true;
  }

  private writeBreak(text: string, at: number): void {
    this.out += text[at];
    this.column = 0;
    this.indention = true;
  }

  private writeIndent(): void {
    const indent = Math.max(this.indent, 0);
    if (!this.indention || this.column > indent || (this.column === indent && !this.whitespace)) {
      this.putBreak();
    }
    if (this.footIndent === indent) this.putBreak();
    if (this.column < indent) {
      this.out += spaces(indent - this.column);
      this.column = indent;
    }
    this.whitespace = true;
    this.footIndent = -1;
  }

  private writeIndicator(
    text: string,
    needsSpace: boolean,
    isSpace: boolean,
    isIndention: boolean,
  ): void {
    if (needsSpace && !this.whitespace) this.put(' ');
    this.put(text);
    this.whitespace = isSpace;
    this.indention = this.indention && isIndention;
  }
}

const SPACES = ' '.repeat(64);

function spaces(count: number): string {
  return count <= 64 ? SPACES.slice(0, count) : ' '.repeat(count);
}

/** A key's foot comment waits until its value is written: it is handed on as the tail of the next key. */
function splitFoot(key: YamlNode): { key: YamlNode; foot: string } {
  const foot = key.footComment;
  return foot === '' ? { key, foot } : { key: { ...key, footComment: '' }, foot };
}

function isEmpty(node: YamlNode): boolean {
  return node.kind === 'mapping' ? node.content.length < 2 : node.content.length === 0;
}

function indexOfText(value: string): number {
  let at = 0;
  while (at < value.length && isBreak(value.charCodeAt(at))) at++;
  return at;
}
