import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { createHttpPort } from './http-port.ts';
import { hosterProxy, usualProxy } from './proxies.ts';

const USUAL = { HTTPS_PROXY: 'http://usual:1', NO_PROXY: 'near.example.com' };
const OWN = {
  ...USUAL,
  ARGOCD_APPLICATIONSET_CONTROLLER_SCM_PROXY_URL: 'http://own:2',
  ARGOCD_APPLICATIONSET_CONTROLLER_SCM_NO_PROXY: 'git.example.com,10.0.0.0/8',
};

test('hosters have a proxy of their own, plugins the usual one', () => {
  const rows: readonly (readonly [url: string, hoster: string | undefined, usual?: string])[] = [
    ['https://api.github.com/', 'http://own:2', 'http://usual:1'],
    ['https://near.example.com/', 'http://own:2'],
    ['https://git.example.com/', undefined, 'http://usual:1'],
    ['http://10.1.2.3/', undefined],
    ['http://gitea.example.org/', 'http://own:2'],
    ['http://localhost:3000/', undefined],
  ];
  for (const [url, hoster, usual] of rows) {
    assert.equal(hosterProxy(OWN)(new URL(url)), hoster, url);
    assert.equal(usualProxy(OWN)(new URL(url)), usual, url);
    assert.equal(hosterProxy(USUAL)(new URL(url)), usual, url);
    assert.equal(hosterProxy({})(new URL(url)), undefined, url);
  }
});

test('a request goes through the proxy that its address has', async () => {
  const asked: string[] = [];
  const proxy = createServer((request, response) => {
    asked.push(request.url ?? '');
    response.end('[]');
  });
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  const address = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
  try {
    const proxyFor = hosterProxy({ ARGOCD_APPLICATIONSET_CONTROLLER_SCM_PROXY_URL: address });
    const send = createHttpPort({ signal: new AbortController().signal, proxyFor });
    const url = 'http://git.example.invalid/api/v1/orgs/o/repos';
    const { status, text } = await send({ method: 'GET', url, headers: {} });
    assert.deepEqual([status, text], [200, '[]']);
    assert.equal(asked.length, 1);
    assert.match(asked[0] ?? '', /git\.example\.invalid/);
  } finally {
    proxy.closeAllConnections();
    await new Promise((resolve) => proxy.close(resolve));
  }
});
