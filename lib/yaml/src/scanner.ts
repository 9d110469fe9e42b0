import type { CapstanError } from '@capstan/lib-std';
import {
  BRACE_CLOSE,
  BRACE_OPEN,
  BRACKET_CLOSE,
  BRACKET_OPEN,
  BYTE_ORDER_MARK,
  breakWidth,
  COLON,
  COMMA,
  DASH,
  DOT,
  END,
  HASH,
  isBlank,
  isBlankOrEnd,
  isBreak,
  isBreakOrEnd,
  QUESTION,
  SPACE,
  TAB,
} from './chars.ts';
import { YamlErrorCode, yamlError } from './errors.ts';
import { DEFAULT_LIMITS, type YamlLimits } from './limits.ts';
import { scanComments, scanLineComment } from './scan-comments.ts';
import { scanAnchor, scanDirective, scanTag } from './scan-properties.ts';
import { scanBlockScalar, scanPlainScalar, scanQuotedScalar } from './scan-scalars.ts';
import type { Comment, Mark, Token } from './token.ts';
import * as T from './token.ts';

/** `v3` is go.yaml.in/yaml/v3 (comments, three tokens of lookahead), `v2` go.yaml.in/yaml/v2. */
export type Dialect = 'v2' | 'v3';

/** A place where a key without `?` may have begun; at most one per flow level. */
interface SimpleKey {
  possible: boolean;
  /** In block context at the indentation of the mapping: nothing but a key can stand here. */
  required: boolean;
  tokenNumber: number;
  index: number;
  line: number;
  column: number;
}

/** A possible key reaches no further than this many characters. */
const SIMPLE_KEY_LENGTH_MAX = 1024;

/**
 * Turns text into tokens as libyaml's descendants in Go do, comments included. A token becomes visible only when enough
 * tokens after it are known: to tell whether it begins a key, and, in v3, to attach comments. That lookahead decides
 * which comment goes where and which error comes first, so it is part of the behaviour.
 */
export class Scanner {
  readonly text: string;
  readonly dialect: Dialect;
  readonly comments: Comment[] = [];
  readonly limits: YamlLimits;
  pos = 0;
  line: number;
  flowLevel = 0;
  indent = -1;
  simpleKeyAllowed = true;
  readonly tokens: Token[] = [];
  private lineStart = 0;
  private readonly end: number;
  private readonly hasAstral: boolean;
  private readonly slack: number;
  private readonly indents: number[] = [];
  private readonly simpleKeys: SimpleKey[] = [];
  /** Which token may begin a key, and at which flow level. */
  private readonly keyLevels = new Map<number, number>();
  private head = 0;
  private tokensParsed = 0;
  private available = false;

  /** `line` is the zero-based line at which `text` starts within its stream. */
  constructor(text: string, dialect: Dialect, limits: YamlLimits = DEFAULT_LIMITS, line = 0) {
    this.line = line;
    // The sentinel lets every lookahead of up to three characters run without a bounds check.
    this.end = text.length;
    this.text = `${text}\0\0\0\0`;
    this.dialect = dialect;
    this.limits = limits;
    this.slack = dialect === 'v3' ? 2 : 0;
    this.hasAstral = /[\ud800-\udbff]/.test(text);
    if (text.charCodeAt(0) === BYTE_ORDER_MARK) {
      this.pos = 1;
      this.lineStart = 1;
      // A second mark is passed over as well, but takes a column.
      if (text.charCodeAt(1) === BYTE_ORDER_MARK) this.pos = 2;
    }
    this.simpleKeys.push(createSimpleKey());
    this.push(this.tokenHere(T.STREAM_START));
  }

  /** The next token, without taking it. */
  peek(): Token {
    if (!this.available) {
      this.fetchMore();
      this.available = true;
    }
    return this.tokens[this.head]!;
  }

  /** Takes the token that `peek` showed. */
  skip(): void {
    this.available = false;
    this.tokensParsed++;
    this.head++;
    if (this.head > 256) {
      this.tokens.splice(0, this.head);
      this.head = 0;
    }
  }

  get column(): number {
    return this.columnAt(this.pos);
  }

