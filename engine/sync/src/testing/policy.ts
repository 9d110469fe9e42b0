import { SYNC_DEFAULTS } from '../sync-defaults.ts';
import type { SyncPolicy, SyncVocabulary } from '../types.ts';

/** A vocabulary and a policy for the tests of this package. */
export const VOCABULARY: SyncVocabulary = {
  wave: ['sync.example/wave'],
  hooks: [
    {
      annotation: 'sync.example/hook',
      phases: {
        PreSync: 'PreSync',
        Sync: 'Sync',
        PostSync: 'PostSync',
        SyncFail: 'SyncFail',
        PreDelete: 'PreDelete',
        PostDelete: 'PostDelete',
        Skip: 'Skip',
      },
      wave: [],
      deletePolicy: 'sync.example/hook-delete',
      deletePolicies: {
        HookSucceeded: 'HookSucceeded',
        HookFailed: 'HookFailed',
        BeforeHookCreation: 'BeforeHookCreation',
      },
      defaultDeletePolicy: 'BeforeHookCreation',
    },
  ],
  options: ['sync.example/options'],
  switches: [
    { metadata: 'annotation', name: 'sync.example/prune', value: 'disabled', means: 'keep' },
    { metadata: 'annotation', name: 'sync.example/end', value: 'keep', means: 'outlive' },
  ],
};

export const POLICY: SyncPolicy = {
  ...SYNC_DEFAULTS,
  vocabulary: VOCABULARY,
  dryRun: false,
  hookSuffix: 'abc1234-{phase}-1',
};
