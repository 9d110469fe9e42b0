import type { CapstanError } from '@capstan/lib-std';
import { yamlError } from './errors.ts';
import { DEFAULT_LIMITS, type YamlLimits } from './limits.ts';
import { createNode, Style, shortTag, type YamlNode } from './node.ts';
import { resolveTag } from './resolve.ts';
import { type Dialect, Scanner } from './scanner.ts';
import type { Comment, Token } from './token.ts';
import * as T from './token.ts';

/**
 * Builds nodes from tokens by recursive descent, and hands out comments: `peek` collects those that end before the token
 * it shows, and the next node (or end of a collection) that takes comments gets all that were collected.
 */
export class NodeParser {
  private readonly scanner: Scanner;
  private readonly v3: boolean;
  private readonly tagDirectives = new Map<string, string>();
  /** In v3 an anchor outlives its document; in v2 it does not. */
  private readonly anchors = new Map<string, YamlNode>();
  private commentsTaken = 0;
  private head = '';
  private line = '';
  private foot = '';
  /** A comment above a dash whose item is itself a collection. */
  private stem = '';
  private started: boolean;
  /** An error that is thrown when the next node is made. */
  private waiting: unknown;

  /** With a `line` the text is the rest of a stream, begins with `---`, and that line is its zero-based number. */
  constructor(text: string, dialect: Dialect, limits: YamlLimits = DEFAULT_LIMITS, line?: number) {
    this.scanner = new Scanner(text, dialect, limits, line ?? 0);
    this.started = line !== undefined;
    this.v3 = dialect === 'v3';
    this.peek();
    this.scanner.skip();
  }

  /** Whether scanning has come close to the end of the text. */
  get atEnd(): boolean {
    return this.scanner.pos + 8 > this.scanner.text.length - 4;
  }

  /** Scans what a parser looks at behind a document before it is done with it; throws when that is unsound. */
  lookAhead(): void {
    this.peek();
  }

  /** The next document, or nothing at the end of the stream. */
  next(): YamlNode | undefined {
    let token = this.peek();
    const implicit = !this.started;
    this.started = true;
    if (!implicit) {
      while (token.type === T.DOCUMENT_END) {
        this.scanner.skip();
        token = this.peek();
      }
    }
    if (token.type === T.STREAM_END) return undefined;
    const document = this.node('document', token);
    if (!this.v3) this.anchors.clear();
    const bare = implicit && !isDocumentHead(token.type);
    this.readDirectives();
    if (bare) {
      this.takeDocumentHead(document);
      document.content.push(this.parseNode(true, false));
    } else {
      token = this.peek();
      if (token.type !== T.DOCUMENT_START) {
        throw this.fail('did not find expected <document start>', 0, token.line);
      }
      this.scanner.skip();
      document.content.push(this.parseContent());
    }
    this.endDocument(document);
    return document;
  }

  private parseContent(): YamlNode {
    const token = this.peek();
    const empty =
      isDocumentHead(token.type) || token.type === T.DOCUMENT_END || token.type === T.STREAM_END;
    return empty ? this.emptyScalar(token, token.column) : this.parseNode(true, false);
  }

  private endDocument(document: YamlNode): void {
    const token = this.peek();
    if (token.type === T.DOCUMENT_END) this.scanner.skip();
    this.tagDirectives.clear();
    const head = this.head;
    const foot = this.foot;
    this.dropComments();
    document.footComment = foot === '' ? head : foot;
  }

  /** A comment at the top that an empty line divides from the rest belongs to the document. */
  private takeDocumentHead(document: YamlNode): void {
    const text = this.head;
    for (let i = text.length - 1; i > 0; i--) {
      if (text[i] !== '\n') continue;
      if (i === text.length - 1) document.headComment = text.slice(0, i);
      else if (text[i - 1] === '\n') document.headComment = text.slice(0, i - 1);
      else continue;
      this.head = text.slice(i + 1);
      return;
    }
  }

  private readDirectives(): void {
    let hasVersion = false;
    let token = this.peek();
    while (token.type === T.VERSION_DIRECTIVE || token.type === T.TAG_DIRECTIVE) {
      if (token.type === T.VERSION_DIRECTIVE) {
        if (hasVersion) throw this.fail('found duplicate %YAML directive', 0, token.line);
        if (token.style !== 101) throw this.fail('found incompatible YAML document', 0, token.line);
        hasVersion = true;
      } else {
        if (this.tagDirectives.has(token.value)) {
          throw this.fail('found duplicate %TAG directive', 0, token.line);
        }
        this.tagDirectives.set(token.value, token.suffix);
      }
      this.scanner.skip();
      token = this.peek();
    }
    if (!this.tagDirectives.has('!')) this.tagDirectives.set('!', '!');
    if (!this.tagDirectives.has('!!')) this.tagDirectives.set('!!', 'tag:yaml.org,2002:');
  }

