import { gitError } from './errors.ts';
import type { GitCredentials } from './remote-access.ts';
import { RemoteClient } from './remote-request.ts';
import { parseRemoteUrl, type RemoteUrl } from './remote-url.ts';

const SERVICE = '/info/refs?service=git-upload-pack';

/**
 * Where a server sends clients of `remote` (a missing `.git`, a renamed repository), asked with the credentials. Only
 * the same host counts: its own port, or from http up to https. Undefined when there is no redirect; an error that
 * names the other host when credentials would have to travel there.
 */
export async function followRedirect(
  remote: RemoteUrl,
  credentials: GitCredentials,
): Promise<RemoteUrl | undefined> {
  const asked = infoRefs(remote);
  const probe = await probeRemote(remote, credentials).catch(() => undefined);
  const location = probe?.location;
  if (location === undefined) return undefined;
  let target: URL;
  try {
    target = new URL(location, asked);
  } catch {
    return undefined;
  }
  const upgrade = asked.protocol === 'http:' && target.protocol === 'https:';
  const sameHost = target.hostname === asked.hostname;
  if (!sameHost || !(target.origin === asked.origin || upgrade)) {
    throw gitError(
      'GIT_REDIRECT_REFUSED',
      `${remote.url} redirects to ${target.origin}, and credentials are not sent to another host`,
      { hint: `if that is right, change the address to ${target.origin}${repositoryPath(target)}` },
    );
  }
  if (!target.pathname.endsWith('/info/refs')) return undefined;
  return parseRemoteUrl(`${target.origin}${repositoryPath(target)}`);
}

function repositoryPath(target: URL): string {
  return target.pathname.replace(/\/info\/refs$/, '');
}

/** Whether the server speaks Git's smart protocol at this address. Old servers of plain files do not count. */
export async function isSmartRemote(
  remote: RemoteUrl,
  credentials: GitCredentials,
): Promise<boolean> {
  const probe = await probeRemote(remote, credentials).catch(() => undefined);
  return probe === undefined || probe.contentType.startsWith('application/x-git-');
}

interface Probe {
  readonly location: string | undefined;
  readonly contentType: string;
}

function infoRefs(remote: RemoteUrl): URL {
  return new URL(`${remote.url.replace(/\/$/, '')}${SERVICE}`);
}

/** One request for the refs, by our own client: git itself does not tell what it was answered. */
async function probeRemote(remote: RemoteUrl, credentials: GitCredentials): Promise<Probe> {
  const client = new RemoteClient(remote, credentials);
  try {
    const response = await client.send({ method: 'GET', path: SERVICE });
    const status = response.statusCode ?? 0;
    response.destroy();
    return {
      location: status >= 300 && status < 400 ? response.headers.location : undefined,
      contentType: response.headers['content-type'] ?? '',
    };
  } finally {
    client.close();
  }
}
