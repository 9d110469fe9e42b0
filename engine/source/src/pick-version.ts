import {
  checkConstraint,
  compareVersions,
  parseConstraint,
  parseVersion,
  type Version,
} from '@capstan/lib-semver';

/**
 * The highest of the tags that lies in a range of versions, by the rules of Masterminds/semver that Argo CD and Flux
 * follow; a leading `v` is allowed, other tags are passed over. Of equal versions the first tag by name wins.
 */
export function pickVersion(
  range: string,
  tags: readonly string[],
): string | undefined | 'not-a-range' {
  const constraint = quietly(() => parseConstraint(range));
  if (constraint === undefined) return 'not-a-range';
  let best: { readonly tag: string; readonly version: Version } | undefined;
  for (const tag of tags.toSorted()) {
    const version = quietly(() => parseVersion(tag));
    if (version === undefined || !checkConstraint(constraint, version)) continue;
    if (best === undefined || compareVersions(version, best.version) > 0) best = { tag, version };
  }
  return best?.tag;
}

/**
 * All tags of the highest version in a range: several when they differ in build metadata alone. A version has to have three parts
 * (fluxcd/pkg/version, ParseVersion): `v1` and `1.2` are none.
 */
export function pickVersions(
  range: string,
  tags: readonly string[],
): readonly string[] | 'not-a-range' {
  const whole = tags.filter((tag) => tag.split('.').length >= 3);
  const best = pickVersion(range, whole);
  if (best === undefined) return [];
  if (best === 'not-a-range') return best;
  const highest = parseVersion(best);
  return whole.toSorted().filter((tag) => {
    const version = quietly(() => parseVersion(tag));
    return version !== undefined && compareVersions(version, highest) === 0;
  });
}

function quietly<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch {
    return undefined;
  }
}
