import {
  BRACE_CLOSE,
  BRACE_OPEN,
  BRACKET_CLOSE,
  BRACKET_OPEN,
  COLON,
  COMMA,
  DASH,
  DOT,
  END,
  HASH,
  isBlankOrEnd,
  LF,
  QUESTION,
  QUOTE,
  SPACE,
  TAB,
} from './chars.ts';

/** Thrown when a document needs the full scanner. */
export const FULL_SCAN = Symbol('full scan');

/** Deeper documents, and longer keys, are left to the full scanner, which knows the limits. */
const DEPTH_MAX = 100;
const KEY_LENGTH_MAX = 1000;

/**
 * Whether `text` may be tried: printable, and without the line breaks, marks and surrogates that move columns. Tabs are
 * allowed and dealt with where they stand.
 */
export function suitsFastReader(text: string): boolean {
  return !/[^\t\n\x20-\x7e\u00a0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd]/.test(text);
}

/**
 * Reads the YAML that people and programs mostly write: nested block mappings and sequences, scalars on one line, block
 * scalars, flow collections. One pass, no tokens. At anything else (anchors, tags, folded plain text, errors) it throws
 * `FULL_SCAN`, and the document is read again by the scanner. What it accepts it must read exactly as that does.
 *
 * Subclasses make what is read: `Part` is a value or a node, `Key` a mapping's key. Only values may skip comments: to
 * attach them to nodes is the scanner's art.
 */
export abstract class FastReader<Part, Key, Mapping extends Part, Sequence extends Part> {
  protected readonly text: string;
  protected pos: number;
  /** Zero-based line, and the index at which it starts. */
  protected line: number;
  protected lineStart: number;
  /** Indentation of the line that `pos` is on; -1 after the last line of a document. */
  private margin = 0;
  private depth = 0;
  private readonly skipsComments: boolean;

  /** `text` must end with a NUL, and suit the fast reader without it. */
  constructor(text: string, options: { skipsComments: boolean }) {
    this.text = text;
    this.pos = 0;
    this.line = 0;
    this.lineStart = 0;
    this.skipsComments = options.skipsComments;
  }

  protected abstract startMapping(index: number, flow: boolean): Mapping;
  protected abstract startSequence(index: number, flow: boolean): Sequence;
  protected abstract addEntry(mapping: Mapping, key: Key, value: Part): void;
  protected abstract addItem(sequence: Sequence, item: Part): void;
  protected abstract plainKey(from: number, to: number): Key;
  protected abstract quotedKey(index: number, value: string, single: boolean): Key;
  protected abstract plain(from: number, to: number): Part;
  protected abstract quoted(index: number, value: string, single: boolean): Part;
  protected abstract blockText(index: number, line: number, value: string, literal: boolean): Part;
  protected abstract empty(index: number, line: number): Part;

  /** The root of one document whose first line of content comes at `pos` or after it. */
  protected readRoot(): Part {
    this.toContent();
    if (this.margin < 0) throw FULL_SCAN;
    const c = this.text.charCodeAt(this.pos);
    const root =
      c === BRACKET_OPEN || c === BRACE_OPEN ? this.flowLine() : this.blockNode(this.margin);
    if (this.margin >= 0) throw FULL_SCAN;
    return root;
  }

  /** Moves to the first character of the next line that holds more than spaces. */
  private toContent(): void {
    const { text } = this;
    let { pos } = this;
    for (;;) {
      const start = pos;
      let c = text.charCodeAt(pos);
      while (c === SPACE) c = text.charCodeAt(++pos);
      if (c === HASH) {
        pos = this.endOfComment(pos);
        c = text.charCodeAt(pos);
      }
      if (c === LF) {
        pos++;
        this.line++;
        this.lineStart = pos;
        continue;
      }
      this.pos = pos;
      this.margin = pos - start;
      if (c === TAB) throw FULL_SCAN;
      if (c === END) this.margin = -1;
      else if (pos === start && (c === DASH || c === DOT || c === 0x25)) this.atLineStart(c);
      return;
    }
  }

  /** The line break or end after the comment at `pos`, where comments may be skipped. */
  private endOfComment(pos: number): number {
    if (!this.skipsComments) throw FULL_SCAN;
    const end = this.text.indexOf('\n', pos);
    return end < 0 ? this.text.length - 1 : end;
  }

