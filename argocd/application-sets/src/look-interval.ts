import type { ApplicationSetGenerator, ApplicationSetSpec } from '@capstan/argocd-api';

const HALF_HOUR = 1800;
const THREE_MINUTES = 180;

/** How often what is not watched is asked again, in seconds, unless the generator says otherwise. */
const DEFAULTS = {
  scmProvider: HALF_HOUR,
  pullRequest: HALF_HOUR,
  plugin: HALF_HOUR,
  clusterDecisionResource: THREE_MINUTES,
} as const;

/** When a set is to be looked at again because of services that do not tell of changes; undefined: never. */
export function outsideIntervalMs({ generators }: ApplicationSetSpec): number | undefined {
  const seconds = generators.flatMap(intervalsIn);
  return seconds.length === 0 ? undefined : Math.max(1, Math.min(...seconds)) * 1000;
}

function intervalsIn(generator: ApplicationSetGenerator): readonly number[] {
  const nested = [
    ...(generator.matrix?.generators ?? []),
    ...(generator.merge?.generators ?? []),
  ].flatMap(intervalsIn);
  const own = Object.entries(DEFAULTS).flatMap(([kind, fallback]) => {
    const found = generator[kind as keyof typeof DEFAULTS];
    return found === undefined ? [] : [found.requeueAfterSeconds ?? fallback];
  });
  return [...nested, ...own];
}
