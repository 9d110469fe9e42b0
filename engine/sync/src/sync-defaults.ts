import type { SyncPolicy } from './types.ts';

/** What a sync does that nobody has said anything about; Argo CD's defaults. */
export const SYNC_DEFAULTS = {
  prune: false,
  pruneLast: false,
  prunePermission: 'allowed',
  pruneConfirmed: false,
  propagation: 'Foreground',
  replace: false,
  force: false,
  validate: true,
  skipHooks: false,
  outOfSyncOnly: false,
  skipDryRunOnMissingKind: false,
  takeOverFrom: [],
  waitFor: 'healthy',
} as const satisfies Omit<SyncPolicy, 'vocabulary' | 'dryRun' | 'hookSuffix'>;
