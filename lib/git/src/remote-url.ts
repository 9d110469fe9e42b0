import { refuseAddress } from '@capstan/lib-egress';
import { gitError } from './errors.ts';

export type RemoteProtocol = 'http' | 'https' | 'ssh' | 'file';

/** A remote's address after the checks: never starts with '-', holds no control character, names an allowed protocol. */
export interface RemoteUrl {
  readonly protocol: RemoteProtocol;
  /** What git is given; without credentials. */
  readonly url: string;
  /** '' for files. */
  readonly host: string;
  /** User and password that stood in the address; callers merge them into credentials. */
  readonly username: string;
  readonly password: string;
}

const URL_CHARACTERS_MAX = 4096;

/**
 * Parses `https://…`, `http://…`, `ssh://…`, `user@host:path` and, when allowed, `file://…` or an absolute path. Any
 * other transport (`ext::`, `git::`, `fd::`, `git://`) is refused: some of them run commands. So are link-local and metadata
 * addresses.
 */
export function parseRemoteUrl(text: string, options: { allowFile?: boolean } = {}): RemoteUrl {
  const invalid = (why: string) =>
    gitError('GIT_URL_INVALID', `${JSON.stringify(text.slice(0, 200))} is no Git address: ${why}`, {
      hint: 'write it as https://host/path.git, ssh://git@host/path.git or git@host:path.git',
    });
  if (text === '') throw invalid('it is empty');
  if (text.length > URL_CHARACTERS_MAX) throw invalid(`over ${URL_CHARACTERS_MAX} characters`);
  if (/[\u0000-\u0020\u007f]/.test(text)) throw invalid('it holds spaces or control characters');
  if (text.startsWith('-')) throw invalid('it starts with a dash');
  if (/^[A-Za-z0-9+.-]*::/.test(text)) throw forbidden(text.slice(0, text.indexOf('::') + 2));
  if (text.includes('://')) return parseWithScheme(text, invalid, options.allowFile === true);
  if (text.startsWith('/')) {
    if (options.allowFile !== true) throw forbidden('file');
    return { protocol: 'file', url: text, host: '', username: '', password: '' };
  }
  const scp = /^(?:([A-Za-z0-9._~+-]+)@)?(\[[0-9A-Fa-f:]+\]|[A-Za-z0-9][A-Za-z0-9._-]*):(.+)$/.exec(
    text,
  );
  if (scp === null) throw invalid('no scheme and no host');
  if (scp[3]!.startsWith('-')) throw invalid('the path starts with a dash');
  refuseAddress(scp[2]!);
  return { protocol: 'ssh', url: text, host: scp[2]!, username: scp[1] ?? '', password: '' };
}

function parseWithScheme(
  text: string,
  invalid: (why: string) => Error,
  allowFile: boolean,
): RemoteUrl {
  let parsed: URL;
  try {
    parsed = new URL(text);
  } catch {
    throw invalid('it cannot be read as a URL');
  }
  const protocol = parsed.protocol.slice(0, -1);
  if (protocol === 'file') {
    if (!allowFile) throw forbidden('file');
    return { protocol, url: text, host: '', username: '', password: '' };
  }
  if (protocol !== 'http' && protocol !== 'https' && protocol !== 'ssh') throw forbidden(protocol);
  if (parsed.hostname === '' || parsed.hostname.startsWith('-')) throw invalid('no host');
  if (parsed.username.startsWith('-')) throw invalid('the user starts with a dash');
  refuseAddress(parsed.hostname);
  const username = decode(parsed.username);
  const password = decode(parsed.password);
  const user = protocol === 'ssh' && parsed.username !== '' ? `${parsed.username}@` : '';
  return {
    protocol,
    url: `${protocol}://${user}${parsed.host}${parsed.pathname}${parsed.search}`,
    host: parsed.host,
    username,
    password,
  };
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

function forbidden(protocol: string): Error {
  return gitError('GIT_PROTOCOL_FORBIDDEN', `the protocol ${protocol} is not allowed for Git`, {
    hint:
      protocol === 'file'
        ? 'use https, http or ssh, or start the server with --allow-file-remotes'
        : 'use https, http or ssh',
  });
}

/**
 * One key for the spellings of one repository, for matching webhooks: host and path in lower case, without scheme, user,
 * port and `.git`; nor do hosts differ that serve SSH under a name of its own. `git@host:a/b.git`,
 * `ssh://git@ssh.host:443/a/b`, `https://host:8443/a/b/` and `https://host/a/b` are all `host/a/b`: what a host tells of
 * itself need not name the port by which it is reached.
 */
export function repositoryKey(text: string): string {
  const scp = /^(?:[^@/]+@)?([^:/]+):(?!\/\/)(.+)$/.exec(text);
  const plain = text.includes('://')
    ? text.slice(text.indexOf('://') + 3).replace(/^[^/]*@/, '')
    : scp === null
      ? text
      : `${scp[1]}/${scp[2]?.replace(/^(?:\d+[:/](?=.)|\/+)/, '')}`;
  const isSsh = scp !== null || /^ssh:/i.test(text);
  return plain
    .toLowerCase()
    .replace(isSsh ? /^(?:alt)?ssh\.(?=[^/]*\.)/ : /^$/, '')
    .replace(/[?#].*$/, '')
    .replace(/^([^/]*?):\d+(?=\/|$)/, '$1')
    .replace(/^([^/]*\.azure\.com)\/v3\/([^/]+\/[^/]+)\//, '$1/$2/_git/')
    .replace(/\/+/g, '/')
    .replace(/\/$/, '')
    .replace(/\.git$/, '');
}
