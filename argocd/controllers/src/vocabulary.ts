import { ANNOTATION, HOOK_FINALIZER } from '@capstan/argocd-api';
import type { HealthRule } from '@capstan/engine-health';
import type { SyncVocabulary } from '@capstan/engine-sync';

/** What Argo CD's annotations and Helm's hooks mean (documentation: "Sync Phases and Waves", "Helm Hooks", "Sync Options"). */
export const ARGO_VOCABULARY: SyncVocabulary = {
  wave: [ANNOTATION.syncWave],
  hooks: [
    {
      annotation: ANNOTATION.hook,
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
      deletePolicy: ANNOTATION.hookDeletePolicy,
      deletePolicies: {
        HookSucceeded: 'HookSucceeded',
        HookFailed: 'HookFailed',
        BeforeHookCreation: 'BeforeHookCreation',
      },
      defaultDeletePolicy: 'BeforeHookCreation',
    },
    {
      annotation: 'helm.sh/hook',
      phases: {
        'crd-install': 'Ordinary',
        'pre-install': 'PreSync',
        'pre-upgrade': 'PreSync',
        'post-install': 'PostSync',
        'post-upgrade': 'PostSync',
        'pre-delete': 'PreDelete',
        'post-delete': 'PostDelete',
      },
      wave: ['helm.sh/hook-weight'],
      deletePolicy: 'helm.sh/hook-delete-policy',
      deletePolicies: {
        'before-hook-creation': 'BeforeHookCreation',
        'hook-succeeded': 'HookSucceeded',
        'hook-failed': 'HookFailed',
      },
      defaultDeletePolicy: 'BeforeHookCreation',
    },
  ],
  hookFinalizer: HOOK_FINALIZER,
  options: [ANNOTATION.syncOptions],
  switches: [
    { metadata: 'annotation', name: 'helm.sh/resource-policy', value: 'keep', means: 'outlive' },
  ],
};

/** An Application is as healthy as it says: what makes waves between Applications work. */
export const APPLICATION_HEALTH: HealthRule = {
  group: 'argoproj.io',
  kind: 'Application',
  reported: { statusPath: 'status.health.status', messagePath: 'status.health.message' },
  clauses: [],
  otherwise: 'Progressing',
};
