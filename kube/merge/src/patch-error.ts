import { CapstanError } from '@capstan/lib-std';

/**
 * A patch that cannot be read or does not fit its target. `message` is the official library's text, which the API server
 * shows as it is. `reason`: a server answers `malformed` with 400 and `unprocessable` with 422.
 */
export class PatchError extends CapstanError {
  readonly reason: 'malformed' | 'unprocessable';

  constructor(reason: 'malformed' | 'unprocessable', message: string) {
    super(reason === 'malformed' ? 'PATCH_MALFORMED' : 'PATCH_UNPROCESSABLE', message, {
      hint: 'compare the patch with the object it is for',
    });
    this.name = 'PatchError';
    this.reason = reason;
  }
}
