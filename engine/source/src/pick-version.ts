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

function quietly<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch {
    return undefined;
  }
}
