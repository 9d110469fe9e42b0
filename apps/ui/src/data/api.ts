import {
  type AppDetail,
  type AppRef,
  appPath,
  type ErrorBody,
  type EventView,
  type ResourceDetail,
  type ResourceRef,
  resourceQuery,
  type ServerInfo,
} from '@capstan/apps-contract';

/** What the server said was wrong, with what to do about it. */
export class ApiError extends Error {
  readonly hint: string | undefined;

  constructor(message: string, hint: string | undefined) {
    super(message);
    this.name = 'ApiError';
    this.hint = hint;
  }
}

async function request<T>(path: string, init?: RequestInit): Promise<T> {
  const response = await fetch(path, init).catch(() => {
    throw new ApiError('The server does not answer.', 'Is Capstan still running?');
  });
  const body: unknown = await response.json().catch(() => null);
  if (response.ok) return body as T;
  const error = (body ?? {}) as Partial<ErrorBody>;
  throw new ApiError(error.message ?? `The server answered ${response.status}.`, error.hint);
}

function post(path: string, body: object): Promise<unknown> {
  return request(path, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
}

export const api = {
  info: () => request<ServerInfo>('/api/info'),
  detail: (ref: AppRef) => request<AppDetail>(appPath(ref)),
  events: (ref: AppRef) => request<readonly EventView[]>(`${appPath(ref)}/events`),
  resource: (ref: AppRef, resource: ResourceRef) =>
    request<ResourceDetail>(`${appPath(ref)}/resource?${resourceQuery(resource)}`),
  refresh: (ref: AppRef, hard = false) => post(`${appPath(ref)}/refresh`, { hard }),
  sync: (ref: AppRef, options: { readonly prune?: boolean; readonly dryRun?: boolean } = {}) =>
    post(`${appPath(ref)}/sync`, options),
  rollback: (ref: AppRef, id: number) => post(`${appPath(ref)}/rollback`, { id }),
};
