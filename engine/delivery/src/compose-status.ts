import type { DiffEntry } from '@capstan/engine-diff';
import {
  assessHealth,
  type Health,
  type HealthRules,
  isWorse,
  rollUpHealth,
} from '@capstan/engine-health';
import { isLeftAlone, readHints } from '@capstan/engine-sync';
import { type KubeObject, keyString, type ObjectKey, parseApiVersion } from '@capstan/kube-object';
import { externalUrlsOf, imagesOf } from './object-info.ts';
import type { PreparedObject } from './prepare-desired.ts';
import type { Delivery, ObjectStatus, SyncStatus } from './types.ts';

export interface ComposeInput {
  readonly delivery: Delivery;
  readonly entries: readonly DiffEntry[];
  readonly prepared: ReadonlyMap<string, PreparedObject>;
  /** Live objects of hooks. */
  readonly hooks: readonly KubeObject[];
  readonly nowMs: number;
}

/** The state of each object, in the order of the diff, hooks last. Pure. */
export function composeObjects(input: ComposeInput): readonly ObjectStatus[] {
  const objects = input.entries.map((entry) => composeObject(entry, input));
  return [...objects, ...input.hooks.map((live) => composeHook(live, input))];
}

function composeObject(
  entry: DiffEntry,
  { delivery, prepared, nowMs }: ComposeInput,
): ObjectStatus {
  const shown = entry.live ?? entry.desired?.object;
  const hints =
    (entry.desired?.object ?? entry.live) &&
    readHints(entry.desired?.object ?? entry.live ?? EMPTY, delivery.sync.vocabulary);
  const refusal = prepared.get(keyString(entry.key))?.refusal;
  const extra = entry.verdict === 'extra';
  const health = assess(entry, { rules: delivery.health.rules, nowMs });
  const reason = refusal ?? entry.reason;
  const counts = !isLeftAlone(entry, delivery.sync.vocabulary);
  return {
    key: entry.key,
    version: parseApiVersion((entry.desired?.object ?? shown ?? EMPTY).apiVersion).version,
    ...(counts ? { sync: refusal === undefined ? syncOf(entry) : 'Unknown' } : {}),
    ...(health === undefined ? {} : { health }),
    hook: false,
    requiresPruning: extra,
    requiresConfirmation:
      hints?.options['Prune'] === 'confirm' || hints?.options['Delete'] === 'confirm',
    wave: hints?.wave ?? 0,
    ...(entry.desired?.origin === undefined ? {} : { origin: entry.desired.origin }),
    images: shown === undefined ? [] : imagesOf(shown),
    externalUrls: entry.live === undefined ? [] : externalUrlsOf(entry.live),
    differences: entry.differences,
    ...(reason === undefined ? {} : { reason }),
  };
}

const EMPTY: KubeObject = { apiVersion: '', kind: '', metadata: {} };

function composeHook(live: KubeObject, { delivery, nowMs }: ComposeInput): ObjectStatus {
  const { group, version } = parseApiVersion(live.apiVersion);
  const { name = '', namespace = '' } = live.metadata;
  const health = assessHealth(live, delivery.health.rules, { isHook: true, nowMs });
  return {
    key: { group, kind: live.kind, namespace, name },
    version,
    ...(health === undefined ? {} : { health }),
    hook: true,
    requiresPruning: false,
    requiresConfirmation: false,
    wave: readHints(live, delivery.sync.vocabulary).wave,
    images: imagesOf(live),
    externalUrls: [],
    differences: [],
  };
}

function syncOf({ verdict }: DiffEntry): SyncStatus {
  if (verdict === 'unknown') return 'Unknown';
  return verdict === 'same' ? 'Synced' : 'OutOfSync';
}

function assess(
  { live, desired }: DiffEntry,
  { rules, nowMs }: { readonly rules: HealthRules; readonly nowMs: number },
): Health | undefined {
  if (live !== undefined) return assessHealth(live, rules, { nowMs });
  return desired === undefined ? undefined : { status: 'Missing' };
}

/** Unknown when anything could not be compared; OutOfSync when anything differs. */
export function composeSync(
  objects: readonly ObjectStatus[],
  options: {
    readonly failed: boolean;
    readonly entries: readonly DiffEntry[];
    readonly ignoresExtra: Delivery['compare']['ignoresExtra'];
  },
): SyncStatus {
  const { failed, entries, ignoresExtra } = options;
  if (failed) return 'Unknown';
  const ignored = new Set(
    entries.filter((one) => isIgnoredExtra(one, ignoresExtra)).map(({ key }) => keyString(key)),
  );
  const counted = objects.filter(({ key }) => !ignored.has(keyString(key)));
  if (counted.some(({ sync }) => sync === 'OutOfSync')) return 'OutOfSync';
  return counted.some(({ sync }) => sync === 'Unknown') ? 'Unknown' : 'Synced';
}

/** Whether it is extra, and may be. */
export function isIgnoredExtra(
  { verdict, live }: DiffEntry,
  ignoresExtra: Delivery['compare']['ignoresExtra'],
): boolean {
  return verdict === 'extra' && live !== undefined && ignoresExtra?.(live) === true;
}

const CAUSES_SHOWN = 3;

/**
 * As bad as the worst of what is live, with what makes it so. What is missing counts only when nothing at all is live, as in
 * Argo CD: that it is missing is what OutOfSync says.
 */
export function composeHealth(
  objects: readonly ObjectStatus[],
  { entries, delivery }: { readonly entries: readonly DiffEntry[]; readonly delivery: Delivery },
): Health {
  const { ignoreAnnotation, overlooks } = delivery.health;
  const lives = new Map(entries.map(({ key, live }) => [keyString(key), live]));
  const isOverlooked = (key: ObjectKey, health: Health) => {
    const live = lives.get(keyString(key));
    return live !== undefined && overlooks?.(live, health) === true;
  };
  const silent = new Set(
    entries
      .filter(({ desired, live }) => {
        const shown = live ?? desired?.object;
        return (
          ignoreAnnotation !== undefined &&
          shown?.metadata.annotations?.[ignoreAnnotation] === 'true'
        );
      })
      .map(({ key }) => keyString(key)),
  );
  const counted = objects.filter(({ hook, sync }) => !hook && sync !== undefined);
  const judged = counted.flatMap(({ key, health }) =>
    health === undefined ||
    health.status === 'Missing' ||
    silent.has(keyString(key)) ||
    isOverlooked(key, health)
      ? []
      : [{ key, health }],
  );
  const { status } = rollUpHealth(judged.map(({ health }) => health));
  const isGone = counted.length > 0 && entries.every(({ live }) => live === undefined);
  if (isGone && isWorse(status, 'Missing')) return { status: 'Missing' };
  if (status === 'Healthy') return { status };
  const causes = judged
    .filter(({ health }) => health.status === status)
    .map(({ key }) => tell(key));
  const more = causes.length - CAUSES_SHOWN;
  const shown = causes.slice(0, CAUSES_SHOWN).join(', ');
  return { status, message: `Caused by ${shown}${more > 0 ? ` and ${more} more` : ''}` };
}

function tell({ group, kind, namespace, name }: ObjectKey): string {
  const type = group === '' ? kind : `${group}/${kind}`;
  return `${type}:${namespace === '' ? '' : `${namespace}/`}${name}`;
}