  mark(): Mark {
    return { index: this.pos, line: this.line, column: this.column };
  }

  /** Code points from the start of the current line to `index`. */
  columnAt(index: number): number {
    return this.hasAstral ? this.codePoints(this.lineStart, index) : index - this.lineStart;
  }

  /** Moves over the line break at `pos`. */
  skipBreak(): void {
    this.pos += breakWidth(this.text, this.pos);
    this.line++;
    this.lineStart = this.pos;
  }

  /** Whether nothing but blanks and at least one line break lie between the last token and here. */
  afterBreak(): boolean {
    let at = this.pos - 1;
    while (at >= 0 && isBlank(this.text.charCodeAt(at))) at--;
    return at >= 0 && isBreak(this.text.charCodeAt(at));
  }

  /** How many line breaks lie between the last non-blank character and here. */
  breaksBefore(): number {
    let count = 0;
    for (let at = this.pos - 1; at >= 0; at--) {
      const c = this.text.charCodeAt(at);
      if (isBlank(c)) continue;
      if (!isBreak(c)) break;
      if (breakWidth(this.text, at - 1) === 2 && at > 0) at--;
      count++;
    }
    return count;
  }

  /** Whether `---` or `...` stands here at the start of a line. */
  atDocumentIndicator(): boolean {
    const { text, pos } = this;
    const c = text.charCodeAt(pos);
    if ((c !== DASH && c !== DOT) || this.lineStart !== pos) return false;
    return (
      text.charCodeAt(pos + 1) === c &&
      text.charCodeAt(pos + 2) === c &&
      isBlankOrEnd(text.charCodeAt(pos + 3))
    );
  }

  /** An error found while scanning what began at `contextLine` (zero-based). Go names different lines in v2 and v3. */
  fail(problem: string, contextLine: number): CapstanError {
    const v3 = this.dialect === 'v3';
    let line = v3 ? contextLine : this.line;
    if (line !== 0) line++;
    else if (v3 && this.line !== 0) line = this.line + 1;
    else line = v3 ? 0 : contextLine;
    return yamlError(line === 0 ? problem : `line ${line}: ${problem}`);
  }

  push(token: Token): void {
    this.tokens.push(token);
  }

  private tokenHere(type: number, width = 0): Token {
    const column = this.column;
    return {
      type,
      index: this.pos,
      line: this.line,
      column,
      endColumn: column + width,
      value: '',
      suffix: '',
      style: 0,
    };
  }

  private codePoints(from: number, to: number): number {
    let count = to - from;
    for (let i = from; i < to; i++) {
      const c = this.text.charCodeAt(i);
      if (c >= 0xd800 && c <= 0xdbff) count--;
    }
    return count;
  }

  private fetchMore(): void {
    for (;;) {
      if (this.head < this.tokens.length - this.slack) {
        const key = this.keyOfHead();
        if (key === undefined || !this.isStillPossible(key)) return;
      }
      this.fetchNext();
    }
  }

  /** The possible key that would begin at the token which is next to be taken. */
  private keyOfHead(): SimpleKey | undefined {
    const level = this.keyLevels.get(this.tokensParsed);
    return level === undefined ? undefined : this.simpleKeys[level];
  }

  private fetchNext(): void {
    const scanMark = this.mark();
    this.scanToNextToken(scanMark);
    this.unrollIndent(this.column, scanMark);
    const { text, pos } = this;
    const c = text.charCodeAt(pos);
    if (c === END && pos >= this.end) {
      this.fetchStreamEnd();
      return;
    }
    if (this.column === 0) {
      if (c === 0x25) {
        this.fetchDirective();
        return;
      }
      if (this.atDocumentIndicator()) {
        this.fetchDocumentIndicator(c === DASH ? T.DOCUMENT_START : T.DOCUMENT_END);
        return;
      }
    }
    if (this.dialect === 'v2') {
      this.fetchContent(c, pos);
      return;
    }
    // A comment after ':' or ',' belongs to what stood before it.
    const previous = this.tokens[this.tokens.length - 1]!;
    const anchorIndex = (this.flowLevel === 0 ? c === COLON : c === COMMA) ? previous.index : pos;
    this.fetchContent(c, pos);
    // A dash alone has no line comment: it becomes a head comment of what follows.
    if (this.tokens[this.tokens.length - 1]!.type !== T.BLOCK_ENTRY) {
      scanLineComment(this, anchorIndex);
    }
  }

