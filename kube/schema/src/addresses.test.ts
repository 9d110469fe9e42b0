import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseIpAddress } from './ip-address.ts';
import { requestUriProblem } from './request-uri.ts';

test('addresses are read as net/netip reads them, and what is none is told in its words', () => {
  const table: readonly (readonly [string, string])[] = [
    ['10.1.2.3', '10.1.2.3'],
    ['::', `${'0.'.repeat(15)}0`],
    ['::1%eth0', `${'0.'.repeat(15)}1%eth0`],
    ['1:2::10.0.0.1', '0.1.0.2.0.0.0.0.0.0.0.0.10.0.0.1'],
    ['x', 'unable to parse IP'],
    ['%x', 'missing IPv6 address'],
    ['10.0.0', 'IPv4 address too short'],
    ['10.0.0.0.1', 'IPv4 address too long'],
    ['10..0.1', 'IPv4 field must have at least one digit (at ".0.1")'],
    ['010.0.0.1', 'IPv4 field has octet with leading zero'],
    ['10.0.0.256', 'IPv4 field has value >255'],
    ['10.0.0.x', 'unexpected character (at "x")'],
    ['1:2:3', 'address string too short'],
    ['1::2::3', 'multiple :: in address (at ":3")'],
    ['1:2:3:4:5:6:7:8:9', 'trailing garbage after address (at "9")'],
    ['1:', 'colon must be followed by more characters (at ":")'],
    ['12345::', 'each group must have 4 or less digits (at "12345::")'],
    ['::1%', 'zone must be a non-empty string'],
    ['2024-01:1', 'unexpected character, want colon (at "-01:1")'],
    [
      '1:10.0.0.1',
      'embedded IPv4 address must replace the final 2 fields of the address (at "10.0.0.1")',
    ],
  ];
  for (const [text, expected] of table) {
    const found = parseIpAddress(text);
    const shown =
      'problem' in found
        ? found.problem.replace(`ParseAddr(${JSON.stringify(text)}): `, '')
        : `${found.bytes.join('.')}${found.zone === '' ? '' : `%${found.zone}`}`;
    assert.equal(shown, expected, text);
  }
});

test('what is no URL of a request is told as net/url tells it', () => {
  const table: readonly (readonly [string, string | undefined])[] = [
    ['https://u:p@host:80/a?b#c', undefined],
    ['/path%20x', undefined],
    ['mailto:someone', undefined],
    ['http://[::1]:80/', undefined],
    ['', 'empty url'],
    ['x/y', 'invalid URI for request'],
    ['::1', 'missing protocol scheme'],
    ['/a%zz', 'invalid URL escape "%zz"'],
    ['http://a b/', 'invalid character " " in host name'],
    ['http://a:b/', 'invalid port ":b" after host'],
    ['http://[::1/', "missing ']' in host"],
    ['http://[10.0.0.1]/', 'invalid IP-literal'],
    ['http://a[b]/', 'invalid IP-literal'],
    ['http://a^b@h/', 'net/url: invalid userinfo'],
    ['/a\n', 'net/url: invalid control character in URL'],
  ];
  for (const [text, expected] of table) assert.equal(requestUriProblem(text), expected, text);
});
