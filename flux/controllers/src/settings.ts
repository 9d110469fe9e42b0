import type { FormerManager } from '@capstan/engine-sync';
import { type KubeObject, type LabelSelector, matchesLabels } from '@capstan/kube-object';
import { CapstanError } from '@capstan/lib-std';

/** What Flux's controllers are told by flags and feature gates; all as Flux has it unless told. */
export interface FluxSettings {
  /** Only objects whose labels match are reconciled (`--watch-label-selector`): one shard of several. */
  readonly watchSelector?: LabelSelector;
  /** Further managers whose fields are taken over at each apply, and before drift of a release is looked for (`--override-manager`). */
  readonly overrideManagers?: readonly string[];
  /** Kinds that are applied after definitions and before all others (`--custom-apply-stage-kinds`). */
  readonly customStageKinds?: readonly { readonly group: string; readonly kind: string }[];
  /** Holds age keys for Kustomizations that decrypt, beside their own (`--sops-age-secret`). */
  readonly sopsAgeSecret?: { readonly namespace: string; readonly name: string };
  /** Which servers of Vault are logged in to, and where (`--sops-vault-configmap`). */
  readonly sopsVaultConfigMap?: { readonly namespace: string; readonly name: string };
  /** Kustomizations are built of what their artifact holds alone (`--no-remote-bases`). */
  readonly noRemoteBases?: boolean;
  /** ExternalArtifacts are no sources (ExternalArtifact switched off). */
  readonly refusesExternalArtifacts?: boolean;
  /** A failed object does not end the wait for the others (DisableFailFastBehavior). */
  readonly waitsForAll?: boolean;
  /** Variables that have no value become empty (StrictPostBuildSubstitutions off). */
  readonly laxSubstitutions?: boolean;
  /** `readyExpr` counts beside the check of conditions, not instead of it (AdditiveCELDependencyCheck). */
  readonly additiveDependencyCheck?: boolean;
  /** Releases are applied from the client's side, with Helm 3's order of post-renderers (UseHelm3Defaults). */
  readonly helm3Defaults?: boolean;
  /** A HelmRelease without a strategy tries again instead of being remediated (DefaultToRetryOnFailure). */
  readonly retriesOnFailure?: boolean;
  /** Service accounts that objects name are their identities at clouds (ObjectLevelWorkloadIdentity). */
  readonly objectIdentities?: boolean;
  /** A chart's version stays as it is, whatever the digest of its artifact (DisableChartDigestTracking). */
  readonly keepsChartVersions?: boolean;
  /** Whose tokens reach clusters that a ConfigMap describes, where it names no account (`--default-kubeconfig-service-account`). */
  readonly defaultKubeConfigAccount?: string;
  /** Whose identity opens sources that name none (source-controller's `--default-service-account`). */
  readonly defaultSourceAccount?: string;
  /** Whose identity decrypts, where `spec.decryption` names none (`--default-decryption-service-account`). */
  readonly defaultDecryptionAccount?: string;
  /** How far intervals of sources are spread, as a part of them; 0.05 when absent. */
  readonly intervalJitter?: number;
  /** Of indexes and packed charts of Helm repositories. */
  readonly helmIndexBytesMax?: number;
  readonly helmChartBytesMax?: number;
  /** The largest file of a chart that lies in a folder; 5 MiB when absent. */
  readonly helmChartFileBytesMax?: number;
  /** A wait for readiness ends when something newer is to be released (CancelHealthCheckOnNewRevision). */
  readonly cancelsHealthChecks?: boolean;
}

/** Those of `--override-manager` (beginnings of names): by whatever they wrote, as the original takes them over. */
export function overriddenManagers({
  overrideManagers = [],
}: FluxSettings): readonly FormerManager[] {
  return overrideManagers.flatMap((manager) => [
    { manager, isPrefix: true, operation: 'Apply' as const },
    { manager, isPrefix: true },
  ]);
}

/** Whether an object is one of those that are reconciled here. */
export function isWatched({ metadata }: KubeObject, { watchSelector }: FluxSettings): boolean {
  return watchSelector === undefined || matchesLabels(watchSelector, metadata.labels ?? {});
}

/** Throws ACCESS_DENIED for an ExternalArtifact where that is switched off. */
export function checkSourceKind(
  {
    kind,
    namespace,
    name,
  }: { readonly kind: string; readonly namespace: string; readonly name: string },
  { refusesExternalArtifacts = false }: FluxSettings,
): void {
  if (kind !== 'ExternalArtifact' || !refusesExternalArtifacts) return;
  throw new CapstanError(
    'ACCESS_DENIED',
    `can't access '${kind}/${namespace}/${name}', ExternalArtifact feature gate is disabled`,
  );
}