  private fetchContent(c: number, pos: number): void {
    const next = this.text.charCodeAt(pos + 1);
    const flow = this.flowLevel > 0;
    switch (c) {
      case BRACKET_OPEN:
        this.fetchFlowStart(T.FLOW_SEQUENCE_START);
        return;
      case BRACE_OPEN:
        this.fetchFlowStart(T.FLOW_MAPPING_START);
        return;
      case BRACKET_CLOSE:
        this.fetchFlowEnd(T.FLOW_SEQUENCE_END);
        return;
      case BRACE_CLOSE:
        this.fetchFlowEnd(T.FLOW_MAPPING_END);
        return;
      case COMMA:
        this.fetchFlowEntry();
        return;
      case DASH:
        if (isBlankOrEnd(next)) {
          this.fetchBlockEntry();
          return;
        }
        break;
      case QUESTION:
        if (flow || isBlankOrEnd(next)) {
          this.fetchKey();
          return;
        }
        break;
      case COLON:
        if (flow || isBlankOrEnd(next)) {
          this.fetchValue();
          return;
        }
        break;
      case 0x2a: // *
      case 0x26: // &
        this.saveSimpleKey();
        this.simpleKeyAllowed = false;
        this.push(scanAnchor(this, c === 0x2a ? T.ALIAS : T.ANCHOR));
        return;
      case 0x21: // !
        this.saveSimpleKey();
        this.simpleKeyAllowed = false;
        this.push(scanTag(this));
        return;
      case 0x7c: // |
      case 0x3e: // >
        if (flow) break;
        this.removeSimpleKey();
        this.simpleKeyAllowed = true;
        this.push(scanBlockScalar(this, c === 0x7c));
        return;
      case 0x27:
      case 0x22:
        this.saveSimpleKey();
        this.simpleKeyAllowed = false;
        this.push(scanQuotedScalar(this, c === 0x27));
        return;
    }
    this.fetchPlainScalar(c, next);
  }

  private fetchPlainScalar(c: number, next: number): void {
    if (!mayStartPlain(c) && !this.startsPlainIndicator(c, next)) {
      throw this.fail('found character that cannot start any token', this.line);
    }
    this.saveSimpleKey();
    this.simpleKeyAllowed = false;
    this.push(scanPlainScalar(this));
  }

  /** `-`, `?` and `:` begin a plain scalar when no blank follows; the latter two in block context only. */
  private startsPlainIndicator(c: number, next: number): boolean {
    if (c === DASH) return !isBlank(next);
    return (c === QUESTION || c === COLON) && this.flowLevel === 0 && !isBlankOrEnd(next);
  }

  private isStillPossible(key: SimpleKey): boolean {
    if (!key.possible) return false;
    let distance = this.pos - key.index;
    if (distance > SIMPLE_KEY_LENGTH_MAX && this.hasAstral) {
      distance = this.codePoints(key.index, this.pos);
    }
    if (key.line < this.line || distance > SIMPLE_KEY_LENGTH_MAX) {
      if (key.required) throw this.fail("could not find expected ':'", key.line);
      key.possible = false;
      return false;
    }
    return true;
  }

  private saveSimpleKey(): void {
    if (!this.simpleKeyAllowed) return;
    const column = this.column;
    this.removeSimpleKey();
    const key = this.simpleKeys[this.flowLevel]!;
    key.possible = true;
    key.required = this.flowLevel === 0 && this.indent === column;
    key.tokenNumber = this.tokensParsed + (this.tokens.length - this.head);
    key.index = this.pos;
    key.line = this.line;
    key.column = column;
    this.keyLevels.set(key.tokenNumber, this.flowLevel);
  }

  private removeSimpleKey(): void {
    const key = this.simpleKeys[this.flowLevel]!;
    if (!key.possible) return;
    if (key.required) throw this.fail("could not find expected ':'", key.line);
    key.possible = false;
    this.keyLevels.delete(key.tokenNumber);
  }

