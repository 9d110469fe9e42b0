import { DASH, HASH, isBlank, LF } from './chars.ts';
import { FastReader, FULL_SCAN } from './fast-reader.ts';
import { createNode, Style, type YamlNode } from './node.ts';
import { resolveTag } from './resolve.ts';

/** What was read before the full scanner must take over, and where it must start. */
export interface FastDocuments {
  readonly documents: YamlNode[];
  /** Index and zero-based line of the first document that was not read; the length of the text when there is none. */
  readonly index: number;
  readonly line: number;
}

/** Reads documents into v3's nodes, until the end or the first that needs the scanner. */
export class FastNodes extends FastReader<YamlNode, YamlNode, YamlNode, YamlNode> {
  constructor(text: string) {
    super(text, { skipsComments: false });
  }

  /** Reads at most `count` documents. */
  read(count: number): FastDocuments {
    const { text } = this;
    const documents: YamlNode[] = [];
    const length = text.length - 1;
    let index = 0;
    let line = 0;
    try {
      while (documents.length < count) {
        const document = this.document();
        if (this.commentFollows()) break;
        documents.push(document);
        index = this.pos;
        line = this.line;
        if (index >= length) break;
      }
    } catch (error) {
      if (error !== FULL_SCAN) throw error;
    }
    return { documents, index, line };
  }

  /** A comment at the top of the next document belongs to the one before, where the scanner must put it. */
  private commentFollows(): boolean {
    const { text } = this;
    let at = this.pos;
    while (text.charCodeAt(at) === DASH) at++;
    while (isBlank(text.charCodeAt(at)) || text.charCodeAt(at) === LF) at++;
    return text.charCodeAt(at) === HASH;
  }

  private document(): YamlNode {
    const document = createNode('document');
    const explicit = this.text.startsWith('---\n', this.pos);
    if (explicit) {
      document.line = this.line + 1;
      document.column = 1;
      this.pos += 4;
      this.line++;
      this.lineStart = this.pos;
    }
    const root = this.readRoot();
    if (!explicit) {
      document.line = root.line;
      document.column = root.column;
    }
    document.content.push(root);
    return document;
  }

  protected startMapping(index: number, flow: boolean): YamlNode {
    return this.collection('mapping', '!!map', index, flow);
  }

  protected startSequence(index: number, flow: boolean): YamlNode {
    return this.collection('sequence', '!!seq', index, flow);
  }

  protected addEntry(mapping: YamlNode, key: YamlNode, value: YamlNode): void {
    mapping.content.push(key, value);
  }

  protected addItem(sequence: YamlNode, item: YamlNode): void {
    sequence.content.push(item);
  }

  protected plainKey(from: number, to: number): YamlNode {
    return this.plain(from, to);
  }

  protected quotedKey(index: number, value: string, single: boolean): YamlNode {
    return this.quoted(index, value, single);
  }

  protected plain(from: number, to: number): YamlNode {
    const value = this.text.slice(from, to);
    const tag = value === '<<' ? '!!merge' : resolveTag(value);
    return this.scalar(tag, value, 0, from, this.line);
  }

  protected quoted(index: number, value: string, single: boolean): YamlNode {
    return this.scalar('!!str', value, single ? Style.single : Style.double, index, this.line);
  }

  protected blockText(index: number, line: number, value: string, literal: boolean): YamlNode {
    return this.scalar('!!str', value, literal ? Style.literal : Style.folded, index, line);
  }

  protected empty(index: number, line: number): YamlNode {
    return this.scalar('!!null', '', 0, index, line);
  }

  private collection(
    kind: 'mapping' | 'sequence',
    tag: string,
    index: number,
    flow: boolean,
  ): YamlNode {
    const node = createNode(kind, tag);
    if (flow) node.style = Style.flow;
    node.line = this.line + 1;
    node.column = index - this.lineStart + 1;
    return node;
  }

  private scalar(tag: string, value: string, style: number, index: number, line: number): YamlNode {
    const node = createNode('scalar', tag, value);
    node.style = style;
    node.line = line + 1;
    node.column = index - this.lineStart + 1;
    return node;
  }
}
