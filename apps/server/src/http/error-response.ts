import type { ErrorBody } from '@capstan/apps-contract';
import { CapstanError } from '@capstan/lib-std';

/** A failure of the request itself, with its status. */
export class HttpError extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** Codes with a status of their own; all others are the caller's fault (400), unless they are bugs. */
const STATUS: Readonly<Record<string, number>> = {
  NOT_FOUND: 404,
  APP_NOT_FOUND: 404,
  FORBIDDEN: 403,
  UNAUTHORIZED: 403,
  CONFLICT: 409,
  APPLY_CONFLICT: 409,
  OPERATION_RUNNING: 409,
  TOO_MANY_REQUESTS: 429,
};

/** The one place where an error becomes an answer. What we did not expect is not shown. */
export function errorResponse(error: unknown): Response {
  if (error instanceof HttpError) {
    return answer(error.status, { code: `HTTP_${error.status}`, message: error.message });
  }
  if (error instanceof CapstanError && error.kind !== 'bug') {
    const status = STATUS[error.code] ?? (error.kind === 'retry' ? 503 : 400);
    const hint = error.hint === undefined ? {} : { hint: error.hint };
    return answer(status, { code: error.code, message: error.message, ...hint });
  }
  return answer(500, {
    code: 'INTERNAL',
    message: 'Something went wrong in Capstan.',
    hint: 'see the log of the process',
  });
}

function answer(status: number, body: ErrorBody): Response {
  return Response.json(body, { status });
}
