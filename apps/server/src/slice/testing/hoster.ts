import { answerTo } from '@capstan/argocd-application-sets/testing';
import { listen, type Serving } from '../../http/serve.ts';

/** Speaks the REST of all hosters of repositories, and that of generators' plugins, on this machine. */
export function startHoster(): Promise<Serving> {
  return listen(
    (request, response) => {
      const answer = answerTo(`http://hoster${request.url ?? '/'}`);
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end(JSON.stringify(answer));
    },
    { port: 0, address: '127.0.0.1', name: 'the hoster' },
  );
}