  private parseNode(block: boolean, indentlessSequence: boolean): YamlNode {
    let token = this.peek();
    if (token.type === T.ALIAS) return this.parseAlias(token);
    const start = token;
    let anchor = '';
    let tagToken: Token | undefined;
    for (let i = 0; i < 2; i++) {
      if (token.type === T.ANCHOR && anchor === '') anchor = token.value;
      else if (token.type === T.TAG && tagToken === undefined) tagToken = token;
      else break;
      this.scanner.skip();
      token = this.peek();
    }
    const tag = tagToken === undefined ? '' : this.resolveHandle(tagToken, start);
    if (indentlessSequence && token.type === T.BLOCK_ENTRY) {
      return this.parseSequence(this.collection('sequence', start, anchor, tag), T.BLOCK_ENTRY);
    }
    switch (token.type) {
      case T.SCALAR:
        return this.parseScalar(token, start, anchor, tag);
      case T.FLOW_SEQUENCE_START: {
        const node = this.collection('sequence', start, anchor, tag, Style.flow);
        this.takeComments(node);
        return this.parseFlowSequence(node);
      }
      case T.FLOW_MAPPING_START: {
        const node = this.collection('mapping', start, anchor, tag, Style.flow);
        this.takeComments(node);
        return this.parseFlowMapping(node);
      }
      case T.BLOCK_SEQUENCE_START: {
        if (!block) break;
        const node = this.collection('sequence', start, anchor, tag);
        this.takeStem(node);
        return this.parseSequence(node, T.BLOCK_SEQUENCE_START);
      }
      case T.BLOCK_MAPPING_START: {
        if (!block) break;
        const node = this.collection('mapping', start, anchor, tag);
        this.takeStem(node);
        return this.parseMapping(node);
      }
    }
    if (anchor !== '' || tag !== '') return this.propertiesOnly(start, anchor, tag);
    throw this.fail('did not find expected node content', start.line, token.line);
  }

  private parseAlias(token: Token): YamlNode {
    const node = this.node('alias', token);
    node.value = token.value;
    this.takeComments(node);
    this.scanner.skip();
    const target = this.anchors.get(token.value);
    if (target === undefined) throw yamlError(`unknown anchor '${token.value}' referenced`);
    node.alias = target;
    return node;
  }

  private resolveHandle(token: Token, start: Token): string {
    if (token.value === '') return token.suffix;
    const prefix = this.tagDirectives.get(token.value);
    const tag = prefix === undefined ? '' : prefix + token.suffix;
    if (tag === '') throw this.fail('found undefined tag handle', start.line, token.line);
    return tag;
  }

  private parseScalar(token: Token, start: Token, anchor: string, tag: string): YamlNode {
    const node = this.node('scalar', start);
    node.value = token.value;
    node.style = token.style;
    this.setScalarTag(node, tag);
    this.takeComments(node);
    this.setAnchor(node, anchor);
    this.scanner.skip();
    return node;
  }

  private propertiesOnly(start: Token, anchor: string, tag: string): YamlNode {
    const node = this.node('scalar', start);
    this.setScalarTag(node, tag);
    this.setAnchor(node, anchor);
    return node;
  }

  private emptyScalar(token: Token, column: number): YamlNode {
    const node = this.node('scalar', token);
    node.column = column + 1;
    node.tag = '!!null';
    return node;
  }

  private setScalarTag(node: YamlNode, tag: string): void {
    if (tag !== '' && (tag !== '!' || !this.v3)) {
      node.tag = shortTag(tag);
      node.style |= Style.tagged;
    } else if (node.style !== 0) node.tag = '!!str';
    else if (!this.v3) node.tag = '';
    else node.tag = node.value === '<<' ? '!!merge' : resolveTag(node.value);
  }

  private collection(
    kind: 'mapping' | 'sequence',
    start: Token,
    anchor: string,
    tag: string,
    style = 0,
  ): YamlNode {
    const node = this.node(kind, start);
    node.style = style;
    if (tag !== '' && tag !== '!') {
      node.tag = shortTag(tag);
      node.style |= Style.tagged;
    } else node.tag = kind === 'mapping' ? '!!map' : '!!seq';
    this.setAnchor(node, anchor);
    return node;
  }

  private setAnchor(node: YamlNode, anchor: string): void {
    if (anchor === '') return;
    node.anchor = anchor;
    this.anchors.set(anchor, node);
  }

