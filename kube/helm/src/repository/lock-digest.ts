import { createHash } from 'node:crypto';
import { toYaml } from '@capstan/lib-yaml';
import type { ChartDependency, ChartLock } from '../chart.ts';

type Locked = Pick<ChartDependency, 'name' | 'version' | 'repository'>;

/** The digest of Chart.lock: of what was asked for and what was chosen, as helm computes it over Go's JSON. */
export function lockDigest(asked: readonly ChartDependency[], locked: readonly Locked[]): string {
  const json = `[${listJson(asked.map(dependencyJson))},${listJson(
    locked.map(({ name, version, repository }) => fields({ name, version, repository })),
  )}]`;
  return `sha256:${createHash('sha256').update(json).digest('hex')}`;
}

function listJson(items: readonly string[]): string {
  return `[${items.join(',')}]`;
}

function dependencyJson(dependency: ChartDependency): string {
  const { importValues, ...rest } = dependency;
  return fields({ ...rest, 'import-values': importValues });
}

const ORDER = [
  'name',
  'version',
  'repository',
  'condition',
  'tags',
  'enabled',
  'import-values',
  'alias',
] as const;

/** In the order of Go's struct; empty fields left out but for name and repository. */
function fields(values: Readonly<Partial<Record<(typeof ORDER)[number], unknown>>>): string {
  const parts = ORDER.flatMap((key) => {
    const value = values[key];
    const always = key === 'name' || key === 'repository';
    const isEmpty =
      value === undefined ||
      value === '' ||
      value === false ||
      (Array.isArray(value) && value.length === 0);
    return isEmpty && !always ? [] : [`${JSON.stringify(key)}:${goText(value ?? '')}`];
  });
  return `{${parts.join(',')}}`;
}

/** Go's encoder writes these characters as escapes, for browsers' sake. */
function goText(value: unknown): string {
  return JSON.stringify(value).replace(
    /[<>&\u2028\u2029]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** Chart.lock as helm writes it. */
export function lockText({ dependencies, digest, generated }: ChartLock): string {
  return toYaml({
    dependencies: dependencies.map(({ name, repository, version }) => ({
      name,
      repository,
      ...(version === '' ? {} : { version }),
    })),
    digest,
    generated,
  });
}
