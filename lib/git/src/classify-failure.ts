import type { CapstanError } from '@capstan/lib-std';
import { type GitErrorCode, gitError } from './errors.ts';
import type { RunResult } from './git-process.ts';
import type { RemoteUrl } from './remote-url.ts';

interface FailureClass {
  readonly code: GitErrorCode;
  readonly pattern: RegExp;
  readonly message: (url: string) => string;
  readonly hint: string;
}

const NOT_A_REPOSITORY = {
  code: 'GIT_NOT_A_REPOSITORY',
  message: (url: string) => `${url} answers, but is no Git repository`,
  hint: 'check the address: it must be the one that git clone takes, not the page of a browser',
} as const;

/** Git's own words for each class of failure; the first match wins, so narrow patterns stand before wide ones. */
const CLASSES: readonly FailureClass[] = [
  {
    code: 'GIT_HOST_KEY_UNKNOWN',
    pattern: /Host key verification failed|No \S+ host key is known/i,
    message: (url) => `the SSH host key of ${url} is not trusted`,
    hint: 'put the line that ssh-keyscan prints for this host, once checked, into known_hosts of the Secret',
  },
  {
    code: 'GIT_REDIRECT_REFUSED',
    pattern: /unable to update url base from redirection|The requested URL returned error: 30\d/i,
    message: (url) => `the server of ${url} redirects elsewhere`,
    hint: 'write the address that it redirects to; credentials are never sent to another host',
  },
  {
    code: 'GIT_TLS_FAILED',
    pattern: /alert (?:certificate|bad certificate|unknown ca|handshake|access denied)/i,
    message: (url) => `${url} refused the client certificate`,
    hint: 'give the client certificate that it asks for, and its key',
  },
  {
    code: 'GIT_TLS_FAILED',
    pattern:
      /SSL certificate problem|certificate verif|verification failed|local issuer|self.signed|alert (?:bad |unknown |no )?(?:certificate|ca|handshake)|setting certificate|ssl.*(?:handshake|certificate)|could not load (?:client|pem)/i,
    message: (url) => `the TLS connection to ${url} is not trusted`,
    hint: 'give the CA certificate of the server, or the client certificate that it asks for',
  },
  {
    code: 'GIT_PUSH_REJECTED',
    pattern: /^ ! \[(?:remote )?rejected\]/m,
    message: (url) => `${url} refused the push: the branch moved meanwhile, or its rules forbid it`,
    hint: 'it is read again and tried again by itself; a protected branch must allow this user to push',
  },
  {
    code: 'GIT_AUTHENTICATION_FAILED',
    pattern:
      /Authentication failed|could not read (?:Username|Password)|terminal prompts disabled|Permission denied|returned error: 40[13]|access denied|invalid credentials|HTTP Basic: Access denied|Load key|invalid format|incorrect passphrase/i,
    message: (url) => `${url} refused the credentials`,
    hint: 'check user, password or key in the Secret, and that they may read this repository',
  },
  {
    code: 'GIT_REPOSITORY_NOT_FOUND',
    pattern:
      /repository .*not found|returned error: 404|not found: did you run|project you were looking for could not be found/i,
    message: (url) => `there is no repository at ${url}, or the credentials may not see it`,
    hint: 'check the address; private repositories need a Secret with credentials',
  },
  {
    code: 'GIT_HOST_UNREACHABLE',
    pattern:
      /Could not resolve (?:host|hostname|proxy)|Failed to connect|Couldn't connect|Connection (?:refused|reset|timed out|closed)|No route to host|Network is unreachable|Operation (?:timed out|too slow)|early EOF|unexpected disconnect|hung up unexpectedly|returned error: 5\d\d|Empty reply|kex_exchange_identification|Name or service not known/i,
    message: (url) => `the host of ${url} cannot be reached`,
    hint: 'check the host name, the network and the proxy; it is tried again by itself',
  },
  {
    ...NOT_A_REPOSITORY,
    pattern:
      /does not appear to be a git repository|not valid: is this a git repository|not a git repository|bad line length|protocol error|invalid (?:content-type|server response)/i,
  },
];

/** For an address that answers something else than Git's protocol. */
export function notARepository(remote: RemoteUrl): CapstanError {
  const { code, message, hint } = NOT_A_REPOSITORY;
  return gitError(code, message(remote.url), { hint });
}

/** One error for a git command that failed against a remote: what, where, what to do; never a credential. */
export function classifyFailure(result: RunResult, remote: RemoteUrl, what: string): CapstanError {
  if (result.timedOut) {
    return gitError('GIT_TIMEOUT', `${what} ${remote.url} took too long`, {
      hint: 'check the network, or allow more time',
    });
  }
  const found = CLASSES.find(({ pattern }) => pattern.test(result.stderr));
  if (found !== undefined) {
    return gitError(found.code, `${what}: ${found.message(remote.url)}`, { hint: found.hint });
  }
  const said = result.stderr
    .split('\n')
    .filter((line) => /^(?:fatal|error|remote):/.test(line))
    .join('; ')
    .slice(0, 500);
  return gitError('GIT_FAILED', `${what} ${remote.url} failed: ${said || `code ${result.code}`}`);
}
