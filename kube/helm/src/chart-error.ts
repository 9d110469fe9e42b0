import { CapstanError } from '@capstan/lib-std';

/** A chart, its values or its templates are at fault: a person must change them. `message` is the original's text. */
export class ChartError extends CapstanError {
  constructor(code: string, message: string, cause?: unknown) {
    super(code, message, cause === undefined ? {} : { cause });
    this.name = 'ChartError';
  }
}
