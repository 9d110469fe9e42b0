import { createHmac, timingSafeEqual } from 'node:crypto';
import { CapstanError, valueAt } from '@capstan/lib-std';

export interface WebhookRequest {
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  /** What stands behind `?` in the address that was asked. */
  readonly query?: URLSearchParams;
  readonly body: Uint8Array;
}

/** The secrets that senders share with us; a sender without one is believed: it can only cause a look at the remote. */
export interface WebhookSecrets {
  readonly github?: string;
  readonly gitlab?: string;
  readonly gitea?: string;
  readonly gogs?: string;
  readonly bitbucket?: string;
  /** Bitbucket's own id of the hook, which it sends with each event. */
  readonly bitbucketUuid?: string;
  readonly bitbucketServer?: string;
  readonly azureDevOps?: { readonly username: string; readonly password: string };
  /** The whole Authorization header; Harbor signs nothing, and is not believed without it. */
  readonly harbor?: string;
  /** Docker Hub signs nothing and sends no header: it is the Authorization header, or `?secret=` of the address. */
  readonly dockerHub?: string;
  readonly generic?: string;
}

/**
 * What was pushed: every spelling of the repository's address that the sender names, `oci://…` of a registry. Empty: another
 * kind of event.
 */
export interface PushNotice {
  readonly sender: Sender;
  readonly urls: readonly string[];
}

export type Sender =
  | 'github'
  | 'gitlab'
  | 'gitea'
  | 'gogs'
  | 'bitbucket'
  | 'bitbucketServer'
  | 'azureDevOps'
  | 'harbor'
  | 'dockerHub'
  | 'quay'
  | 'generic';

const BODY_BYTES_MAX = 25 * 1024 * 1024;
const URLS_MAX = 16;
const URL_CHARACTERS_MAX = 2048;

/**
 * Reads the webhook of any of the usual hosts. What is said is a hint, never a fact: the remote is asked afterwards. Missing
 * or misshapen fields make an empty notice, a wrong signature an error, a body over the bound an error.
 */
export function parsePushWebhook(
  request: WebhookRequest,
  secrets: WebhookSecrets = {},
): PushNotice {
  if (request.body.length > BODY_BYTES_MAX) {
    throw new CapstanError('WEBHOOK_TOO_LARGE', `the webhook is over ${BODY_BYTES_MAX} bytes`);
  }
  const body = parseBody(request);
  const sender = senderOf(request, body);
  verify(sender, request, secrets);
  return { sender, urls: bounded(ADDRESSES[sender](request, body)) };
}

function senderOf({ headers, query }: WebhookRequest, body: unknown): Sender {
  // Gitea and Gogs send the headers of the hosts that they imitate as well: they are asked first.
  if (headers['x-gitea-event'] !== undefined) return 'gitea';
  if (headers['x-gogs-event'] !== undefined) return 'gogs';
  if (headers['x-github-event'] !== undefined) return 'github';
  if (headers['x-gitlab-event'] !== undefined) return 'gitlab';
  if (headers['x-event-key'] !== undefined) {
    return headers['x-hook-uuid'] === undefined ? 'bitbucketServer' : 'bitbucket';
  }
  if (valueAt(body, 'publisherId') === 'tfs' || headers['x-vss-activityid'] !== undefined)
    return 'azureDevOps';
  return query?.get('type') === 'dockerhub' ? 'dockerHub' : (registryOf(body) ?? 'generic');
}

/** Registries send no header that tells who they are. */
function registryOf(body: unknown): 'harbor' | 'dockerHub' | 'quay' | undefined {
  if (valueAt(body, 'event_data', 'resources') !== undefined) return 'harbor';
  if (valueAt(body, 'push_data', 'tag') !== undefined) return 'dockerHub';
  return valueAt(body, 'docker_url') === undefined ? undefined : 'quay';
}

