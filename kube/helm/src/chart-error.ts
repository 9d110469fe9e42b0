import { CapstanError } from '@capstan/lib-std';

/** A chart, its values or its templates are at fault: a person must change them. `message` is the original's text. */
export class ChartError extends CapstanError {
  constructor(code: string, message: string, cause?: unknown) {
    super(code, message, cause === undefined ? {} : { cause });
    this.name = 'ChartError';
  }
}

/** What the templates printed cannot be read as manifests; `rendered` is all of it, for a person who looks for the fault. */
export class UnreadableManifestError extends ChartError {
  readonly rendered: string;

  constructor(error: ChartError, files: ReadonlyMap<string, string>) {
    super(error.code, error.message, error);
    this.name = 'UnreadableManifestError';
    const printed = [...files].filter(([, text]) => text.trim() !== '');
    this.rendered = printed.map(([path, text]) => `---\n# Source: ${path}\n${text}\n`).join('');
  }
}
