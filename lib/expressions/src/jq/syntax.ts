/** The syntax tree of jq. */
export type Node =
  | { readonly kind: 'identity' | 'recurse' | 'break'; readonly label?: string }
  | { readonly kind: 'literal'; readonly value: null | boolean | number | string }
  | { readonly kind: 'text'; readonly format: string | undefined; readonly parts: readonly Node[] }
  | { readonly kind: 'format'; readonly name: string }
  | {
      readonly kind: 'index';
      readonly target: Node;
      readonly key: Node;
      readonly isOptional?: boolean;
    }
  | {
      readonly kind: 'slice';
      readonly target: Node;
      readonly from: Node | undefined;
      readonly to: Node | undefined;
      readonly isOptional?: boolean;
    }
  | { readonly kind: 'iterate'; readonly target: Node; readonly isOptional?: boolean }
  | { readonly kind: 'array'; readonly body: Node | undefined }
  | { readonly kind: 'object'; readonly entries: readonly (readonly [Node, Node])[] }
  | { readonly kind: 'negate'; readonly body: Node }
  | {
      readonly kind: 'pipe' | 'comma' | 'alternative' | 'and' | 'or';
      readonly left: Node;
      readonly right: Node;
    }
  | {
      readonly kind: 'binary';
      readonly operator: string;
      readonly left: Node;
      readonly right: Node;
    }
  | {
      readonly kind: 'update';
      readonly operator: string;
      readonly left: Node;
      readonly right: Node;
    }
  | {
      readonly kind: 'if';
      readonly condition: Node;
      readonly then: Node;
      readonly otherwise: Node | undefined;
    }
  | { readonly kind: 'try'; readonly body: Node; readonly handler: Node | undefined }
  | { readonly kind: 'bind'; readonly source: Node; readonly pattern: Pattern; readonly body: Node }
  | {
      readonly kind: 'reduce';
      readonly source: Node;
      readonly pattern: Pattern;
      readonly start: Node;
      readonly update: Node;
    }
  | {
      readonly kind: 'foreach';
      readonly source: Node;
      readonly pattern: Pattern;
      readonly start: Node;
      readonly update: Node;
      readonly extract: Node | undefined;
    }
  | { readonly kind: 'label'; readonly name: string; readonly body: Node }
  | { readonly kind: 'variable'; readonly name: string }
  | { readonly kind: 'call'; readonly name: string; readonly args: readonly Node[] }
  | { readonly kind: 'define'; readonly definition: Definition; readonly body: Node };

export type Pattern =
  | { readonly kind: 'variable'; readonly name: string }
  | { readonly kind: 'list'; readonly items: readonly Pattern[] }
  | {
      readonly kind: 'record';
      readonly fields: readonly {
        readonly key: Node;
        readonly variable: string | undefined;
        readonly pattern: Pattern | undefined;
      }[];
    };

/** Parameters that begin with `$` are values. */
export interface Definition {
  readonly name: string;
  readonly parameters: readonly string[];
  readonly body: Node;
}
