import { quote } from '@capstan/lib-gotemplate';

/** One failure in the tree of failures that a schema gives. */
export interface SchemaError {
  readonly path: readonly string[];
  readonly message: string;
  readonly causes: readonly SchemaError[];
  /** `group` and `reference` show their causes only; `reference` alone when it has just one. */
  readonly kind: 'plain' | 'group' | 'reference';
}

/** The failures as the lines that helm prints: `- at '/replicas': got string, want integer`. */
export function formatSchemaErrors(errors: readonly SchemaError[]): string {
  return errors.map((error) => formatError(error, 0)).join('\n');
}

function formatError(error: SchemaError, indent: number): string {
  const skipped = error.kind === 'reference' && error.causes.length === 1;
  const own = skipped
    ? []
    : [`${'  '.repeat(indent)}- at ${quoted(pointer(error.path))}: ${error.message}`];
  const inner = error.causes.map((cause) => formatError(cause, skipped ? indent : indent + 1));
  return [...own, ...inner].join('\n');
}

export function pointer(path: readonly string[]): string {
  return path.map((token) => `/${token.replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
}

/** Text between single quotes, escaped as Go's %q does but for double quotes. */
export function quoted(text: string): string {
  const escaped = quote(text).slice(1, -1).replaceAll('\\"', '"').replaceAll("'", "\\'");
  return `'${escaped}'`;
}

export function display(value: unknown): string {
  if (typeof value === 'string') return quoted(value);
  if (typeof value === 'object' && value !== null) return 'value';
  return value === null ? '<nil>' : String(value);
}
