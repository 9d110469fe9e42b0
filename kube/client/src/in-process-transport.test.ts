import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createKubeClient } from './create-client.ts';
import { type InProcessServer, inProcessTransport } from './in-process-transport.ts';
import { thing, watchLine } from './odd-server.ts';

const catalogue = {
  kind: 'APIGroupDiscoveryList',
  items: [
    {
      metadata: {},
      versions: [
        {
          version: 'v1',
          resources: [
            {
              resource: 'configmaps',
              responseKind: { kind: 'ConfigMap' },
              scope: 'Namespaced',
              verbs: ['get', 'list', 'watch'],
            },
          ],
        },
      ],
    },
  ],
};

/** A server whose watch tells one object and then never anything again, whatever the signal says. */
function deafServer(): InProcessServer & { readonly headers: Record<string, string>[] } {
  const headers: Record<string, string>[] = [];
  const bytes = (value: unknown) =>
    new TextEncoder().encode(typeof value === 'string' ? value : JSON.stringify(value));
  return {
    server: 'in-process',
    headers,
    close: async () => {},
    async request(request) {
      headers.push(request.headers);
      const { path } = request;
      const body = (async function* () {
        if (path === '/api') yield bytes(catalogue);
        else if (path === '/apis') yield bytes({ kind: 'APIGroupDiscoveryList', items: [] });
        else if (!path.includes('watch')) yield bytes(thing('a', '1'));
        else {
          yield bytes(watchLine('ADDED', thing('a', '1')));
          await new Promise(() => {});
        }
      })();
      return { status: 200, headers: {}, body };
    },
  };
}

const map = { apiVersion: 'v1', kind: 'ConfigMap', namespace: 'default', name: 'a' };

test('repeated headers come joined, as from a socket', async () => {
  const server = deafServer();
  const client = createKubeClient(inProcessTransport(server));
  await client.as({ user: 'ann', groups: ['dev', 'ops'] }).get(map);
  assert.equal(server.headers.at(-1)?.['impersonate-group'], 'dev, ops');
});

test('an abort ends a stream that the server would never end', async () => {
  const client = createKubeClient(inProcessTransport(deafServer()));
  const stop = new AbortController();
  const seen: string[] = [];
  const watching = (async () => {
    for await (const event of client.watch(map, { signal: stop.signal })) {
      seen.push(event.type);
      stop.abort(new Error('enough'));
    }
  })();
  await assert.rejects(watching, /enough/);
  assert.deepEqual(seen, ['ADDED']);
});
