/**
 * What the loop above must do with an error:
 * - `retry`: try again with backoff (network, conflict, timeout);
 * - `wait`: normal, something else must happen first (a dependency is not ready);
 * - `stalled`: a person must act; retrying cannot help (bad input, forbidden);
 * - `bug`: an invariant of ours failed; its message is never shown to an API client.
 */
export type ErrorKind = 'retry' | 'wait' | 'stalled' | 'bug';

export interface ErrorOptions {
  /** What the reader can do about it: a command, or a field to change. */
  readonly hint?: string;
  readonly kind?: ErrorKind;
  readonly cause?: unknown;
}

/**
 * The one error class of the project. `code` is stable (SCREAMING_SNAKE), `message` says what failed on which object,
 * `hint` what to do. Credentials in URLs and control characters are removed when the error is built, so that no later
 * printer can leak them.
 */
export class CapstanError extends Error {
  readonly code: string;
  readonly kind: ErrorKind;
  readonly hint: string | undefined;

  constructor(code: string, message: string, options: ErrorOptions = {}) {
    super(redact(message), options.cause === undefined ? {} : { cause: options.cause });
    this.name = 'CapstanError';
    this.code = code;
    this.kind = options.kind ?? 'stalled';
    this.hint = options.hint === undefined ? undefined : redact(options.hint);
  }
}

/** The message of anything thrown, for wrapping; never a stack. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/**
 * Removes user and password from every URL in `text`, and control characters other than newline and tab.
 * One scan and no regular expression over the whole text: the input may be hostile and long.
 */
export function redact(text: string): string {
  let out = '';
  let from = 0;
  for (;;) {
    const scheme = text.indexOf('://', from);
    if (scheme < 0) break;
    const start = scheme + 3;
    let end = start;
    let at = -1;
    while (end < text.length && !isUrlEnd(text.charCodeAt(end))) {
      if (text.charCodeAt(end) === 0x40) at = end;
      end++;
    }
    out += text.slice(from, start);
    // An '@' after the first '/' belongs to the path, unless the user part itself holds slashes; hide in doubt.
    out += at < 0 ? text.slice(start, end) : `***${text.slice(at, end)}`;
    from = end;
  }
  return stripControl(out + text.slice(from));
}

function isUrlEnd(code: number): boolean {
  return (
    code <= 0x20 ||
    code === 0x22 ||
    code === 0x27 ||
    code === 0x3c ||
    code === 0x3e ||
    code === 0x60
  );
}

function stripControl(text: string): string {
  let dirty = false;
  for (let i = 0; i < text.length && !dirty; i++) dirty = isControl(text.charCodeAt(i));
  if (!dirty) return text;
  return [...text].filter((c) => !isControl(c.charCodeAt(0))).join('');
}

function isControl(code: number): boolean {
  return (code < 0x20 && code !== 0x0a && code !== 0x09) || code === 0x7f;
}
