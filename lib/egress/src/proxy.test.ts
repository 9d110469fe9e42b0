import assert from 'node:assert/strict';
import { test } from 'node:test';
import { proxyFromEnvironment } from './proxy.ts';

const proxy = 'http://proxy:3128';

function choose(url: string, environment: Record<string, string>): string | undefined {
  return proxyFromEnvironment(new URL(url), environment);
}

test('the variable is chosen by scheme, in either case, and a bare host is taken as http', () => {
  assert.equal(choose('https://k:6443', { HTTPS_PROXY: proxy }), proxy);
  assert.equal(choose('https://k:6443', { https_proxy: 'proxy:3128' }), proxy);
  assert.equal(choose('https://k:6443', { HTTP_PROXY: proxy }), undefined);
  assert.equal(choose('http://k', { HTTP_PROXY: proxy }), proxy);
});

test('what is no address of a proxy counts as nothing', () => {
  assert.equal(choose('https://k', { HTTPS_PROXY: ':::', HTTP_PROXY: proxy }), undefined);
});

test('loopback never goes through a proxy', () => {
  for (const host of ['localhost', '127.0.0.1', '127.8.9.1', '[::1]']) {
    assert.equal(choose(`https://${host}:6443`, { HTTPS_PROXY: proxy }), undefined);
  }
});

test('NO_PROXY takes names, suffixes, ports, addresses, blocks and *', () => {
  const cases: readonly (readonly [string, string, boolean])[] = [
    ['https://k.example.com', 'example.com', true],
    ['https://example.com', '.example.com', false],
    ['https://k.example.com', '*.example.com', true],
    ['https://notexample.com', 'example.com', false],
    ['https://k.example.com:6443', 'k.example.com:443', false],
    ['https://k.example.com', 'other, k.example.com:443', true],
    ['https://10.1.2.3', '10.0.0.0/8', true],
    ['https://11.1.2.3', '10.0.0.0/8', false],
    ['https://10.1.2.3', '10.1.2.3', true],
    ['https://anything', '*', true],
    ['https://10.1.2.3:6443', '10.1.2.3:443', false],
    ['https://[fd00::1]:6443', 'fd00::1', true],
    ['https://[fd00::1]:6443', '[fd00:0::1]:6443', true],
    ['https://[fd00::1]:6443', '[fd00::1]:443', false],
    ['https://[fd12::9]', 'fd00::/8', true],
    ['https://[fe80::9]', 'fd00::/8, 10.0.0.0/8', false],
    ['https://anything', 'x/y, 300.1.1.1/8, 10.0.0.0/99', false],
    ['https://10.1.2.3', '::/0', false],
    ['https://10.1.2.3', '::ffff:10.1.2.3', true],
    ['https://[::ffff:10.1.2.3]', '10.1.2.3:', true],
    ['https://10.1.2.3', '3', false],
    ['https://k.example.com:6443', ':6443', false],
    ['https://münchen.example', 'münchen.example', true],
    ['https://k.münchen.example', '.MÜNCHEN.example:443', true],
  ];
  for (const [url, list, isExempt] of cases) {
    const chosen = choose(url, { HTTPS_PROXY: proxy, NO_PROXY: list });
    assert.equal(chosen, isExempt ? undefined : proxy, `${url} with NO_PROXY=${list}`);
  }
});