  /** Ends the document at `---`; what else may begin a line specially is for the scanner. */
  private atLineStart(c: number): void {
    const { text, pos } = this;
    if (c === 0x25) throw FULL_SCAN;
    if (text.charCodeAt(pos + 1) !== c || text.charCodeAt(pos + 2) !== c) return;
    if (!isBlankOrEnd(text.charCodeAt(pos + 3))) return;
    if (c === DOT) throw FULL_SCAN;
    this.margin = -1;
  }

  /** After the end of a value: only spaces may follow on the line. Moves to the next content. */
  private endLine(): void {
    const { text } = this;
    let { pos } = this;
    let c = text.charCodeAt(pos);
    while (c === SPACE) c = text.charCodeAt(++pos);
    if (c === HASH) {
      pos = this.endOfComment(pos);
      c = text.charCodeAt(pos);
    }
    if (c === LF) {
      this.pos = pos + 1;
      this.line++;
      this.lineStart = pos + 1;
    } else if (c === END) this.pos = pos;
    else throw FULL_SCAN;
    this.toContent();
  }

  /** A block collection whose first entry stands at `pos`, in column `indent`. */
  private blockNode(indent: number): Part {
    if (++this.depth > DEPTH_MAX) throw FULL_SCAN;
    const { text, pos } = this;
    const isDash = text.charCodeAt(pos) === DASH && isBlankOrEnd(text.charCodeAt(pos + 1));
    const node = isDash ? this.blockSequence(indent, false) : this.blockMapping(indent);
    this.depth--;
    return node;
  }

  private blockMapping(indent: number): Mapping {
    const mapping = this.startMapping(this.pos, false);
    do {
      const key = this.blockKey();
      const { pos, line } = this;
      this.addEntry(mapping, key, this.blockValue(indent, pos, line));
    } while (this.margin === indent);
    if (this.margin > indent) throw FULL_SCAN;
    return mapping;
  }

  /** A key with its colon. */
  private blockKey(): Key {
    const { text, pos } = this;
    const c = text.charCodeAt(pos);
    if (c === QUOTE || c === 0x27) {
      const value = c === QUOTE ? this.doubleQuoted() : this.singleQuoted();
      const end = this.pos;
      if (text.charCodeAt(end) !== COLON || !isSpaceOrEnd(text.charCodeAt(end + 1)))
        throw FULL_SCAN;
      if (end - pos > KEY_LENGTH_MAX) throw FULL_SCAN;
      this.pos = end + 1;
      return this.quotedKey(pos, value, c !== QUOTE);
    }
    const end = this.plainEnd(c);
    if (text.charCodeAt(end) !== COLON || end - pos > KEY_LENGTH_MAX) throw FULL_SCAN;
    let to = end;
    while (text.charCodeAt(to - 1) === SPACE) to--;
    this.pos = end + 1;
    return this.plainKey(pos, to);
  }

  /** What follows the colon, which ends at `colonEnd`, of a key in column `indent`. */
  private blockValue(indent: number, colonEnd: number, colonLine: number): Part {
    const { text } = this;
    let { pos } = this;
    let c = text.charCodeAt(pos);
    while (c === SPACE) c = text.charCodeAt(++pos);
    this.pos = pos;
    if (c !== LF && c !== END && c !== HASH) return this.inlineValue(c, indent);
    const emptyLineStart = this.lineStart;
    this.endLine();
    if (this.margin > indent) return this.blockNode(this.margin);
    if (this.margin === indent && this.atDash()) {
      if (++this.depth > DEPTH_MAX) throw FULL_SCAN;
      const sequence = this.blockSequence(indent, true);
      this.depth--;
      return sequence;
    }
    return this.emptyAt(colonEnd, colonLine, emptyLineStart);
  }

  private emptyAt(index: number, line: number, lineStart: number): Part {
    const saved = this.lineStart;
    this.lineStart = lineStart;
    const part = this.empty(index, line);
    this.lineStart = saved;
    return part;
  }

  private atDash(): boolean {
    const { text, pos } = this;
    return text.charCodeAt(pos) === DASH && isSpaceOrEnd(text.charCodeAt(pos + 1));
  }

