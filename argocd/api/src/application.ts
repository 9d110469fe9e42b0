/** The parts of argoproj.io/v1alpha1 that the front door reads and writes (Argo CD 3.6; upstream names throughout). */
import type { JsonObject, KubeObject, ObjectMeta } from '@capstan/kube-object';

export interface Application extends KubeObject {
  readonly metadata: ObjectMeta;
  readonly spec: ApplicationSpec;
  readonly status?: ApplicationStatus;
  readonly operation?: Operation;
}

export interface ApplicationSpec extends JsonObject {
  readonly project: string;
  readonly destination: ApplicationDestination;
  readonly source?: ApplicationSource;
  readonly sources?: readonly ApplicationSource[];
  readonly sourceHydrator?: SourceHydrator;
  readonly syncPolicy?: SyncPolicy;
  readonly ignoreDifferences?: readonly ResourceIgnoreDifferences[];
  readonly revisionHistoryLimit?: number;
}

/** A source is rendered and committed to a branch, from which the application is synced. */
export interface SourceHydrator extends JsonObject {
  readonly drySource: {
    readonly repoURL: string;
    readonly path: string;
    readonly targetRevision: string;
    readonly helm?: HelmSource;
    readonly kustomize?: KustomizeSource;
    readonly directory?: DirectorySource;
    readonly plugin?: JsonObject;
  };
  readonly syncSource: {
    readonly repoURL?: string;
    readonly targetBranch: string;
    readonly path: string;
  };
  readonly hydrateTo?: { readonly targetBranch: string };
}
export interface HydrateOperation extends JsonObject {
  readonly startedAt?: string;
  readonly finishedAt?: string;
  /** Hydrating, Failed or Hydrated. */
  readonly phase: string;
  readonly message: string;
  readonly drySHA?: string;
  readonly hydratedSHA?: string;
  readonly sourceHydrator?: SourceHydrator;
}
export interface SourceHydratorStatus extends JsonObject {
  readonly currentOperation?: HydrateOperation;
  readonly lastComparedDryRevision?: string;
  readonly lastSuccessfulOperation?: {
    readonly drySHA?: string;
    readonly hydratedSHA?: string;
    readonly sourceHydrator?: SourceHydrator;
  };
}

export interface ApplicationDestination extends JsonObject {
  readonly server?: string;
  readonly name?: string;
  readonly namespace?: string;
}

export interface ApplicationSource extends JsonObject {
  readonly repoURL: string;
  readonly path?: string;
  readonly targetRevision?: string;
  readonly tagPrefix?: string;
  readonly chart?: string;
  readonly ref?: string;
  readonly name?: string;
  readonly directory?: DirectorySource;
  readonly kustomize?: KustomizeSource;
  readonly helm?: HelmSource;
  readonly plugin?: JsonObject;
}

export interface DirectorySource extends JsonObject {
  readonly recurse?: boolean;
  readonly include?: string;
  readonly exclude?: string;
  readonly disableExtensionFilter?: boolean;
  readonly jsonnet?: JsonnetSource;
}
export interface JsonnetSource extends JsonObject {
  readonly extVars?: readonly JsonnetVariable[];
  readonly tlas?: readonly JsonnetVariable[];
  readonly libs?: readonly string[];
}
export interface JsonnetVariable extends JsonObject {
  readonly name: string;
  readonly value: string;
  readonly code?: boolean;
}

export interface HelmSource extends JsonObject {
  readonly releaseName?: string;
  readonly namespace?: string;
  readonly valueFiles?: readonly string[];
  readonly ignoreMissingValueFiles?: boolean;
  readonly values?: string;
  readonly valuesObject?: JsonObject;
  readonly parameters?: readonly HelmParameter[];
  readonly fileParameters?: readonly HelmFileParameter[];
  readonly skipCrds?: boolean;
  readonly skipTests?: boolean;
  readonly skipSchemaValidation?: boolean;
  readonly passCredentials?: boolean;
  readonly kubeVersion?: string;
  readonly apiVersions?: readonly string[];
  readonly version?: string;
}

export interface HelmParameter extends JsonObject {
  readonly name?: string;
  readonly value?: string;
  readonly forceString?: boolean;
}

export interface HelmFileParameter extends JsonObject {
  readonly name?: string;
  readonly path?: string;
}

export interface KustomizeSource extends JsonObject {
  readonly namePrefix?: string;
  readonly nameSuffix?: string;
  readonly namespace?: string;
  readonly images?: readonly string[];
  readonly replicas?: readonly KustomizeReplica[];
  readonly commonLabels?: { readonly [name: string]: string };
  readonly commonAnnotations?: { readonly [name: string]: string };
  readonly commonAnnotationsEnvsubst?: boolean;
  readonly forceCommonLabels?: boolean;
  readonly forceCommonAnnotations?: boolean;
  readonly version?: string;
  readonly kubeVersion?: string;
  readonly apiVersions?: readonly string[];
  readonly labelWithoutSelector?: boolean;
  readonly labelIncludeTemplates?: boolean;
  readonly components?: readonly string[];
  readonly ignoreMissingComponents?: boolean;
  readonly patches?: readonly KustomizePatch[];
}
export interface KustomizeReplica extends JsonObject {
  readonly name: string;
  readonly count: number | string;
}
export interface KustomizePatch extends JsonObject {
  readonly path?: string;
  readonly patch?: string;
  readonly target?: { readonly [name: string]: string };
  readonly options?: { readonly [name: string]: boolean };
}

