/** Where in a file something was said. Line and column count from 1. */
export interface Location {
  readonly file: string;
  readonly line?: number;
  readonly column?: number;
}

/** What is wrong with a user's input, as data beside a result. `hint` says what to do. */
export interface Diagnostic {
  readonly severity: 'error' | 'warning';
  readonly code: string;
  readonly message: string;
  readonly hint?: string;
  readonly location?: Location;
}

/** `file:line:column: message (hint)`, leaving out what is not known. */
export function formatDiagnostic(diagnostic: Diagnostic): string {
  const { location, message, hint } = diagnostic;
  const tail = hint === undefined ? message : `${message} (${hint})`;
  return location === undefined ? tail : `${formatLocation(location)}: ${tail}`;
}

export function formatLocation({ file, line, column }: Location): string {
  return [file, line, column].filter((part) => part !== undefined).join(':');
}