  /** A value that begins on the line of its key or dash; `indent` is the column of these. */
  private inlineValue(c: number, indent: number): Part {
    switch (c) {
      case QUOTE:
      case 0x27: {
        const { pos } = this;
        const value = c === QUOTE ? this.doubleQuoted() : this.singleQuoted();
        const part = this.quoted(pos, value, c !== QUOTE);
        this.endLine();
        return part;
      }
      case BRACKET_OPEN:
      case BRACE_OPEN:
        return this.flowLine();
      case 0x7c:
      case 0x3e:
        return this.blockScalar(indent, c === 0x7c);
    }
    const { pos } = this;
    const end = this.plainEnd(c);
    if (this.text.charCodeAt(end) === COLON) throw FULL_SCAN;
    return this.plainLine(pos, end, indent);
  }

  /** A plain scalar up to the end of its line; one that goes on below is for the scanner. */
  private plainLine(from: number, end: number, indent: number): Part {
    let to = end;
    while (this.text.charCodeAt(to - 1) === SPACE) to--;
    const part = this.plain(from, to);
    this.pos = end;
    this.endLine();
    if (this.margin > indent) throw FULL_SCAN;
    return part;
  }

  /** Where a plain scalar in block context ends: at a colon before white space, or at the end of the line. */
  private plainEnd(first: number): number {
    const { text, pos } = this;
    if (!startsPlain(first, text.charCodeAt(pos + 1))) throw FULL_SCAN;
    let at = pos;
    for (;;) {
      const c = text.charCodeAt(at);
      if (c > COLON) at++;
      else if (c === COLON) {
        if (isSpaceOrEnd(text.charCodeAt(at + 1))) return at;
        at++;
      } else if (c === LF || c === END) return at;
      else if (c === TAB) throw FULL_SCAN;
      else if (c === HASH && text.charCodeAt(at - 1) === SPACE) return at;
      else at++;
    }
  }

  private blockSequence(indent: number, indentless: boolean): Sequence {
    const sequence = this.startSequence(this.pos, false);
    do {
      this.pos++;
      const dashEnd = this.pos;
      this.addItem(sequence, this.sequenceItem(indent, dashEnd));
    } while (this.margin === indent && this.atDash());
    if (this.margin > indent || (this.margin === indent && !indentless)) throw FULL_SCAN;
    return sequence;
  }

  private sequenceItem(indent: number, dashEnd: number): Part {
    const { text } = this;
    let { pos } = this;
    let c = text.charCodeAt(pos);
    while (c === SPACE) c = text.charCodeAt(++pos);
    this.pos = pos;
    if (c === LF || c === END || c === HASH) {
      const { line, lineStart } = this;
      this.endLine();
      if (this.margin > indent) return this.blockNode(this.margin);
      return this.emptyAt(dashEnd, line, lineStart);
    }
    const column = pos - this.lineStart;
    if (c === DASH && isSpaceOrEnd(text.charCodeAt(pos + 1))) return this.blockNode(column);
    if (c === QUOTE || c === 0x27) {
      const value = c === QUOTE ? this.doubleQuoted() : this.singleQuoted();
      if (text.charCodeAt(this.pos) !== COLON) {
        const part = this.quoted(pos, value, c !== QUOTE);
        this.endLine();
        return part;
      }
      this.pos = pos;
      return this.blockNode(column);
    }
    if (c === BRACKET_OPEN || c === BRACE_OPEN || c === 0x7c || c === 0x3e) {
      return this.inlineValue(c, indent);
    }
    const end = this.plainEnd(c);
    return text.charCodeAt(end) === COLON
      ? this.blockNode(column)
      : this.plainLine(pos, end, indent);
  }

  /** `|` or `>` with its lines; the parent's column is `indent`. */
  private blockScalar(indent: number, literal: boolean): Part {
    const { text, pos: start, line: startLine, lineStart } = this;
    let pos = start + 1;
    let chomping = text.charCodeAt(pos);
    if (chomping === 0x2b || chomping === DASH) pos++;
    else chomping = 0;
    while (text.charCodeAt(pos) === SPACE) pos++;
    if (text.charCodeAt(pos) === HASH) pos = this.endOfComment(pos);
    if (text.charCodeAt(pos) !== LF) throw FULL_SCAN;
    this.pos = pos + 1;
    this.line++;
    const value = this.blockLines(indent, literal, chomping);
    const endLineStart = this.pos;
    this.lineStart = lineStart;
    const part = this.blockText(start, startLine, value, literal);
    this.lineStart = endLineStart;
    this.toContent();
    if (this.margin > indent) throw FULL_SCAN;
    return part;
  }

