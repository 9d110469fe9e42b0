/** Annotations, labels and other names of Argo CD's public contract (documentation: "Annotations and Labels"). */
export const GROUP = 'argoproj.io';
export const API_VERSION = 'argoproj.io/v1alpha1';
export const FINALIZER = 'resources-finalizer.argocd.argoproj.io';
export const FOREGROUND_FINALIZER = 'resources-finalizer.argocd.argoproj.io/foreground';
export const BACKGROUND_FINALIZER = 'resources-finalizer.argocd.argoproj.io/background';
/** What a sync's hook carries until its verdict is known. */
export const HOOK_FINALIZER = 'argocd.argoproj.io/hook-finalizer';
/** Hooks of an application's end: the phase itself, and what is to be taken away after it. */
export const DELETE_HOOK_FINALIZER = {
  PreDelete: 'pre-delete-finalizer.argocd.argoproj.io',
  PostDelete: 'post-delete-finalizer.argocd.argoproj.io',
} as const;
export const CLEANUP_FINALIZER = {
  PreDelete: 'pre-delete-finalizer.argocd.argoproj.io/cleanup',
  PostDelete: 'post-delete-finalizer.argocd.argoproj.io/cleanup',
} as const;
export const ANNOTATION = {
  trackingId: 'argocd.argoproj.io/tracking-id',
  refresh: 'argocd.argoproj.io/refresh',
  hydrate: 'argocd.argoproj.io/hydrate',
  syncWave: 'argocd.argoproj.io/sync-wave',
  hook: 'argocd.argoproj.io/hook',
  hookDeletePolicy: 'argocd.argoproj.io/hook-delete-policy',
  syncOptions: 'argocd.argoproj.io/sync-options',
  compareOptions: 'argocd.argoproj.io/compare-options',
  installationId: 'argocd.argoproj.io/installation-id',
  ignoreHealthcheck: 'argocd.argoproj.io/ignore-healthcheck',
  ignoreRestartPolicy: 'argocd.argoproj.io/ignore-restart-policy',
  ignoreDifferences: 'argocd.argoproj.io/ignore-differences',
  skipReconcile: 'argocd.argoproj.io/skip-reconcile',
  deletionApproved: 'argocd.argoproj.io/deletion-approved',
  migrationManager: 'argocd.argoproj.io/client-side-apply-migration-manager',
} as const;
export const SECRET_TYPE_LABEL = 'argocd.argoproj.io/secret-type';
