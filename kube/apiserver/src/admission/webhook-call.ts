import { request as httpsRequest } from 'node:https';
import { isIP, type Socket } from 'node:net';
import type { Json, JsonObject } from '@capstan/kube-object';
import { guardedLookup, refuseAddress } from '@capstan/lib-egress';
import { isObject, listAt, objectAt, textAt } from '../json.ts';

/** What a webhook said, or why it could not be asked. */
export type WebhookAnswer =
  | {
      readonly kind: 'allowed';
      readonly patch: Json | undefined;
      readonly warnings: readonly string[];
    }
  | { readonly kind: 'denied'; readonly status: JsonObject; readonly warnings: readonly string[] }
  | { readonly kind: 'failed'; readonly message: string };

export interface WebhookEndpoint {
  /** `https://host[:port]/path`. */
  readonly url: string;
  /** Where to connect instead of the URL's host: the endpoint behind a service. */
  readonly address?: { readonly host: string; readonly port: number };
  /** PEM; undefined: the authorities that the machine trusts. */
  readonly authorities: string | undefined;
  readonly timeoutSeconds: number;
}

const ANSWER_BYTES_MAX = 8 * 1024 * 1024;

/** Sends an AdmissionReview and reads the answer as k8s.io/apiserver's webhook plugins do. Never rejects. */
export async function callWebhook(
  endpoint: WebhookEndpoint,
  review: JsonObject,
  isMutating: boolean,
): Promise<WebhookAnswer> {
  const url = `${endpoint.url}${endpoint.url.includes('?') ? '&' : '?'}timeout=${endpoint.timeoutSeconds}s`;
  try {
    const { status, body } = await post(url, endpoint, JSON.stringify(review));
    if (status < 200 || status > 299)
      return failed(`failed to call webhook: ${statusText(status, body)}`);
    return readAnswer(body, review, isMutating);
  } catch (error) {
    return failed(`failed to call webhook: Post ${JSON.stringify(url)}: ${reasonOf(error)}`);
  }
}

function failed(message: string): WebhookAnswer {
  return { kind: 'failed', message };
}

const TIMED_OUT = 'context deadline exceeded';

function post(
  url: string,
  endpoint: WebhookEndpoint,
  body: string,
): Promise<{ readonly status: number; readonly body: string }> {
  const { hostname, port, pathname, search } = new URL(url);
  const { address } = endpoint;
  const host = (address?.host ?? hostname).replace(/^\[|\]$/g, '');
  refuseAddress(host);
  return new Promise((resolve, reject) => {
    const call = httpsRequest(
      {
        host,
        port: address?.port ?? (port === '' ? 443 : Number(port)),
        path: `${pathname}${search}`,
        method: 'POST',
        lookup: guardedLookup,
        ...(isIP(host) !== 0 && address === undefined ? {} : { servername: hostname }),
        headers: {
          host: `${hostname}${port === '' ? '' : `:${port}`}`,
          'content-type': 'application/json',
          accept: 'application/json, */*',
          'content-length': Buffer.byteLength(body),
        },
        agent: false,
        signal: AbortSignal.timeout(endpoint.timeoutSeconds * 1000),
        ...(endpoint.authorities === undefined ? {} : { ca: endpoint.authorities }),
      },
      (response) => {
        const chunks: Buffer[] = [];
        let size = 0;
        response.on('data', (chunk: Buffer) => {
          size += chunk.length;
          if (size > ANSWER_BYTES_MAX) call.destroy(new Error('the answer is too large'));
          chunks.push(chunk);
        });
        response.on('error', reject);
        response.on('end', () => {
          resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString() });
        });
      },
    );
    call.on('socket', (socket: Socket) => socket.setNoDelay(true));
    call.on('error', reject);
    call.end(body);
  });
}