  private blockLines(parent: number, literal: boolean, chomping: number): string {
    const { text } = this;
    let { pos } = this;
    let indent = 0;
    let value = '';
    let breaks = 0;
    let pending = false;
    let afterBlank = false;
    for (;;) {
      const start = pos;
      let c = text.charCodeAt(pos);
      while (c === SPACE && (indent === 0 || pos - start < indent)) c = text.charCodeAt(++pos);
      if (c === LF) {
        // An empty line deeper than the first text would set the indentation.
        if (indent === 0 && pos - start > parent + 1) throw FULL_SCAN;
        breaks++;
        pos++;
        this.line++;
        continue;
      }
      if (indent === 0) {
        indent = pos - start;
        if (indent <= parent || c === TAB || c === END) throw FULL_SCAN;
      }
      if (pos - start < indent || c === END) {
        if (c === TAB) throw FULL_SCAN;
        pos = start;
        break;
      }
      const blank = c === SPACE || c === TAB;
      const folds = !literal && pending && !afterBlank && !blank;
      if (pending && !folds) value += '\n';
      else if (folds && breaks === 0) value += ' ';
      if (breaks > 0) value += breaks === 1 ? '\n' : '\n'.repeat(breaks);
      breaks = 0;
      afterBlank = blank;
      let end = text.indexOf('\n', pos);
      if (end < 0) end = text.length - 1;
      value += text.slice(pos, end);
      pos = end;
      pending = text.charCodeAt(pos) === LF;
      if (!pending) break;
      pos++;
      this.line++;
    }
    this.pos = pos;
    if (chomping !== DASH && pending) value += '\n';
    if (chomping === 0x2b) value += '\n'.repeat(breaks);
    return value;
  }

  /** A double-quoted scalar on one line, the position after it. Escapes beyond the common ones are for the scanner. */
  private doubleQuoted(): string {
    const { text } = this;
    let at = this.pos + 1;
    let from = at;
    let value = '';
    for (;;) {
      const c = text.charCodeAt(at);
      if (c === QUOTE) break;
      if (c === LF || c === END) throw FULL_SCAN;
      if (c !== 0x5c) {
        at++;
        continue;
      }
      value += text.slice(from, at) + commonEscape(text.charCodeAt(at + 1));
      at += 2;
      from = at;
    }
    this.pos = at + 1;
    return value === '' ? text.slice(from, at) : value + text.slice(from, at);
  }

  private singleQuoted(): string {
    const { text } = this;
    let at = this.pos + 1;
    let from = at;
    let value = '';
    for (;;) {
      const c = text.charCodeAt(at);
      if (c === LF || c === END) throw FULL_SCAN;
      if (c === 0x27) {
        if (text.charCodeAt(at + 1) !== 0x27) break;
        value += text.slice(from, at + 1);
        at += 2;
        from = at;
      } else at++;
    }
    this.pos = at + 1;
    return value + text.slice(from, at);
  }

  /** A flow collection that ends its line. */
  private flowLine(): Part {
    const part = this.flowNode();
    this.endLine();
    return part;
  }

  private flowNode(): Part {
    const { text, pos } = this;
    const c = text.charCodeAt(pos);
    if (c === QUOTE || c === 0x27) {
      const value = c === QUOTE ? this.doubleQuoted() : this.singleQuoted();
      return this.quoted(pos, value, c !== QUOTE);
    }
    if (c !== BRACKET_OPEN && c !== BRACE_OPEN) {
      const to = this.flowPlainEnd();
      if (text.charCodeAt(this.pos) === COLON) throw FULL_SCAN;
      return this.plain(pos, to);
    }
    if (++this.depth > DEPTH_MAX) throw FULL_SCAN;
    this.pos++;
    const node = c === BRACKET_OPEN ? this.flowSequence(pos) : this.flowMapping(pos);
    this.depth--;
    return node;
  }

  private flowSequence(start: number): Sequence {
    const sequence = this.startSequence(start, true);
    while (this.flowGap() !== BRACKET_CLOSE) {
      this.addItem(sequence, this.flowNode());
      this.flowSeparator(BRACKET_CLOSE);
    }
    this.pos++;
    return sequence;
  }