  /** A block sequence; one without indentation of its own (`first` is the dash) has no end token. */
  private parseSequence(node: YamlNode, first: number): YamlNode {
    const indentless = first === T.BLOCK_ENTRY;
    const start = this.peek();
    if (!indentless) this.scanner.skip();
    for (;;) {
      let token = this.peek();
      if (token.type !== T.BLOCK_ENTRY) {
        if (indentless) return node;
        if (token.type === T.BLOCK_END) break;
        throw this.fail("did not find expected '-' indicator", start.line, token.line);
      }
      const dash = token;
      const stemLength = this.head.length;
      this.scanner.skip();
      this.splitStem(stemLength);
      token = this.peek();
      const empty =
        token.type === T.BLOCK_ENTRY ||
        token.type === T.BLOCK_END ||
        (indentless && (token.type === T.KEY || token.type === T.VALUE));
      node.content.push(
        empty ? this.emptyScalar(dash, dash.endColumn) : this.parseNode(true, false),
      );
    }
    this.scanner.skip();
    return node;
  }

  /** Sets aside the comment above a dash when the item is a collection, whose first entry must not get it. */
  private splitStem(length: number): void {
    if (length === 0) return;
    const { type } = this.peekOrRetry();
    if (type !== T.BLOCK_SEQUENCE_START && type !== T.BLOCK_MAPPING_START) return;
    this.stem = this.head.slice(0, length);
    this.head = this.head.slice(length + 1);
  }

  private parseMapping(node: YamlNode): YamlNode {
    const start = this.peek();
    this.scanner.skip();
    const { content } = node;
    for (;;) {
      const token = this.peek();
      if (token.type === T.BLOCK_END) break;
      if (token.type !== T.KEY) {
        throw this.fail('did not find expected key', start.line, token.line);
      }
      this.scanner.skip();
      const key = this.parseEntryPart(token);
      content.push(key);
      if (key.footComment !== '' && content.length > 2) {
        // The comment was dedented: it belongs to the entry before.
        content[content.length - 3]!.footComment = key.footComment;
        key.footComment = '';
      }
      const value = this.parseBlockValue();
      content.push(value);
      raiseFoot(key, value);
    }
    node.lineComment = this.line;
    node.footComment = this.foot;
    this.dropComments();
    if (node.footComment !== '' && content.length > 1) {
      content[content.length - 2]!.footComment = node.footComment;
      node.footComment = '';
    }
    this.scanner.skip();
    return node;
  }

  private parseBlockValue(): YamlNode {
    const token = this.peek();
    if (token.type !== T.VALUE) return this.emptyScalar(token, token.column);
    this.scanner.skip();
    return this.parseEntryPart(token);
  }

  /** What follows `?` or `:` in a block mapping: a node, or nothing. */
  private parseEntryPart(indicator: Token): YamlNode {
    const { type } = this.peek();
    if (type === T.KEY || type === T.VALUE || type === T.BLOCK_END) {
      return this.emptyScalar(indicator, indicator.endColumn);
    }
    return this.parseNode(true, true);
  }

  private parseFlowSequence(node: YamlNode): YamlNode {
    const start = this.peek();
    this.scanner.skip();
    for (let first = true; ; first = false) {
      let token = this.peek();
      if (token.type === T.FLOW_SEQUENCE_END) break;
      if (!first) {
        if (token.type !== T.FLOW_ENTRY) {
          throw this.fail("did not find expected ',' or ']'", start.line, token.line);
        }
        this.scanner.skip();
        token = this.peek();
      }
      if (token.type === T.KEY) node.content.push(this.parseFlowPair(token));
      else if (token.type === T.FLOW_SEQUENCE_END) break;
      else node.content.push(this.parseNode(false, false));
    }
    this.endFlow(node);
    return node;
  }

  /** `[a: b]`: a mapping of one entry without braces. */
  private parseFlowPair(start: Token): YamlNode {
    const node = this.node('mapping', start);
    node.tag = '!!map';
    node.style = Style.flow;
    this.scanner.skip();
    let token = this.peek();
    let key: YamlNode;
    if (isFlowPairEnd(token.type) || token.type === T.VALUE) {
      // As in libyaml, the ':' of an entry without key is lost, so that a value after it is an error.
      key = this.emptyScalar(token, token.endColumn);
      this.scanner.skip();
    } else key = this.parseNode(false, false);
    token = this.peek();
    let value: YamlNode;
    if (token.type === T.VALUE) {
      this.scanner.skip();
      const next = this.peek();
      value = isFlowPairEnd(next.type)
        ? this.emptyScalar(token, token.column)
        : this.parseNode(false, false);
    } else value = this.emptyScalar(token, token.column);
    node.content.push(key, value);
    raiseFoot(key, value);
    // The end of the pair looks at the next token, and comments collected so far stay for that.
    this.peek();
    return node;
  }