/** Node's errors in Go's words, as far as people meet them. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { code, address, port, hostname } = error as NodeJS.ErrnoException & {
    readonly address?: string;
    readonly port?: number;
    readonly hostname?: string;
  };
  const inner = error instanceof AggregateError ? (error.errors[0] as unknown) : undefined;
  if (inner !== undefined) return reasonOf(inner);
  if (error.name === 'TimeoutError' || error.name === 'AbortError') return TIMED_OUT;
  if (code === 'ECONNREFUSED') return `dial tcp ${address}:${port}: connect: connection refused`;
  if (code === 'ENOTFOUND') return `dial tcp: lookup ${hostname}: no such host`;
  if (code === 'ECONNRESET') return 'EOF';
  if (/SELF_SIGNED|UNABLE_TO_VERIFY|UNABLE_TO_GET_ISSUER/.test(code ?? '')) {
    return 'tls: failed to verify certificate: x509: certificate signed by unknown authority';
  }
  return error.message;
}

function statusText(status: number, body: string): string {
  if (status === 404) return 'the server could not find the requested resource';
  if (status === 403) return `forbidden: ${body.trim() || 'unknown'}`;
  if (status >= 500) {
    return `an error on the server (${JSON.stringify(body.trim() || 'unknown')}) has prevented the request from succeeding`;
  }
  return `the server responded with the status code ${status} but did not return more information`;
}

function readAnswer(body: string, review: JsonObject, isMutating: boolean): WebhookAnswer {
  let parsed: unknown;
  try {
    parsed = JSON.parse(body);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return failed(`failed to call webhook: couldn't get version/kind; json parse error: ${why}`);
  }
  const kind = textAt(parsed, 'kind');
  if (kind !== 'AdmissionReview') {
    const version = textAt(parsed, 'apiVersion');
    return failed(
      `failed to call webhook: no kind ${JSON.stringify(kind)} is registered for version ${JSON.stringify(version)} in scheme "pkg/runtime/scheme.go:111"`,
    );
  }
  const problem = answerProblem(parsed, review, isMutating);
  if (problem !== undefined) return failed(`received invalid webhook response: ${problem}`);
  const response = objectAt(parsed, 'response');
  const warnings = listAt(response, 'warnings').map(String);
  if (response['allowed'] !== true) {
    return { kind: 'denied', status: objectAt(response, 'status'), warnings };
  }
  const encoded = textAt(response, 'patch');
  if (!isMutating || encoded === '') return { kind: 'allowed', patch: undefined, warnings };
  try {
    const patch = JSON.parse(Buffer.from(encoded, 'base64').toString()) as Json;
    return { kind: 'allowed', patch, warnings };
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return failed(`received undecodable patch in webhook response: ${why}`);
  }
}

/** What of an AdmissionReview is not as it must be. The old version of it is taken as it comes. */
function answerProblem(
  parsed: unknown,
  review: JsonObject,
  isMutating: boolean,
): string | undefined {
  const response = isObject(parsed) ? parsed['response'] : undefined;
  if (!isObject(response)) return 'webhook response was absent';
  if (textAt(review, 'apiVersion') === 'admission.k8s.io/v1beta1') return undefined;
  const uid = textAt(review, 'request', 'uid');
  const given = textAt(response, 'uid');
  if (given !== uid) {
    return `expected response.uid=${JSON.stringify(uid)}, got ${JSON.stringify(given)}`;
  }
  const apiVersion = textAt(parsed, 'apiVersion');
  if (apiVersion !== 'admission.k8s.io/v1') {
    return `expected webhook response of admission.k8s.io/v1, Kind=AdmissionReview, got ${apiVersion}, Kind=AdmissionReview`;
  }
  const patch = textAt(response, 'patch');
  const type = response['patchType'];
  if (!isMutating) {
    if (patch !== '') return 'validating webhook may not return response.patch';
    return type === undefined || type === null
      ? undefined
      : 'validating webhook may not return response.patchType';
  }
  const hasType = type !== undefined && type !== null;
  if (patch !== '' && !hasType) return 'webhook returned response.patch but not response.patchType';
  if (patch === '' && hasType) return 'webhook returned response.patchType but not response.patch';
  if (type === '') return 'webhook returned invalid response.patchType of ""';
  return undefined;
}
