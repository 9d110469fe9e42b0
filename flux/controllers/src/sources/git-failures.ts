import { pickVersion } from '@capstan/engine-source/store';
import type { GitRepository } from '@capstan/flux-api';
import { EMPTY_REPOSITORY } from '@capstan/lib-git';
import type { CapstanError } from '@capstan/lib-std';
import { failedWith } from './source-controller.ts';
import type { FailedOutcome } from './source-outcome.ts';

const SIGNATURES: Readonly<Record<string, string>> = {
  SIGNATURE_WITHOUT_TAG: 'InvalidVerificationMode',
  SIGNATURE_TAG_UNSIGNED: 'InvalidGitObject',
  SIGNATURE_TAG_INVALID: 'InvalidTagSignature',
  SIGNATURE_COMMIT_INVALID: 'InvalidCommitSignature',
};

/** Where a failure on the way to a commit belongs, in the words of the original (source-controller, fluxcd/pkg/git). */
export function gitFailure(repository: GitRepository, error: CapstanError): FailedOutcome {
  const { code, message } = error;
  const reason = SIGNATURES[code];
  if (reason !== undefined) {
    const response = code === 'SIGNATURE_WITHOUT_TAG' ? 'stall' : 'retry';
    return { kind: 'failed', condition: 'SourceVerified', reason, message, response };
  }
  if (code === 'URL_INVALID') return failedWith('URLInvalid', error);
  if (code === 'SPARSE_MISSING') return failedWith('GitOperationFailed', error);
  if (isEmpty(repository, error)) {
    const empty = { condition: 'FetchFailed', reason: 'EmptyGitRepository' } as const;
    return { kind: 'failed', ...empty, message: 'git repository is empty', response: 'retry' };
  }
  const words = wordsOf(repository, error);
  const hint = error.hint === undefined ? '' : ` (${error.hint})`;
  return {
    kind: 'failed',
    condition: 'FetchFailed',
    reason: 'GitOperationFailed',
    message: `failed to checkout and determine revision: ${words}${hint}`,
    response: 'retry',
  };
}

/** A branch of a repository without any is nothing wrong with the branch. */
function isEmpty({ spec: { ref = {} } }: GitRepository, { code, hint }: CapstanError): boolean {
  if (code !== 'GIT_REVISION_UNKNOWN' || hint !== EMPTY_REPOSITORY) return false;
  return !ref.commit && !ref.name && !ref.semver && !ref.tag;
}

function wordsOf({ spec: { url, ref = {} } }: GitRepository, error: CapstanError): string {
  const missing = (what: string) => `unable to clone: ${what}: git repository: '${url}'`;
  switch (error.code) {
    case 'GIT_REVISION_UNKNOWN':
      return revisionWords(ref, missing);
    case 'GIT_REPOSITORY_NOT_FOUND':
    case 'GIT_NOT_A_REPOSITORY':
      return missing('repository not found');
    case 'GIT_AUTHENTICATION_FAILED':
      return `unable to clone '${url}': authentication required`;
    default:
      return `unable to clone '${url}': ${error.message}`;
  }
}

function revisionWords(
  ref: NonNullable<GitRepository['spec']['ref']>,
  missing: (what: string) => string,
): string {
  const noRef = (name: string) => missing(`couldn't find remote ref ${JSON.stringify(name)}`);
  if (ref.commit) return `unable to resolve commit object for '${ref.commit}': object not found`;
  if (ref.name) return `unable to resolve ref '${ref.name}' to a specific commit`;
  if (ref.semver) {
    return pickVersion(ref.semver, []) === 'not-a-range'
      ? `semver parse error: improper constraint: ${ref.semver}`
      : `no match found for semver: ${ref.semver}`;
  }
  return noRef(ref.tag ? `refs/tags/${ref.tag}` : `refs/heads/${ref.branch || 'master'}`);
}
