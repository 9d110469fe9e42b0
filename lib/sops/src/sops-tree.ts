/** The tree that SOPS sees in every format: branches of named items in their order, lists, values, comments. */
export type SopsValue = SopsLeaf | SopsBranch | SopsList;

export interface SopsLeaf {
  readonly kind: 'leaf';
  /** `null` is no value: it is neither encrypted nor part of the MAC. */
  readonly type: 'str' | 'int' | 'float' | 'bool' | 'bytes' | 'time' | 'null';
  /** As it counts into the MAC: `True`, `12`, `1.5`, RFC 3339. Bytes as latin1. */
  readonly text: string;
}

export interface SopsBranch {
  readonly kind: 'branch';
  readonly items: readonly SopsItem[];
}

export interface SopsList {
  readonly kind: 'list';
  readonly items: readonly (SopsValue | SopsComment)[];
}

export interface SopsComment {
  readonly kind: 'comment';
  readonly text: string;
  readonly inline: boolean;
}

export type SopsItem =
  | { readonly kind: 'item'; readonly key: string; readonly value: SopsValue }
  | SopsComment;

export function textLeaf(text: string): SopsLeaf {
  return { kind: 'leaf', type: 'str', text };
}

/** A value without its types, for metadata. Comments go. */
export function toPlain(value: SopsValue): unknown {
  if (value.kind === 'list') {
    return value.items.flatMap((item) => (item.kind === 'comment' ? [] : [toPlain(item)]));
  }
  if (value.kind === 'branch') {
    const entries = value.items.flatMap((item) =>
      item.kind === 'item' ? [[item.key, toPlain(item.value)] as const] : [],
    );
    return Object.fromEntries(entries);
  }
  return value.type === 'null' ? undefined : value.text;
}
