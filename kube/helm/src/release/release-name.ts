import { ReleaseError } from './release-error.ts';

const NAME = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;

/** Throws with the original's text, behind `prefix`, for a name that no release can have. */
export function checkReleaseName(name: string, prefix: (problem: string) => string): void {
  if (name === '') throw new ReleaseError('RELEASE_NAME', prefix('no name provided'));
  if (name.length <= 53 && NAME.test(name)) return;
  throw new ReleaseError(
    'RELEASE_NAME',
    prefix(
      `invalid release name, must match regex ${NAME.source} and the length must not be longer than 53`,
    ),
  );
}
