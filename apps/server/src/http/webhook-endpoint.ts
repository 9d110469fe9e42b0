import { parsePushWebhook, type WebhookSecrets } from '@capstan/engine-source/store';
import type { KubeClient } from '@capstan/kube-client';
import type { JsonObject, KubeObject } from '@capstan/kube-object';
import type { Clock } from '@capstan/lib-std';
import { isMapping, textAt, valueAt } from '../views/fields.ts';
import { errorResponse, HttpError } from './error-response.ts';

export interface WebhookPorts {
  readonly client: Pick<KubeClient, 'find' | 'list'>;
  readonly clock: Clock;
  readonly notifyPush: (url: string) => number;
}

const BODY_BYTES_MAX = 25 * 1024 * 1024;
const SECRETS_AGE_MS = 10_000;
/** Where Argo CD keeps the webhooks' secrets (docs: operator-manual/webhook). */
const SECRET = { apiVersion: 'v1', kind: 'Secret', namespace: 'argocd', name: 'argocd-secret' };

/** POST /api/webhook: a host tells of a push. Answers at once; whoever follows the repository looks at its remote. */
export function webhookEndpoint(ports: WebhookPorts): (request: Request) => Promise<Response> {
  let held: { readonly secrets: WebhookSecrets; readonly atMs: number } | undefined;
  const readSecrets = async (): Promise<WebhookSecrets> => {
    const now = ports.clock.now();
    if (held === undefined || now - held.atMs > SECRETS_AGE_MS) {
      held = { secrets: await loadSecrets(ports.client), atMs: now };
    }
    return held.secrets;
  };
  return async (request) => {
    try {
      if (request.method !== 'POST') throw new HttpError(405, 'POST only');
      const headers = Object.fromEntries(request.headers);
      const body = await readBounded(request);
      const query = new URL(request.url).searchParams;
      const { urls } = parsePushWebhook({ headers, body, query }, await readSecrets());
      for (const url of urls) ports.notifyPush(url);
      return Response.json({}, { status: 202 });
    } catch (error) {
      return errorResponse(error);
    }
  };
}

async function readBounded(request: Request): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of request.body ?? []) {
    bytes += chunk.length;
    if (bytes > BODY_BYTES_MAX)
      throw new HttpError(413, `the body is over ${BODY_BYTES_MAX} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

async function loadSecrets(client: WebhookPorts['client']): Promise<WebhookSecrets> {
  const secret = await client.find(SECRET);
  const others = namesOthers(secret) ? await listOthers(client) : [];
  const read = (key: string) => resolve(valueIn(secret, key), secret, others);
  const named = {
    github: read('webhook.github.secret'),
    gitlab: read('webhook.gitlab.secret'),
    gitea: read('webhook.gogs.secret'),
    gogs: read('webhook.gogs.secret'),
    bitbucketUuid: read('webhook.bitbucket.uuid'),
    bitbucketServer: read('webhook.bitbucketserver.secret'),
    harbor: read('webhook.harbor.secret'),
    dockerHub: read('webhook.dockerhub.secret'),
    generic: read('webhook.generic.secret'),
  };
  const given = Object.fromEntries(Object.entries(named).filter(([, value]) => value !== ''));
  const username = read('webhook.azuredevops.username');
  const password = read('webhook.azuredevops.password');
  return username === '' && password === ''
    ? given
    : { ...given, azureDevOps: { username, password } };
}

const PART_OF = 'app.kubernetes.io/part-of=argocd';

function valueIn(secret: KubeObject | undefined, key: string): string {
  return Buffer.from(textAt(secret, 'data', key), 'base64')
    .toString('utf8')
    .trim();
}

function dataOf(secret: KubeObject | undefined): JsonObject {
  const data = valueAt(secret, 'data');
  return isMapping(data) ? data : {};
}

function namesOthers(secret: KubeObject | undefined): boolean {
  return Object.keys(dataOf(secret)).some(
    (key) => key.startsWith('webhook.') && /^\$[^:]+:/.test(valueIn(secret, key)),
  );
}

/** Secrets that say of themselves that they belong to Argo CD may be referred to. */
async function listOthers(client: WebhookPorts['client']): Promise<readonly KubeObject[]> {
  const { apiVersion, kind, namespace } = SECRET;
  const { items } = await client.list({ apiVersion, kind }, { namespace, labelSelector: PART_OF });
  return items;
}

/** `$key` stands for another value of argocd-secret, `$name:key` for one of another Secret; what is not there is meant as it is. */
function resolve(
  value: string,
  secret: KubeObject | undefined,
  others: readonly KubeObject[],
): string {
  if (!value.startsWith('$')) return value;
  const [, name, key = ''] = /^\$(?:([^:]+):)?(.*)$/s.exec(value) ?? [];
  const holder =
    name === undefined ? secret : others.find(({ metadata }) => metadata.name === name);
  return Object.hasOwn(dataOf(holder), key) ? valueIn(holder, key) : value;
}
