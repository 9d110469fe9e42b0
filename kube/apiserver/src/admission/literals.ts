/** An expression without literals of types, and how to find its way back to the original. */
export interface Spelled {
  readonly text: string;
  /** The names of the types of all literals: `Object`, `Object.spec`, `JSONPatch`. */
  readonly types: ReadonlySet<string>;
  /** The place in the original of a place in `text`. */
  origin(at: number): number;
}

/** The function that stands for a literal of a type. */
export function literalFunction(type: string): string {
  return `__${type.replaceAll(/[^\w]/g, '_')}`;
}

/**
 * `Object.spec{replicas: 3}` and `JSONPatch{op: "add", …}`, which the CEL library does not read, as calls of a function with a
 * map: `__Object_spec({"replicas": 3})`.
 */
export function spellLiterals(source: string): Spelled {
  const speller = new Speller(source);
  return speller.run();
}

const TEXT = /r?(?:"""[\s\S]*?"""|'''[\s\S]*?'''|"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*')/iy;
const LITERAL = /(Object(?:\.\w+|\.`[^`]+`)*|JSONPatch)\s*\{/y;
const FIELD = /(\s*\??\s*)(?:(\w+)|`([^`]+)`)\s*:/y;
const WORD = /\w+|[\s\S]/y;

class Speller {
  readonly #source: string;
  readonly #types = new Set<string>();
  readonly #frames: ('message' | 'other')[] = [];
  readonly #origins: number[] = [];
  #out = '';
  #at = 0;

  constructor(source: string) {
    this.#source = source;
  }

  run(): Spelled {
    while (this.#at < this.#source.length) this.#step();
    const origins = this.#origins;
    return {
      text: this.#out,
      types: this.#types,
      origin: (at) => origins[at] ?? this.#source.length,
    };
  }

  #step(): void {
    const quoted = this.#match(TEXT);
    const literal = /[\w.]/.test(this.#out.at(-1) ?? '') ? undefined : this.#match(LITERAL);
    if (quoted !== undefined) this.#emit(quoted[0], quoted[0].length);
    else if (literal !== undefined) this.#open(literal[1] ?? '', literal[0].length);
    else this.#other();
  }

  #other(): void {
    const char = this.#source[this.#at] ?? '';
    if (/[)\]}]/.test(char)) {
      const closed = this.#frames.pop();
      this.#emit(closed === 'message' ? `${char})` : char, 1);
      return;
    }
    if (/[([{]/.test(char)) this.#frames.push('other');
    const word = this.#match(WORD)?.[0] ?? char;
    this.#emit(word, word.length);
    if (char === ',' && this.#frames.at(-1) === 'message') this.#field();
  }

  #open(name: string, length: number): void {
    const type = name.replaceAll('`', '');
    this.#types.add(type);
    this.#frames.push('message');
    this.#emit(`${literalFunction(type)}({`, length);
    this.#field();
  }

  /** A field's name as the key of a map. */
  #field(): void {
    const found = this.#match(FIELD);
    if (found === undefined) return;
    const name = JSON.stringify(found[2] ?? found[3] ?? '');
    this.#emit(`${found[1] ?? ''}${name}:`, found[0].length);
  }

  #match(pattern: RegExp): RegExpExecArray | undefined {
    pattern.lastIndex = this.#at;
    return pattern.exec(this.#source) ?? undefined;
  }

  #emit(text: string, length: number): void {
    for (let i = 0; i < text.length; i++) {
      this.#origins.push(this.#at + Math.min(i, Math.max(length - 1, 0)));
    }
    this.#out += text;
    this.#at += length;
  }
}
