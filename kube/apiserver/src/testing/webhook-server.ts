import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Json, JsonObject } from '@capstan/kube-object';
import { listAt, objectAt, textAt } from '../json.ts';
import { createAuthority } from '../tls.ts';

/** An admission webhook on 127.0.0.1; its path says what it does. */
export interface WebhookServer extends AsyncDisposable {
  readonly url: string;
  /** For `clientConfig.caBundle`. */
  readonly caBundle: string;
  /** The requests so far, in the order of their arrival. */
  readonly reviews: readonly JsonObject[];
}

export async function startWebhookServer(): Promise<WebhookServer> {
  const authority = createAuthority(Date.now());
  const { certificate, key } = authority.issueServer(['127.0.0.1', 'localhost']);
  const reviews: JsonObject[] = [];
  const server = createServer({ cert: certificate, key }, (request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const review = JSON.parse(Buffer.concat(chunks).toString()) as JsonObject;
      reviews.push(review);
      const path = (request.url ?? '').split('?')[0] ?? '';
      if (path === '/hang') return;
      if (path === '/broken') response.writeHead(500).end('out of order\n');
      else if (path === '/missing') response.writeHead(404).end('404 page not found\n');
      else if (path === '/garbage') response.end('hello');
      else response.end(JSON.stringify(answerTo(path, review)));
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  return {
    url: `https://127.0.0.1:${port}`,
    caBundle: Buffer.from(authority.certificate).toString('base64'),
    reviews,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => {
        server.close(resolve);
      });
    },
  };
}

function answerTo(path: string, review: JsonObject): JsonObject {
  const uid = textAt(review, 'request', 'uid');
  const object = objectAt(review, 'request', 'object');
  const answer = (fields: JsonObject): JsonObject => ({
    apiVersion: textAt(review, 'apiVersion'),
    kind: 'AdmissionReview',
    response: { uid, ...fields },
  });
  const patch = (...operations: readonly Json[]): JsonObject =>
    answer({
      allowed: true,
      patchType: 'JSONPatch',
      patch: Buffer.from(JSON.stringify(operations)).toString('base64'),
    });
  switch (path) {
    case '/deny':
      return answer({ allowed: false, status: { code: 403, message: 'not here' } });
    case '/deny-reason':
      return answer({ allowed: false, status: { reason: 'Forbidden' } });
    case '/deny-details':
      return answer({
        allowed: false,
        status: { code: 422, reason: 'Invalid', message: 'bad', details: { name: 'x' } },
      });
    case '/deny-silent':
      return answer({ allowed: false });
    case '/warn':
      return answer({ allowed: true, warnings: ['careful', 'very "careful"'] });
    case '/other-uid':
      return { ...answer({ allowed: true }), response: { uid: 'x', allowed: true } };
    case '/other-kind':
      return { ...answer({ allowed: true }), kind: 'Review' };
    case '/empty':
      return { apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview' };
    case '/patch':
      return patch({ op: 'add', path: '/data/patched', value: 'yes' });
    case '/count':
      return patch({
        op: 'add',
        path: '/data/count',
        value: `${textAt(object, 'data', 'count')}x`,
      });
    case '/patch-fails':
      return patch({ op: 'remove', path: '/data/none' });
    case '/patch-type':
      return answer({ allowed: true, patchType: 'JSONPatch' });
    case '/sidecar':
      return patch({
        op: 'add',
        path: `/spec/containers/${listAt(object, 'spec', 'containers').length}`,
        value: { name: 'side', image: 'side:1' },
      });
    case '/mesh':
      return patch(...meshOperations(object));
    default:
      return answer({ allowed: true });
  }
}

/** As meshes and mirrors do to workloads: a container of their own, and images from another registry. */
function meshOperations(object: JsonObject | undefined): readonly JsonObject[] {
  const path = ['spec', 'template', 'spec', 'containers'] as const;
  const containers = listAt(object, ...path);
  const isThere = containers.some((one) => textAt(one, 'name') === 'proxy');
  const mirrored = containers.flatMap((one, i) => {
    const image = textAt(one, 'image');
    const value = `mirror.example/${image}`;
    return image.startsWith('mirror.example/') || textAt(one, 'name') === 'proxy'
      ? []
      : [{ op: 'replace', path: `/${path.join('/')}/${i}/image`, value }];
  });
  const proxy = { name: 'proxy', image: 'proxy:1' };
  return isThere
    ? mirrored
    : [...mirrored, { op: 'add', path: `/${path.join('/')}/-`, value: proxy }];
}