export interface SyncPolicy extends JsonObject {
  readonly automated?: AutomatedSyncPolicy;
  readonly syncOptions?: readonly string[];
  readonly retry?: RetryStrategy;
  readonly managedNamespaceMetadata?: ManagedNamespaceMetadata;
}
export interface AutomatedSyncPolicy extends JsonObject {
  readonly enabled?: boolean;
  readonly prune?: boolean;
  readonly selfHeal?: boolean;
  readonly allowEmpty?: boolean;
}
export interface ManagedNamespaceMetadata extends JsonObject {
  readonly labels?: { readonly [name: string]: string };
  readonly annotations?: { readonly [name: string]: string };
}
export interface RetryStrategy extends JsonObject {
  readonly limit?: number;
  readonly refresh?: boolean;
  readonly backoff?: RetryBackoff;
}
export interface RetryBackoff extends JsonObject {
  readonly duration?: string;
  readonly factor?: number;
  readonly maxDuration?: string;
}

export interface ResourceIgnoreDifferences extends JsonObject {
  readonly group?: string;
  readonly kind: string;
  readonly name?: string;
  readonly namespace?: string;
  readonly jsonPointers?: readonly string[];
  readonly jqPathExpressions?: readonly string[];
  readonly managedFieldsManagers?: readonly string[];
}

export interface Operation extends JsonObject {
  readonly initiatedBy?: OperationInitiator;
  readonly retry?: RetryStrategy;
  readonly sync?: SyncOperation;
}
export interface OperationInitiator extends JsonObject {
  readonly username?: string;
  readonly automated?: boolean;
}
export interface SyncOperation extends JsonObject {
  readonly revision?: string;
  readonly revisions?: readonly string[];
  readonly prune?: boolean;
  readonly dryRun?: boolean;
  readonly resources?: readonly SyncOperationResource[];
  readonly source?: ApplicationSource;
  readonly sources?: readonly ApplicationSource[];
  readonly syncOptions?: readonly string[];
  readonly syncStrategy?: SyncStrategy;
  readonly autoHealAttemptsCount?: number;
  /** Of the person's machine, instead of what Git says. */
  readonly manifests?: readonly string[];
}
export interface SyncStrategy extends JsonObject {
  readonly apply?: { readonly force?: boolean };
  readonly hook?: { readonly force?: boolean };
}
export interface SyncOperationResource extends JsonObject {
  readonly group?: string;
  readonly kind: string;
  readonly name: string;
  readonly namespace?: string;
}

export interface ApplicationStatus extends JsonObject {
  readonly sync?: SyncStatus;
  readonly health?: HealthStatus;
  readonly resources?: readonly ResourceStatus[];
  readonly conditions?: readonly ApplicationCondition[];
  readonly history?: readonly RevisionHistory[];
  readonly operationState?: OperationState;
  readonly summary?: ApplicationSummary;
  readonly sourceType?: string;
  readonly sourceTypes?: readonly string[];
  readonly reconciledAt?: string;
  readonly controllerNamespace?: string;
  readonly resourceHealthSource?: string;
  readonly sourceHydrator?: SourceHydratorStatus;
}
export interface SyncStatus extends JsonObject {
  readonly status: string;
  readonly revision?: string;
  readonly revisions?: readonly string[];
  readonly comparedTo?: JsonObject;
}
export interface HealthStatus extends JsonObject {
  readonly status?: string;
  readonly message?: string;
  readonly lastTransitionTime?: string;
}
export interface ResourceStatus extends JsonObject {
  readonly group?: string;
  readonly version?: string;
  readonly kind?: string;
  readonly namespace?: string;
  readonly name?: string;
  readonly status?: string;
  readonly health?: HealthStatus;
  readonly hook?: boolean;
  readonly requiresPruning?: boolean;
  readonly requiresDeletionConfirmation?: boolean;
  readonly syncWave?: number;
}
export interface ApplicationCondition extends JsonObject {
  readonly type: string;
  readonly message: string;
  readonly lastTransitionTime?: string;
}
export interface RevisionHistory extends JsonObject {
  readonly id: number;
  readonly deployedAt: string;
  readonly deployStartedAt?: string;
  readonly revision?: string;
  readonly revisions?: readonly string[];
  readonly source?: ApplicationSource;
  readonly sources?: readonly ApplicationSource[];
  readonly initiatedBy?: OperationInitiator;
}
export interface OperationState extends JsonObject {
  readonly operation: Operation;
  readonly phase: string;
  readonly startedAt: string;
  readonly finishedAt?: string;
  readonly message?: string;
  readonly retryCount?: number;
  readonly syncResult?: SyncOperationResult;
}
export interface SyncOperationResult extends JsonObject {
  readonly revision?: string;
  readonly revisions?: readonly string[];
  readonly source?: ApplicationSource;
  readonly sources?: readonly ApplicationSource[];
  readonly resources?: readonly ResourceResult[];
  readonly managedNamespaceMetadata?: ManagedNamespaceMetadata;
}
export interface ResourceResult extends JsonObject {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  readonly status?: string;
  readonly message?: string;
  readonly hookType?: string;
  readonly hookPhase?: string;
  readonly syncPhase?: string;
  readonly images?: readonly string[];
}
export interface ApplicationSummary extends JsonObject {
  readonly externalURLs?: readonly string[];
  readonly images?: readonly string[];
  readonly isAppOfApps?: boolean;
}
