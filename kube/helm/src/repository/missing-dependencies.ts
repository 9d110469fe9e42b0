import type { Chart, ChartDependency } from '../chart.ts';
import { ChartError } from '../chart-error.ts';
import { lockDigest } from './lock-digest.ts';

/** The names of dependencies that Chart.yaml has and the folder has not. */
export function missingDependencies(chart: Chart): readonly string[] {
  const present = new Set(chart.dependencies.map((child) => child.metadata.name));
  return chart.metadata.dependencies.map(({ name }) => name).filter((name) => !present.has(name));
}

/**
 * What `helm dependency build` would fetch of them: what Chart.lock says, and what Chart.yaml asks for when there is no lock.
 * Throws CHART_LOCK when they disagree.
 */
export function wantedDependencies(chart: Chart): readonly ChartDependency[] {
  const { lock, metadata } = chart;
  const missing = new Set(missingDependencies(chart));
  if (lock !== null && lockDigest(metadata.dependencies, lock.dependencies) !== lock.digest) {
    throw new ChartError(
      'CHART_LOCK',
      "the lock file (Chart.lock) is out of sync with the dependencies file (Chart.yaml). Please update the dependencies with 'helm dependency update'",
    );
  }
  const asked = lock?.dependencies ?? metadata.dependencies;
  return asked.filter(({ name }) => missing.has(name));
}