function verify(sender: Sender, request: WebhookRequest, secrets: WebhookSecrets): void {
  const { bitbucketUuid } = secrets;
  if (sender === 'bitbucket' && bitbucketUuid !== undefined) {
    if (!equal(request.headers['x-hook-uuid'], bitbucketUuid)) throw refused(sender);
  }
  if (sender === 'harbor' && secrets.harbor === undefined) throw refused(sender);
  // It signs nothing.
  if (sender === 'quay') return;
  const secret = secrets[sender];
  if (secret === undefined) return;
  const { headers } = request;
  const given = {
    github: () => signatureHolds(request, secret, headers['x-hub-signature-256']),
    gitlab: () => equal(headers['x-gitlab-token'], String(secret)),
    gitea: () => signatureHolds(request, secret, headers['x-gitea-signature']),
    gogs: () => signatureHolds(request, secret, headers['x-gogs-signature']),
    bitbucket: () => signatureHolds(request, secret, headers['x-hub-signature']),
    bitbucketServer: () => signatureHolds(request, secret, headers['x-hub-signature']),
    azureDevOps: () => equal(headers['authorization'], basic(secret)),
    harbor: () => equal(headers['authorization'], String(secret)),
    dockerHub: () =>
      equal(headers['authorization'] ?? request.query?.get('secret') ?? undefined, String(secret)),
    generic: () => signatureHolds(request, secret, headers['x-signature']),
  }[sender]();
  if (!given) throw refused(sender);
}

type Secret = WebhookSecrets[keyof WebhookSecrets];

function refused(sender: Sender): CapstanError {
  return new CapstanError(
    'WEBHOOK_REFUSED',
    `the webhook of ${sender} is not signed with its secret`,
    { hint: 'give the host the same secret as this control plane' },
  );
}

/** HMAC-SHA256 of the body, with or without `sha256=` before it. Compared in constant time. */
function signatureHolds(
  { body }: WebhookRequest,
  secret: Secret,
  given: string | undefined,
): boolean {
  if (typeof secret !== 'string') return false;
  const wanted = createHmac('sha256', secret).update(body).digest('hex');
  return equal(given?.replace(/^sha256=/, ''), wanted);
}

function basic(secret: Secret): string {
  if (typeof secret !== 'object') return '';
  return `Basic ${Buffer.from(`${secret.username}:${secret.password}`).toString('base64')}`;
}

function equal(given: string | undefined, wanted: string): boolean {
  // Digests have one length: nothing is told by the time that a comparison takes.
  const digest = (text: string) => createHmac('sha256', 'compare').update(text).digest();
  return given !== undefined && wanted !== '' && timingSafeEqual(digest(given), digest(wanted));
}

type Addresses = (request: WebhookRequest, body: unknown) => readonly unknown[];

const PUSHES = /^(?:push|create|delete)$/;

const ADDRESSES: Readonly<Record<Sender, Addresses>> = {
  github: ({ headers }, body) => {
    const event = headers['x-github-event'] ?? '';
    if (event === 'package') return githubPackage(body);
    return PUSHES.test(event) ? repositoryAddresses(body) : [];
  },
  gitea: ({ headers }, body) =>
    PUSHES.test(headers['x-gitea-event'] ?? '') ? repositoryAddresses(body) : [],
  gogs: ({ headers }, body) =>
    PUSHES.test(headers['x-gogs-event'] ?? '') ? repositoryAddresses(body) : [],
  gitlab: ({ headers }, body) =>
    /^(?:Push|Tag Push|System) Hook$/.test(headers['x-gitlab-event'] ?? '')
      ? ['git_http_url', 'git_ssh_url', 'web_url'].map((field) => valueAt(body, 'project', field))
      : [],
  bitbucket: ({ headers }, body) =>
    headers['x-event-key'] === 'repo:push'
      ? [valueAt(body, 'repository', 'links', 'html', 'href')]
      : [],
  bitbucketServer: ({ headers }, body) => {
    if (headers['x-event-key'] !== 'repo:refs_changed') return [];
    const clones = valueAt(body, 'repository', 'links', 'clone');
    return Array.isArray(clones)
      ? clones.slice(0, URLS_MAX).map((link) => valueAt(link, 'href'))
      : [];
  },
  azureDevOps: (_request, body) =>
    valueAt(body, 'eventType') === 'git.push'
      ? [
          valueAt(body, 'resource', 'repository', 'remoteUrl'),
          valueAt(body, 'resource', 'repository', 'url'),
        ]
      : [],
  harbor: (_request, body) =>
    valueAt(body, 'type') === 'PUSH_ARTIFACT' ? [harborArtifact(body)] : [],
  // The registry is known by several names.
  dockerHub: (_request, body) =>
    ['docker.io', 'index.docker.io', 'registry-1.docker.io'].map((host) =>
      dockerHubAddress(host, body),
    ),
  quay: (_request, body) => [address(valueAt(body, 'docker_url'))],
  generic: (_request, body) => [valueAt(body, 'url'), ...repositoryAddresses(body)],
};

