import type { JsonObject } from '@capstan/kube-object';
import { CapstanError, type ErrorKind } from '@capstan/lib-std';

/** metav1.Status, as far as it is used. */
export interface ApiStatus {
  readonly code: number;
  readonly reason: string;
  /** The server's own words, as kubectl prints them after "Error from server". */
  readonly message: string;
  readonly causes: readonly StatusCause[];
  readonly retryAfterSeconds?: number;
}
export interface StatusCause {
  readonly reason: string;
  readonly message: string;
  readonly field: string;
}

/**
 * An answer of the API server that is not a success. `code` is one of:
 * NOT_FOUND, ALREADY_EXISTS, CONFLICT (a newer resourceVersion), APPLY_CONFLICT (fields of another manager; the causes
 * name them), FORBIDDEN, NAMESPACE_TERMINATING, SERVICE_ACCOUNT_MISSING, QUOTA_EXCEEDED, UNAUTHORIZED, INVALID, BAD_REQUEST, EXPIRED (410),
 * TOO_MANY_REQUESTS, TIMEOUT, METHOD_NOT_ALLOWED, UNSUPPORTED_MEDIA_TYPE, REQUEST_TOO_LARGE, UNAVAILABLE, SERVER_ERROR.
 */
export class ApiError extends CapstanError {
  readonly status: ApiStatus;

  constructor(what: string, status: ApiStatus, cause?: unknown) {
    const { code, kind, hint } = classify(status);
    super(code, `cannot ${what}: ${status.message}`, {
      kind,
      ...(hint === undefined ? {} : { hint }),
      ...(cause === undefined ? {} : { cause }),
    });
    this.name = 'ApiError';
    this.status = status;
  }
}

export function isNotFound(error: unknown): boolean {
  return error instanceof ApiError && error.code === 'NOT_FOUND';
}

export function isAlreadyExists(error: unknown): boolean {
  return error instanceof ApiError && error.code === 'ALREADY_EXISTS';
}

/** A newer version of the object exists: read again, decide again. */
export function isConflict(error: unknown): boolean {
  return error instanceof ApiError && error.code === 'CONFLICT';
}

/** The wanted resourceVersion is too old: list again. */
export function isExpired(error: unknown): boolean {
  return error instanceof ApiError && error.code === 'EXPIRED';
}

/** Reads a Status object; what is missing (a proxy's HTML page, an empty body) is made up from the HTTP status. */
export function statusFrom(httpStatus: number, body: JsonObject | undefined): ApiStatus {
  const isStatus = body?.['kind'] === 'Status';
  const details = objectAt(isStatus ? body : undefined, 'details');
  const code = numberAt(isStatus ? body : undefined, 'code') ?? httpStatus;
  const retryAfterSeconds = numberAt(details, 'retryAfterSeconds');
  return {
    code,
    reason: textAt(isStatus ? body : undefined, 'reason') ?? reasonOf(code),
    message:
      textAt(isStatus ? body : undefined, 'message') ?? `the server answered with status ${code}`,
    causes: causesOf(details),
    ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
  };
}

function causesOf(details: JsonObject | undefined): StatusCause[] {
  const causes = details?.['causes'];
  if (!Array.isArray(causes)) return [];
  return causes.filter(isObject).map((cause) => ({
    reason: textAt(cause, 'reason') ?? '',
    message: textAt(cause, 'message') ?? '',
    field: textAt(cause, 'field') ?? '',
  }));
}

interface Classified {
  readonly code: string;
  readonly kind: ErrorKind;
  readonly hint?: string;
}

