import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readReferences } from './commit-references.ts';

test('trailers of a message name the commit that led to it; malformed ones stay in the text', () => {
  const rows: readonly (readonly [line: string, commit: object | undefined])[] = [
    ['Argocd-reference-commit-repourl: https://x/a', { repoURL: 'https://x/a' }],
    ['Argocd-reference-commit-author: Ann <ann@x.org>', { author: '"Ann" <ann@x.org>' }],
    ['Argocd-reference-commit-author: "CI bot" <ci@x.org>', { author: '"CI bot" <ci@x.org>' }],
    ['Argocd-reference-commit-author: ci@x.org', { author: '<ci@x.org>' }],
    ['Argocd-reference-commit-author: nobody', undefined],
    ['Argocd-reference-commit-date: 2026-01-02T03:04:05Z', { date: '2026-01-02T03:04:05Z' }],
    ['Argocd-reference-commit-date: yesterday', undefined],
    ['Argocd-reference-commit-subject: Fix: it', { subject: 'Fix: it' }],
    ['Argocd-reference-commit-body: "two\\nlines"', { body: 'two\nlines' }],
    ['Argocd-reference-commit-body: no json', undefined],
    ['Argocd-reference-commit-sha: abc123', { sha: 'abc123' }],
    ['Argocd-reference-commit-sha: ABC', undefined],
    ['Argocd-reference-commit-other: x', undefined],
    ['Signed-off-by: Ann <ann@x.org>', undefined],
  ];
  for (const [line, commit] of rows) {
    const expected =
      commit === undefined
        ? { body: `Why.\n\n${line}`, references: [] }
        : { body: 'Why.', references: [{ commit }] };
    assert.deepEqual(readReferences(`Why.\n\n${line}`), expected, line);
  }
});

test('all trailers of a message are of one commit', () => {
  const text = 'Argocd-reference-commit-sha: abcde\nkept\nArgocd-reference-commit-subject: s';
  assert.deepEqual(readReferences(text), {
    body: 'kept',
    references: [{ commit: { sha: 'abcde', subject: 's' } }],
  });
});
