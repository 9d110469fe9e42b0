import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fluxCrds } from './crds.ts';

test('each definition carries the labels by which the flux command finds it and learns whose it is', () => {
  assert.ok(fluxCrds.length > 0);
  for (const { metadata } of fluxCrds) {
    assert.equal(metadata.labels?.['app.kubernetes.io/part-of'], 'flux', metadata.name);
    assert.equal(metadata.labels?.['app.kubernetes.io/managed-by'], 'capstan', metadata.name);
  }
});

test('versions that Flux no longer serves say so to whoever uses them', () => {
  const warnings = fluxCrds.flatMap(({ spec }) =>
    (spec as { versions: readonly { deprecationWarning?: string }[] }).versions.map(
      ({ deprecationWarning }) => deprecationWarning,
    ),
  );
  assert.ok(warnings.includes('v2beta1 HelmRelease is deprecated, upgrade to v2'));
  assert.ok(warnings.includes('v1beta2 Kustomization is deprecated, upgrade to v1'));
  assert.equal(warnings.filter((one) => one === undefined).length, fluxCrds.length);
});

test('what the original fills in is filled in', () => {
  const schemaOf = (kind: string): string =>
    JSON.stringify(
      fluxCrds.find(({ spec }) => (spec as { names: { kind: string } }).names.kind === kind),
    );
  assert.match(
    schemaOf('ImageRepository'),
    /"exclusionList":\{[^}]*\}[^}]*"default":\["\^\.\*\\\\\.sig\$"\]/,
  );
  assert.match(schemaOf('ImageUpdateAutomation'), /"default":\{"strategy":"Setters"\}/);
});
