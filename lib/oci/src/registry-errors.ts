const ERRORS_MAX = 3;
const TEXT_MAX = 300;

/**
 * What a registry says of a failure (distribution-spec, "Error Codes"), as Go's clients print it: `: MANIFEST_UNKNOWN: manifest
 * unknown; map[Tag:1.0]`. '' when it says nothing of that form.
 */
export function registryErrors(body: Uint8Array): string {
  const told = parseErrors(body).slice(0, ERRORS_MAX).map(print);
  return told.length === 0 ? '' : `: ${told.join('; ')}`.slice(0, TEXT_MAX);
}

function parseErrors(body: Uint8Array): readonly Readonly<Record<string, unknown>>[] {
  try {
    const value: unknown = JSON.parse(new TextDecoder().decode(body));
    const errors = isDict(value) ? value['errors'] : undefined;
    return Array.isArray(errors) ? errors.filter(isDict) : [];
  } catch {
    return [];
  }
}

function print({ code, message, detail }: Readonly<Record<string, unknown>>): string {
  const text = `${plain(code)}: ${plain(message)}`;
  return detail === undefined || detail === null ? text : `${text}; ${plain(detail)}`;
}

/** As Go's %v: maps by their keys in order. */
function plain(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(plain).join(' ')}]`;
  if (isDict(value)) {
    const pairs = Object.keys(value)
      .toSorted()
      .map((key) => `${key}:${plain(value[key])}`);
    return `map[${pairs.join(' ')}]`;
  }
  if (value === null) return '<nil>';
  // Of a stranger: what would break a line of a log is left out.
  return value === undefined ? '' : String(value).replaceAll(/[\u0000-\u001f\u007f]/g, ' ');
}

function isDict(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