  private rollIndent(column: number, tokenNumber: number, type: number, mark: Mark): void {
    if (this.flowLevel > 0 || this.indent >= column) return;
    this.indents.push(this.indent);
    this.indent = column;
    if (this.indents.length > this.limits.depthMax) throw this.tooDeep();
    const token = T.createToken(type, mark, mark.column);
    if (tokenNumber < 0) this.push(token);
    else this.insert(tokenNumber, token);
  }

  private insert(tokenNumber: number, token: Token): void {
    const at = tokenNumber - this.tokensParsed;
    // A token that was already taken, as happens to the bracket of a flow collection, gets its key too late.
    if (at < 0) this.push(token);
    else this.tokens.splice(this.head + at, 0, token);
  }

  private tooDeep(): CapstanError {
    const { depthMax } = this.limits;
    return yamlError(
      `line ${this.line + 1}: exceeded max depth of ${depthMax}`,
      YamlErrorCode.limit,
    );
  }

  /** Closes every block that is indented deeper than `column`. */
  private unrollIndent(column: number, scanMark: Mark): void {
    if (this.flowLevel > 0 || this.indent <= column) return;
    let mark = this.dialect === 'v3' ? { ...scanMark, index: scanMark.index - 1 } : this.mark();
    while (this.indent > column) {
      if (this.comments.length > 0) mark = this.endOfBlock(mark);
      this.push(T.createToken(T.BLOCK_END, mark, mark.column));
      this.indent = this.indents.pop()!;
    }
  }

  /**
   * Comments that were just scanned at the indentation of the block which ends belong inside of it; the end moves
   * before those that come after them, so that these become foot comments of the blocks around.
   */
  private endOfBlock(mark: Mark): Mark {
    let stopIndex = mark.index;
    let result = mark;
    for (let i = this.comments.length - 1; i >= 0; i--) {
      const comment = this.comments[i]!;
      if (comment.endIndex < stopIndex) break;
      if (comment.start.column === this.indent + 1) result = comment.start;
      stopIndex = comment.scanIndex;
    }
    return result;
  }

  private fetchStreamEnd(): void {
    if (this.column !== 0) {
      this.line++;
      this.lineStart = this.pos;
    }
    this.unrollIndent(-1, this.mark());
    this.removeSimpleKey();
    this.simpleKeyAllowed = false;
    this.push(this.tokenHere(T.STREAM_END));
  }

  private fetchDirective(): void {
    this.unrollIndent(-1, this.mark());
    this.removeSimpleKey();
    this.simpleKeyAllowed = false;
    this.push(scanDirective(this));
  }

  private fetchDocumentIndicator(type: number): void {
    this.unrollIndent(-1, this.mark());
    this.removeSimpleKey();
    this.simpleKeyAllowed = false;
    this.push(this.tokenHere(type, 3));
    this.pos += 3;
  }

  private fetchFlowStart(type: number): void {
    this.saveSimpleKey();
    this.flowLevel++;
    if (this.simpleKeys.length === this.flowLevel) this.simpleKeys.push(createSimpleKey());
    const key = this.simpleKeys[this.flowLevel]!;
    key.possible = false;
    key.tokenNumber = this.tokensParsed + (this.tokens.length - this.head);
    if (this.flowLevel > this.limits.depthMax) throw this.tooDeep();
    this.simpleKeyAllowed = true;
    this.push(this.tokenHere(type, 1));
    this.pos++;
  }

  private fetchFlowEnd(type: number): void {
    this.removeSimpleKey();
    if (this.flowLevel > 0) {
      // The level's last number is that of the opening bracket when it held no key, and then a key that began with the
      // bracket is no longer waited for. Go's libraries behave so, and with it what `[a]: b` means.
      this.keyLevels.delete(this.simpleKeys[this.flowLevel]!.tokenNumber);
      this.flowLevel--;
    }
    this.simpleKeyAllowed = false;
    this.push(this.tokenHere(type, 1));
    this.pos++;
  }

