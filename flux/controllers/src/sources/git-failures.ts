import type { GitRepository } from '@capstan/flux-api';
import { EMPTY_REPOSITORY } from '@capstan/lib-git';
import type { CapstanError } from '@capstan/lib-std';
import { constraintProblem } from './constraint-problem.ts';
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
  if (isAppLogin(repository, error)) {
    const prefix = 'failed to configure authentication options: ';
    return failedWith('AuthenticationFailed', error, prefix);
  }
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

/** What went wrong at GitHub's API, not at the repository. */
function isAppLogin({ spec }: GitRepository, { code, message }: CapstanError): boolean {
  if (spec.provider !== 'github') return false;
  return code.startsWith('HTTP_') || /GitHub App/.test(message);
}

/** A branch of a repository without any is nothing wrong with the branch. */
function isEmpty({ spec, status }: GitRepository, { code, hint }: CapstanError): boolean {
  const { ref = {} } = spec;
  if (code !== 'GIT_REVISION_UNKNOWN' || hint !== EMPTY_REPOSITORY) return false;
  if (status.artifact !== undefined) return false;
  return !ref.commit && !ref.name && !ref.semver && !ref.tag;
}

function wordsOf(repository: GitRepository, error: CapstanError): string {
  const { url, ref = {} } = repository.spec;
  const isSsh = url.startsWith('ssh:');
  const failed = (what: string) => `${actOf(repository)} '${url}': ${what}`;
  switch (error.code) {
    case 'GIT_REVISION_UNKNOWN':
      return revisionWords(repository, error);
    case 'GIT_REF_INVALID':
      return ref.name && /^\/|\/$/.test(ref.name)
        ? `ref ${ref.name} is invalid; Git refs cannot begin or end with a slash '/'`
        : failed(error.message);
    case 'GIT_REPOSITORY_NOT_FOUND':
    case 'GIT_NOT_A_REPOSITORY':
      return isSsh
        ? `unable to clone: repository not found: git repository: '${url}'`
        : failed('repository not found');
    case 'GIT_AUTHENTICATION_FAILED':
      return failed(isSsh ? SSH_REFUSED : 'authentication required');
    case 'GIT_HOST_KEY_UNKNOWN':
      return failed(`ssh: handshake failed: knownhosts: key is unknown: ${error.message}`);
    case 'GIT_TLS_FAILED':
      return failed(tlsWords(error));
    case 'GIT_TIMEOUT':
      return failed('context deadline exceeded');
    default:
      return failed(error.message);
  }
}

const SSH_REFUSED =
  'ssh: handshake failed: ssh: unable to authenticate, attempted methods [none publickey], no supported methods remain';

/** Go's words for whose certificate was not accepted. */
function tlsWords({ message }: CapstanError): string {
  return message.endsWith('refused the client certificate')
    ? 'remote error: tls: bad certificate'
    : 'tls: failed to verify certificate: x509: certificate signed by unknown authority';
}

/** What the original was about: with an artifact at hand it asks for the refs before it clones, and by name always. */
function actOf({ spec: { ref = {} }, status }: GitRepository): string {
  const asksFirst = status.artifact !== undefined && !(ref.semver && !ref.tag);
  return !ref.commit && (ref.name || asksFirst) ? 'unable to list remote for' : 'unable to clone';
}

function revisionWords(repository: GitRepository, error: CapstanError): string {
  const { url, ref = {} } = repository.spec;
  const isEmptyRemote = error.hint === EMPTY_REPOSITORY;
  if (isEmptyRemote) {
    const act = actOf(repository);
    return act === 'unable to clone'
      ? `unable to clone: remote repository is empty: git repository: '${url}'`
      : `${act} '${url}': remote repository is empty`;
  }
  if (ref.commit) return `unable to resolve commit object for '${ref.commit}': object not found`;
  if (ref.name) return `unable to resolve ref '${ref.name}' to a specific commit`;
  if (ref.semver && !ref.tag) {
    const problem = constraintProblem(ref.semver);
    return problem === undefined
      ? `no match found for semver: ${ref.semver}`
      : `semver parse error: ${problem}`;
  }
  const wanted = ref.tag ? `refs/tags/${ref.tag}` : `refs/heads/${ref.branch || 'master'}`;
  return `unable to clone '${url}': couldn't find remote ref ${JSON.stringify(wanted)}`;
}
