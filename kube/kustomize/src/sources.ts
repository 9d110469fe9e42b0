/** What set a field: a line of a file, or a statement of a kustomization file. */
export interface Source {
  readonly kind: 'none' | 'file' | 'statement';
  /** The path in the tree, or a URL. */
  readonly path: string;
  /** For a statement: what it is, such as `images`, and which one of the list. */
  readonly field?: string;
  readonly index?: number;
  /** For a statement whose text stands in a file of its own (a patch by path), that file is the source instead. */
  readonly transformer?: string;
}

/** The sources of one build, by number; nodes carry the number. 0 is none. */
export class Sources {
  readonly #list: Source[] = [{ kind: 'none', path: '' }];
  readonly #files = new Map<string, number>();

  file(path: string): number {
    let number = this.#files.get(path);
    if (number === undefined) {
      number = this.#list.push({ kind: 'file', path }) - 1;
      this.#files.set(path, number);
    }
    return number;
  }

  statement(path: string, field: string, index?: number): number {
    const source: Source = {
      kind: 'statement',
      path,
      field,
      ...(index === undefined ? {} : { index }),
    };
    return this.#list.push(source) - 1;
  }

  at(number: number): Source {
    return this.#list[number] ?? this.#list[0]!;
  }
}