  private fetchFlowEntry(): void {
    this.removeSimpleKey();
    this.simpleKeyAllowed = true;
    this.push(this.tokenHere(T.FLOW_ENTRY, 1));
    this.pos++;
  }

  private fetchBlockEntry(): void {
    if (this.flowLevel === 0) {
      if (!this.simpleKeyAllowed) {
        throw this.fail('block sequence entries are not allowed in this context', this.line);
      }
      this.rollIndent(this.column, -1, T.BLOCK_SEQUENCE_START, this.mark());
    }
    this.removeSimpleKey();
    this.simpleKeyAllowed = true;
    this.push(this.tokenHere(T.BLOCK_ENTRY, 1));
    this.pos++;
  }

  private fetchKey(): void {
    if (this.flowLevel === 0) {
      if (!this.simpleKeyAllowed) {
        throw this.fail('mapping keys are not allowed in this context', this.line);
      }
      this.rollIndent(this.column, -1, T.BLOCK_MAPPING_START, this.mark());
    }
    this.removeSimpleKey();
    this.simpleKeyAllowed = this.flowLevel === 0;
    this.push(this.tokenHere(T.KEY, 1));
    this.pos++;
  }

  private fetchValue(): void {
    const key = this.simpleKeys[this.flowLevel]!;
    if (this.isStillPossible(key)) {
      const mark: Mark = { index: key.index, line: key.line, column: key.column };
      this.insert(key.tokenNumber, T.createToken(T.KEY, mark, mark.column));
      this.rollIndent(key.column, key.tokenNumber, T.BLOCK_MAPPING_START, mark);
      key.possible = false;
      this.keyLevels.delete(key.tokenNumber);
      this.simpleKeyAllowed = false;
    } else {
      if (this.flowLevel === 0) {
        if (!this.simpleKeyAllowed) {
          throw this.fail('mapping values are not allowed in this context', this.line);
        }
        this.rollIndent(this.column, -1, T.BLOCK_MAPPING_START, this.mark());
      }
      this.simpleKeyAllowed = this.flowLevel === 0;
    }
    this.push(this.tokenHere(T.VALUE, 1));
    this.pos++;
  }

  private scanToNextToken(scanMark: Mark): void {
    const { text } = this;
    for (;;) {
      let c = text.charCodeAt(this.pos);
      const tabs = this.flowLevel > 0 || !this.simpleKeyAllowed;
      while (c === SPACE || (tabs && c === TAB)) c = text.charCodeAt(++this.pos);
      if (this.comments.length > 0 && !isBreak(c)) this.liftDashComment();
      if (c === HASH) {
        if (this.dialect === 'v3') scanComments(this, scanMark);
        else while (!isBreakOrEnd(text.charCodeAt(this.pos))) this.pos++;
        c = text.charCodeAt(this.pos);
      }
      if (!isBreak(c)) return;
      this.skipBreak();
      if (this.flowLevel === 0) this.simpleKeyAllowed = true;
    }
  }

  /** `- # comment` above an indented item: the line comment becomes a head comment of the item. */
  private liftDashComment(): void {
    const count = this.tokens.length;
    if (count < 2) return;
    const comment = this.comments[this.comments.length - 1]!;
    if (
      comment.line === '' ||
      this.tokens[count - 1]!.type !== T.BLOCK_ENTRY ||
      this.tokens[count - 2]!.type !== T.BLOCK_SEQUENCE_START
    ) {
      return;
    }
    comment.head = comment.line;
    comment.line = '';
    if (comment.start.line === this.line - 1) comment.anchorIndex = this.pos;
  }
}

function createSimpleKey(): SimpleKey {
  return { possible: false, required: false, tokenNumber: 0, index: 0, line: 0, column: 0 };
}

/** Whether a plain scalar may begin with `c` whatever follows. */
function mayStartPlain(c: number): boolean {
  if (isBlankOrEnd(c)) return false;
  switch (c) {
    case DASH:
    case QUESTION:
    case COLON:
    case COMMA:
    case BRACKET_OPEN:
    case BRACKET_CLOSE:
    case BRACE_OPEN:
    case BRACE_CLOSE:
    case HASH:
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
      return false;
    default:
      return true;
  }
}