/** A container that was published with a tag in GitHub's registry. */
function githubPackage(body: unknown): readonly unknown[] {
  const found = valueAt(body, 'package');
  const type = valueAt(found, 'package_type');
  const tag = valueAt(found, 'package_version', 'container_metadata', 'tag', 'name');
  const isContainer = typeof type === 'string' && type.toLowerCase() === 'container';
  if (valueAt(body, 'action') !== 'published' || !isContainer || !isText(tag)) return [];
  return [address('ghcr.io', valueAt(found, 'owner', 'login'), valueAt(found, 'name'))];
}

/** Of the first artifact with a tag; the host stands in its address only. */
function harborArtifact(body: unknown): unknown {
  const resources = valueAt(body, 'event_data', 'resources');
  const tagged = (Array.isArray(resources) ? resources : []).find(
    (one: unknown) => isText(valueAt(one, 'tag')) && isText(valueAt(one, 'resource_url')),
  );
  const place = valueAt(tagged, 'resource_url');
  if (typeof place !== 'string') return undefined;
  const host = place.replace(/^https?:\/\//, '').split('/')[0];
  const repository = valueAt(body, 'event_data', 'repository');
  const whole = valueAt(repository, 'repo_full_name');
  return isText(whole)
    ? address(host, whole)
    : address(host, valueAt(repository, 'namespace'), valueAt(repository, 'name'));
}

/** Official images have no namespace of their own. */
function dockerHubAddress(host: string, body: unknown): string | undefined {
  const repository = valueAt(body, 'repository');
  if (!isText(valueAt(body, 'push_data', 'tag'))) return undefined;
  const whole = valueAt(repository, 'repo_name');
  const [namespace, name] = [valueAt(repository, 'namespace'), valueAt(repository, 'name')];
  if (!isText(whole) && isText(namespace)) return address(host, namespace, name);
  const named = isText(whole) ? whole : name;
  return isText(named) && named.includes('/')
    ? address(host, named)
    : address(host, 'library', named);
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}

function address(...parts: readonly unknown[]): string | undefined {
  return parts.every(isText) ? `oci://${parts.join('/')}` : undefined;
}

function repositoryAddresses(body: unknown): readonly unknown[] {
  const fields = ['clone_url', 'ssh_url', 'git_url', 'html_url', 'url'];
  return fields.map((field) => valueAt(body, 'repository', field));
}

function bounded(found: readonly unknown[]): readonly string[] {
  const urls = found.filter(
    (url): url is string =>
      typeof url === 'string' && url !== '' && url.length <= URL_CHARACTERS_MAX,
  );
  return [...new Set(urls)].slice(0, URLS_MAX);
}

/**
 * JSON, whatever its type is said to be (a plain `curl -d` calls it a form), or a form whose field `payload` is JSON.
 * Undefined when it is neither.
 */
function parseBody({ headers, body }: WebhookRequest): unknown {
  const text = new TextDecoder().decode(body);
  const isForm = headers['content-type']?.startsWith('application/x-www-form-urlencoded') === true;
  const payload = isForm ? new URLSearchParams(text).get('payload') : null;
  try {
    return JSON.parse(payload ?? text);
  } catch {
    return undefined;
  }
}