function classify(status: ApiStatus): Classified {
  const has = (reason: string) => status.causes.some((cause) => cause.reason === reason);
  if (status.code === 409 && has('FieldManagerConflict')) {
    return {
      code: 'APPLY_CONFLICT',
      kind: 'stalled',
      hint: 'remove the fields from the manifest, or let this apply take them over (force)',
    };
  }
  if (has('NamespaceTerminating')) {
    return {
      code: 'NAMESPACE_TERMINATING',
      kind: 'wait',
      hint: 'the namespace is being deleted; wait until it is gone (kubectl get namespace)',
    };
  }
  if (status.code === 403 && status.message.includes('exceeded quota')) {
    return {
      code: 'QUOTA_EXCEEDED',
      kind: 'retry',
      hint: 'raise the ResourceQuota of the namespace or ask for less',
    };
  }
  if (status.code === 403 && status.message.includes('error looking up service account')) {
    return {
      code: 'SERVICE_ACCOUNT_MISSING',
      kind: 'wait',
      hint: 'a new namespace gets its default service account within seconds; any other one must be created',
    };
  }
  if (NO_ROOM.test(status.message)) return tooLarge;
  if (status.code === 409 && status.reason === 'AlreadyExists') return byReason['AlreadyExists']!;
  return byCode[status.code] ?? (status.code >= 500 ? serverError : badRequest);
}

/** What the API server passes on of etcd, as a failure of its own. */
const NO_ROOM = /etcdserver: request is too large|trying to send message larger than max/;
const tooLarge: Classified = {
  code: 'REQUEST_TOO_LARGE',
  kind: 'stalled',
  hint: 'the object is larger than the server takes (about 1.5 MB stored, 3 MB per request): split it',
};
const badRequest: Classified = { code: 'BAD_REQUEST', kind: 'stalled' };
const serverError: Classified = { code: 'SERVER_ERROR', kind: 'retry' };
const byReason: Readonly<Record<string, Classified>> = {
  AlreadyExists: { code: 'ALREADY_EXISTS', kind: 'stalled' },
};
const byCode: Readonly<Record<number, Classified>> = {
  400: badRequest,
  401: {
    code: 'UNAUTHORIZED',
    kind: 'stalled',
    hint: 'the credentials are missing, wrong or expired: check the user of the kubeconfig',
  },
  403: {
    code: 'FORBIDDEN',
    kind: 'stalled',
    hint: 'grant the verb on the resource by a Role or ClusterRole (kubectl auth can-i shows what is allowed)',
  },
  404: { code: 'NOT_FOUND', kind: 'stalled' },
  405: { code: 'METHOD_NOT_ALLOWED', kind: 'stalled' },
  408: { code: 'TIMEOUT', kind: 'retry' },
  409: { code: 'CONFLICT', kind: 'retry' },
  410: { code: 'EXPIRED', kind: 'retry' },
  413: tooLarge,
  415: { code: 'UNSUPPORTED_MEDIA_TYPE', kind: 'stalled' },
  422: { code: 'INVALID', kind: 'stalled' },
  429: { code: 'TOO_MANY_REQUESTS', kind: 'retry' },
  500: serverError,
  502: { code: 'UNAVAILABLE', kind: 'retry' },
  503: { code: 'UNAVAILABLE', kind: 'retry' },
  504: { code: 'TIMEOUT', kind: 'retry' },
};

function reasonOf(code: number): string {
  const reasons: Readonly<Record<number, string>> = {
    400: 'BadRequest',
    401: 'Unauthorized',
    403: 'Forbidden',
    404: 'NotFound',
    405: 'MethodNotAllowed',
    409: 'Conflict',
    410: 'Gone',
    413: 'RequestEntityTooLarge',
    415: 'UnsupportedMediaType',
    422: 'Invalid',
    429: 'TooManyRequests',
    503: 'ServiceUnavailable',
    504: 'Timeout',
  };
  return reasons[code] ?? (code >= 500 ? 'InternalError' : 'Unknown');
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function objectAt(value: JsonObject | undefined, key: string): JsonObject | undefined {
  const member = value?.[key];
  return isObject(member) ? member : undefined;
}

function textAt(value: JsonObject | undefined, key: string): string | undefined {
  const member = value?.[key];
  return typeof member === 'string' && member !== '' ? member : undefined;
}

function numberAt(value: JsonObject | undefined, key: string): number | undefined {
  const member = value?.[key];
  return typeof member === 'number' ? member : undefined;
}
