import { ApiError, badRequest, notFound } from './api-error.ts';
import { authorizeRequest } from './auth/authorize-request.ts';
import type { ExecResult } from './container-runtime.ts';
import type { Core } from './core.ts';
import type { ApiRequest } from './http-types.ts';
import { listAt, textAt } from './json.ts';
import { isTrue, readRequestInfo } from './request-info.ts';
import type { UserInfo } from './user.ts';

/** A command that a client asked for, ready to run once its standard input is known. */
export interface ExecCall {
  readonly wantsStdin: boolean;
  run(stdin: string): ExecResult;
}

/** Reads and checks a request for `pods/NAME/exec`. Throws ApiError for everything that cannot be run. */
export function prepareExec(core: Core, user: UserInfo, request: ApiRequest): ExecCall {
  const [path = '', search = ''] = request.path.split('?');
  const query = new URLSearchParams(search);
  const info = readRequestInfo('POST', path, query);
  if (info.kind !== 'resource' || info.resource.subresource !== 'exec') {
    throw badRequest('only exec can be upgraded to a stream here');
  }
  authorizeRequest(core, user, info);
  const { namespace, name } = info.resource;
  const pod = core.store.get('/pods', `${namespace}/${name}`);
  if (pod === undefined) throw notFound({ group: '', resource: 'pods', name });
  const names = listAt(pod, 'spec', 'containers').map((container) => textAt(container, 'name'));
  const container = query.get('container') ?? names[0] ?? '';
  if (!names.includes(container)) {
    throw badRequest(`container ${container} is not valid for pod ${name}`);
  }
  if (textAt(pod, 'status', 'phase') !== 'Running') {
    throw new ApiError(
      500,
      'InternalError',
      `cannot exec into a container in a ${textAt(pod, 'status', 'phase')} pod; current phase is ${textAt(pod, 'status', 'phase')}`,
    );
  }
  const command = query.getAll('command');
  if (command.length === 0) throw badRequest('you must specify at least 1 command');
  return {
    wantsStdin: isTrue(query.get('stdin')),
    run: (stdin) => core.runtime.exec(pod, container, command, stdin),
  };
}