  private parseFlowMapping(node: YamlNode): YamlNode {
    const start = this.peek();
    this.scanner.skip();
    for (let first = true; ; first = false) {
      let token = this.peek();
      if (token.type === T.FLOW_MAPPING_END) break;
      if (!first) {
        if (token.type !== T.FLOW_ENTRY) {
          throw this.fail("did not find expected ',' or '}'", start.line, token.line);
        }
        this.scanner.skip();
        token = this.peek();
      }
      if (token.type === T.FLOW_MAPPING_END) break;
      this.parseFlowEntry(node, token);
    }
    this.endFlow(node);
    return node;
  }

  private parseFlowEntry(node: YamlNode, first: Token): void {
    let key: YamlNode;
    let value: YamlNode;
    if (first.type === T.KEY) {
      this.scanner.skip();
      let token = this.peek();
      key =
        token.type === T.VALUE || isFlowMappingBreak(token.type)
          ? this.emptyScalar(token, token.column)
          : this.parseNode(false, false);
      token = this.peek();
      if (token.type === T.VALUE) {
        this.scanner.skip();
        token = this.peek();
        value = isFlowMappingBreak(token.type)
          ? this.emptyScalar(token, token.column)
          : this.parseNode(false, false);
      } else value = this.emptyScalar(token, token.column);
    } else {
      key = this.parseNode(false, false);
      const token = this.peek();
      value = this.emptyScalar(token, token.column);
    }
    node.content.push(key, value);
    raiseFoot(key, value);
  }

  private endFlow(node: YamlNode): void {
    node.lineComment = this.line;
    node.footComment = this.foot;
    this.dropComments();
    this.scanner.skip();
  }

  private node(kind: YamlNode['kind'], start: Token): YamlNode {
    if (this.waiting !== undefined) throw this.waiting;
    const node = createNode(kind);
    node.line = start.line + 1;
    node.column = start.column + 1;
    return node;
  }

  /** The scanner's next token; comments that end before it are collected. */
  private peek(): Token {
    const token = this.scanner.peek();
    const { comments } = this.scanner;
    while (this.commentsTaken < comments.length) {
      const comment = comments[this.commentsTaken]!;
      if (token.index < comment.anchorIndex) break;
      if (comment.head !== '') {
        // An end has no head comment: what follows it does.
        if (token.type === T.BLOCK_END) break;
        this.head = join(this.head, comment.head);
      }
      if (comment.foot !== '') this.foot = join(this.foot, comment.foot);
      if (comment.line !== '') this.line = join(this.line, comment.line);
      forget(comment);
      this.commentsTaken++;
    }
    return token;
  }

  /**
   * As `peek`, but an error waits: it gives way to one that scanning on meets, or that the grammar has before the next
   * node, as in the original.
   */
  private peekOrRetry(): Token {
    try {
      return this.peek();
    } catch (error) {
      const token = this.peek();
      this.waiting = error;
      return token;
    }
  }

  private takeComments(node: YamlNode): void {
    node.headComment = this.head;
    node.lineComment = this.line;
    node.footComment = this.foot;
    this.dropComments();
  }

  private takeStem(node: YamlNode): void {
    node.headComment = this.stem;
    this.stem = '';
  }

  private dropComments(): void {
    this.head = '';
    this.line = '';
    this.foot = '';
    this.stem = '';
  }

  /** An error of the grammar. Go gives the zero-based line as if it were one-based, and so do we. */
  private fail(problem: string, contextLine: number, problemLine: number): CapstanError {
    const line = this.v3 ? contextLine || problemLine : problemLine || contextLine;
    return yamlError(line === 0 ? problem : `line ${line}: ${problem}`);
  }
}

/** A comment that was taken must no longer draw the end of a block to itself. */
function forget(comment: Comment): void {
  comment.head = '';
  comment.line = '';
  comment.foot = '';
  comment.scanIndex = 0;
  comment.endIndex = 0;
  comment.start = { index: 0, line: 0, column: 0 };
}

function raiseFoot(key: YamlNode, value: YamlNode): void {
  if (key.footComment !== '' || value.footComment === '') return;
  key.footComment = value.footComment;
  value.footComment = '';
}

function join(above: string, below: string): string {
  return above === '' ? below : `${above}\n${below}`;
}

function isDocumentHead(type: number): boolean {
  return type === T.VERSION_DIRECTIVE || type === T.TAG_DIRECTIVE || type === T.DOCUMENT_START;
}

function isFlowPairEnd(type: number): boolean {
  return type === T.FLOW_ENTRY || type === T.FLOW_SEQUENCE_END;
}

function isFlowMappingBreak(type: number): boolean {
  return type === T.FLOW_ENTRY || type === T.FLOW_MAPPING_END;
}
