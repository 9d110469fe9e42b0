import {
  type FieldError,
  formatFieldErrorBody,
  formatFieldErrors,
  type Json,
  type JsonObject,
} from '@capstan/kube-object';

/** One entry of `details.causes`. */
export interface StatusCause {
  readonly reason?: string;
  readonly message: string;
  readonly field?: string;
}

/** The resource that an error speaks of: `deployments.apps "web"`. */
export interface ErrorSubject {
  readonly group: string;
  readonly resource: string;
  readonly name?: string;
}

/**
 * An answer other than success, as the metav1.Status that clients read. Texts, reasons and codes follow
 * k8s.io/apimachinery/pkg/api/errors, because clients (and people) match on them.
 */
export class ApiError extends Error {
  readonly code: number;
  readonly reason: string;
  readonly details: JsonObject | undefined;
  readonly headers: Readonly<Record<string, string>>;
  /** For an expired continue token: the list metadata that lets a client go on. */
  readonly listMeta: JsonObject | undefined;

  constructor(
    code: number,
    reason: string,
    message: string,
    extra: {
      details?: JsonObject;
      headers?: Readonly<Record<string, string>>;
      listMeta?: JsonObject;
      cause?: unknown;
    } = {},
  ) {
    super(message, extra.cause === undefined ? {} : { cause: extra.cause });
    this.name = 'ApiError';
    this.code = code;
    this.reason = reason;
    this.details = extra.details;
    this.headers = extra.headers ?? {};
    this.listMeta = extra.listMeta;
  }

  toStatus(): JsonObject {
    return {
      kind: 'Status',
      apiVersion: 'v1',
      metadata: this.listMeta ?? {},
      status: 'Failure',
      message: this.message,
      ...(this.reason === '' ? {} : { reason: this.reason }),
      ...(this.details === undefined ? {} : { details: this.details }),
      code: this.code,
    };
  }
}

/** `deployments.apps`, or `pods` for the core group. */
export function qualifiedResource({ group, resource }: ErrorSubject): string {
  return group === '' ? resource : `${resource}.${group}`;
}

function subjectDetails(subject: ErrorSubject): { [key: string]: Json } {
  return {
    ...(subject.name === undefined || subject.name === '' ? {} : { name: subject.name }),
    ...(subject.group === '' ? {} : { group: subject.group }),
    kind: subject.resource,
  };
}

export function notFound(subject: ErrorSubject): ApiError {
  return new ApiError(
    404,
    'NotFound',
    `${qualifiedResource(subject)} ${quote(subject.name ?? '')} not found`,
    { details: subjectDetails(subject) },
  );
}

/** The answer for a path that this server does not serve. */
export function noSuchResource(): ApiError {
  return new ApiError(404, 'NotFound', 'the server could not find the requested resource', {
    details: {},
  });
}

export function alreadyExists(subject: ErrorSubject): ApiError {
  return new ApiError(
    409,
    'AlreadyExists',
    `${qualifiedResource(subject)} ${quote(subject.name ?? '')} already exists`,
    { details: subjectDetails(subject) },
  );
}

export function conflict(subject: ErrorSubject, why: string): ApiError {
  return new ApiError(
    409,
    'Conflict',
    `Operation cannot be fulfilled on ${qualifiedResource(subject)} ${quote(subject.name ?? '')}: ${why}`,
    { details: subjectDetails(subject) },
  );
}

export const MODIFIED =
  'the object has been modified; please apply your changes to the latest version and try again';

export function forbidden(subject: ErrorSubject, why: string): ApiError {
  const resource = qualifiedResource(subject);
  const message =
    resource === ''
      ? `forbidden: ${why}`
      : subject.name === undefined || subject.name === ''
        ? `${resource} is forbidden: ${why}`
        : `${resource} ${quote(subject.name)} is forbidden: ${why}`;
  return new ApiError(403, 'Forbidden', message, { details: subjectDetails(subject) });
}

export function badRequest(message: string): ApiError {
  return new ApiError(400, 'BadRequest', message);
}

export function unauthorized(): ApiError {
  return new ApiError(401, 'Unauthorized', 'Unauthorized');
}

export function methodNotAllowed(): ApiError {
  return new ApiError(
    405,
    'MethodNotAllowed',
    'the server does not allow this method on the requested resource',
    { details: {} },
  );
}

export function expired(message: string, listMeta?: JsonObject): ApiError {
  return new ApiError(410, 'Expired', message, listMeta === undefined ? {} : { listMeta });
}

export function tooLarge(message: string): ApiError {
  return new ApiError(413, 'RequestEntityTooLarge', message);
}

export function unsupportedMediaType(accepted: readonly string[]): ApiError {
  return new ApiError(
    415,
    'UnsupportedMediaType',
    `the body of the request was in an unknown format - accepted media types include: ${accepted.join(', ')}`,
  );
}

export function notAcceptable(accepted: readonly string[]): ApiError {
  return new ApiError(
    406,
    'NotAcceptable',
    `only the following media types are accepted: ${accepted.join(', ')}`,
  );
}

export function internalError(message: string, cause?: unknown): ApiError {
  return new ApiError(500, 'InternalError', `Internal error occurred: ${message}`, {
    details: { causes: [{ message }] },
    cause,
  });
}

export function tooManyRequests(message: string, retryAfterSeconds: number): ApiError {
  return new ApiError(429, 'TooManyRequests', message, {
    details: retryAfterSeconds > 0 ? { retryAfterSeconds } : {},
    headers: retryAfterSeconds > 0 ? { 'retry-after': String(retryAfterSeconds) } : {},
  });
}

/** Go's %q for the strings that names and messages hold. */
export function quote(text: string): string {
  return JSON.stringify(text);
}

/** 422: every field error in one answer. `kind` is the kind, not the resource, as upstream has it. */
export function invalid(
  subject: { readonly group: string; readonly kind: string; readonly name: string },
  errors: readonly FieldError[],
): ApiError {
  const qualified = subject.group === '' ? subject.kind : `${subject.kind}.${subject.group}`;
  return new ApiError(
    422,
    'Invalid',
    `${qualified} ${quote(subject.name)} is invalid: ${formatFieldErrors(errors)}`,
    {
      details: {
        ...(subject.name === '' ? {} : { name: subject.name }),
        ...(subject.group === '' ? {} : { group: subject.group }),
        ...(subject.kind === '' ? {} : { kind: subject.kind }),
        causes: errors.map((e) => ({
          reason: e.reason,
          message: formatFieldErrorBody(e),
          field: e.field,
        })),
      },
    },
  );
}
