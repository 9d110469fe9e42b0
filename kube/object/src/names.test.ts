import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  configKeyProblems,
  dns1035LabelProblems,
  dnsLabelProblems,
  labelKeyProblems,
  labelValueProblems,
  pathSegmentProblems,
  portNameProblems,
  subdomainProblems,
} from './names.ts';

test('what is well-formed has no problems', () => {
  assert.deepEqual(subdomainProblems('a-b.c.d'), []);
  assert.deepEqual(dnsLabelProblems('a-1'), []);
  assert.deepEqual(dns1035LabelProblems('a-1'), []);
  assert.deepEqual(labelKeyProblems('example.com/My_Name.x'), []);
  assert.deepEqual(labelValueProblems(''), []);
  assert.deepEqual(portNameProblems('http-8080'), []);
  assert.deepEqual(configKeyProblems('a.b_C-d'), []);
  assert.deepEqual(pathSegmentProblems('system:node'), []);
});

test('problems are said in the words of the API server', () => {
  assert.deepEqual(subdomainProblems('A_b'), [
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')",
  ]);
  assert.deepEqual(dnsLabelProblems('a.b'), ['must not contain dots']);
  assert.deepEqual(labelValueProblems('x'.repeat(64)), ['must be no more than 63 bytes']);
  assert.deepEqual(labelKeyProblems('/x'), ['prefix part must be non-empty']);
  assert.deepEqual(labelKeyProblems('a/'), [
    'name part must be non-empty',
    "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')",
  ]);
  assert.deepEqual(portNameProblems('-8--0'), [
    'must contain at least one letter (a-z)',
    'must not contain consecutive hyphens',
    'must not begin or end with a hyphen',
  ]);
  assert.deepEqual(pathSegmentProblems('a/b%'), ["may not contain '/'", "may not contain '%'"]);
});

test('a long hostile name is refused quickly', () => {
  const start = performance.now();
  assert.equal(subdomainProblems(`${'a.'.repeat(50_000)}!`).length, 2);
  assert.ok(performance.now() - start < 10_000);
});