  private flowMapping(start: number): Mapping {
    const { text } = this;
    const mapping = this.startMapping(start, true);
    while (this.flowGap() !== BRACE_CLOSE) {
      const { pos } = this;
      const c = text.charCodeAt(pos);
      let key: Key;
      if (c === QUOTE || c === 0x27) {
        const value = c === QUOTE ? this.doubleQuoted() : this.singleQuoted();
        key = this.quotedKey(pos, value, c !== QUOTE);
      } else {
        const to = this.flowPlainEnd();
        key = this.plainKey(pos, to);
      }
      if (text.charCodeAt(this.pos) !== COLON || this.pos - pos > KEY_LENGTH_MAX) throw FULL_SCAN;
      this.pos++;
      const next = this.flowGap();
      if (next === COMMA || next === BRACE_CLOSE) throw FULL_SCAN;
      this.addEntry(mapping, key, this.flowNode());
      this.flowSeparator(BRACE_CLOSE);
    }
    this.pos++;
    return mapping;
  }

  /** Passes spaces and line breaks; returns the character after them. */
  private flowGap(): number {
    const { text } = this;
    for (;;) {
      const c = text.charCodeAt(this.pos);
      if (c === LF) {
        this.line++;
        this.lineStart = this.pos + 1;
      } else if (c !== SPACE) {
        if (c === HASH) {
          this.pos = this.endOfComment(this.pos);
          continue;
        }
        const marks = c === DASH || c === DOT || c === 0x25;
        if (c === TAB || (marks && this.pos === this.lineStart)) throw FULL_SCAN;
        return c;
      }
      this.pos++;
    }
  }

  /** Passes a comma, or stops before the closing bracket. */
  private flowSeparator(close: number): void {
    const c = this.flowGap();
    if (c === COMMA) this.pos++;
    else if (c !== close) throw FULL_SCAN;
  }

  /** Passes a plain scalar in flow context and the spaces after it; returns the end of its text. */
  private flowPlainEnd(): number {
    const { text, pos } = this;
    const first = text.charCodeAt(pos);
    const next = text.charCodeAt(pos + 1);
    // In flow context '?' and ':' are indicators whatever follows them.
    if (!startsPlain(first, next) || first === QUESTION || first === COLON) throw FULL_SCAN;
    let at = pos;
    for (;;) {
      const c = text.charCodeAt(at);
      if (c === COMMA || c === BRACKET_CLOSE || c === BRACE_CLOSE || c === LF) break;
      if (c === COLON) {
        if (isSpaceOrEnd(text.charCodeAt(at + 1))) break;
      } else if (
        c === END ||
        c === TAB ||
        c === QUESTION ||
        c === BRACKET_OPEN ||
        c === BRACE_OPEN
      ) {
        throw FULL_SCAN;
      } else if (c === HASH && text.charCodeAt(at - 1) === SPACE) break;
      at++;
    }
    this.pos = at;
    let to = at;
    while (text.charCodeAt(to - 1) === SPACE) to--;
    return to;
  }
}

/** Whether a plain scalar may begin with `c` before `next`. */
function startsPlain(c: number, next: number): boolean {
  if ((c >= 0x61 && c <= 0x7a) || (c >= 0x41 && c <= 0x5a) || (c >= 0x2e && c <= 0x39)) return true;
  switch (c) {
    case DASH:
    case QUESTION:
    case COLON:
      return !isSpaceOrEnd(next);
    case 0x24: // $
    case 0x28: // (
    case 0x29: // )
    case 0x2b: // +
    case 0x3b: // ;
    case 0x3c: // <
    case 0x3d: // =
    case 0x5c: // \
    case 0x5e: // ^
    case 0x5f: // _
    case 0x7e: // ~
      return true;
    default:
      return c >= 0xa0;
  }
}

/** White space or the end; a tab counts, so that what follows it goes to the scanner. */
function isSpaceOrEnd(c: number): boolean {
  return c === SPACE || c === LF || c === END || c === TAB;
}

function commonEscape(c: number): string {
  switch (c) {
    case QUOTE:
      return '"';
    case 0x5c:
      return '\\';
    case 0x6e:
      return '\n';
    case 0x74:
      return '\t';
    case 0x72:
      return '\r';
    default:
      throw FULL_SCAN;
  }
}
