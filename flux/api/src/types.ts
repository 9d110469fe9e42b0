/** The parts of Flux's resources that the front door reads and writes (Flux 2.9; upstream names throughout). */
import type { JsonObject, KubeObject, ObjectMeta } from '@capstan/kube-object';

export interface LocalReference extends JsonObject {
  readonly name: string;
}

export interface Condition extends JsonObject {
  readonly type: string;
  readonly status: 'True' | 'False' | 'Unknown';
  readonly reason: string;
  readonly message: string;
  readonly lastTransitionTime?: string;
  readonly observedGeneration?: number;
}

export interface GitRepository extends KubeObject {
  readonly metadata: ObjectMeta;
  readonly spec: GitRepositorySpec;
  readonly status: GitRepositoryStatus;
}
export interface GitRepositorySpec extends JsonObject {
  readonly url: string;
  readonly interval: string;
  readonly timeout?: string;
  readonly ref?: GitRepositoryReference;
  readonly secretRef?: LocalReference;
  readonly proxySecretRef?: LocalReference;
  readonly ignore?: string;
  readonly suspend?: boolean;
  readonly provider?: string;
  readonly recurseSubmodules?: boolean;
  readonly sparseCheckout?: readonly string[];
  readonly verify?: GitVerification;
  readonly include?: readonly GitRepositoryInclude[];
  readonly serviceAccountName?: string;
}
export interface GitRepositoryReference extends JsonObject {
  readonly branch?: string;
  readonly tag?: string;
  readonly semver?: string;
  readonly name?: string;
  readonly commit?: string;
}
export interface GitRepositoryInclude extends JsonObject {
  readonly repository: LocalReference;
  readonly fromPath?: string;
  readonly toPath?: string;
}
export interface GitVerification extends JsonObject {
  readonly mode?: string;
  readonly secretRef: LocalReference;
}
/** What the statuses of all sources have in common. */
export interface SourceStatus extends JsonObject {
  readonly observedGeneration?: number;
  readonly conditions?: readonly Condition[];
  readonly artifact?: Artifact;
  readonly lastHandledReconcileAt?: string;
}
export interface GitRepositoryStatus extends SourceStatus {
  readonly observedIgnore?: string;
  readonly observedInclude?: readonly GitRepositoryInclude[];
  readonly observedRecurseSubmodules?: boolean;
  readonly observedSparseCheckout?: readonly string[];
  readonly includedArtifacts?: readonly Artifact[];
  readonly sourceVerificationMode?: string;
}
export interface Artifact extends JsonObject {
  readonly revision: string;
  readonly digest: string;
  readonly path: string;
  readonly url: string;
  readonly lastUpdateTime: string;
  readonly size?: number;
  readonly metadata?: { readonly [name: string]: string };
}

export interface OCIRepository extends KubeObject {
  readonly metadata: ObjectMeta;
  readonly spec: OCIRepositorySpec;
  readonly status: OCIRepositoryStatus;
}
export interface OCIRepositorySpec extends JsonObject {
  readonly url: string;
  readonly interval: string;
  readonly timeout?: string;
  readonly ref?: OCIRepositoryReference;
  readonly layerSelector?: LayerSelector;
  readonly provider?: string;
  readonly secretRef?: LocalReference;
  readonly serviceAccountName?: string;
  readonly certSecretRef?: LocalReference;
  readonly proxySecretRef?: LocalReference;
  readonly verify?: OCIVerification;
  readonly insecure?: boolean;
  readonly ignore?: string;
  readonly suspend?: boolean;
}
export interface OCIRepositoryReference extends JsonObject {
  readonly digest?: string;
  readonly semver?: string;
  readonly semverFilter?: string;
  readonly tag?: string;
}
export interface LayerSelector extends JsonObject {
  readonly mediaType?: string;
  readonly operation?: string;
}
export interface OCIVerification extends JsonObject {
  readonly provider: string;
  readonly secretRef?: LocalReference;
  readonly trustedRootSecretRef?: LocalReference;
  readonly matchOIDCIdentity?: readonly { readonly issuer: string; readonly subject: string }[];
}
export interface OCIRepositoryStatus extends SourceStatus {
  readonly observedIgnore?: string;
  readonly observedLayerSelector?: LayerSelector;
  readonly url?: string;
}

export interface Bucket extends KubeObject {
  readonly metadata: ObjectMeta;
  readonly spec: BucketSpec;
  readonly status: BucketStatus;
}
export interface BucketSpec extends JsonObject {
  readonly bucketName: string;
  readonly endpoint: string;
  readonly interval: string;
  readonly timeout?: string;
  readonly provider?: string;
  readonly region?: string;
  readonly prefix?: string;
  readonly insecure?: boolean;
  readonly secretRef?: LocalReference;
  readonly serviceAccountName?: string;
  readonly certSecretRef?: LocalReference;
  readonly proxySecretRef?: LocalReference;
  readonly sts?: BucketSts;
  readonly ignore?: string;
  readonly suspend?: boolean;
}
export interface BucketSts extends JsonObject {
  readonly provider: string;
  readonly endpoint: string;
  readonly secretRef?: LocalReference;
  readonly certSecretRef?: LocalReference;
}
export interface BucketStatus extends SourceStatus {
  readonly observedIgnore?: string;
  readonly url?: string;
}

export interface ExternalArtifact extends KubeObject {
  readonly metadata: ObjectMeta;
  readonly spec: JsonObject;
  readonly status: SourceStatus;
}

export interface ArtifactGenerator extends KubeObject {
  readonly metadata: ObjectMeta;
  readonly spec: ArtifactGeneratorSpec;
  readonly status: ArtifactGeneratorStatus;
}
export interface ArtifactGeneratorSpec extends JsonObject {
  readonly sources: readonly GeneratorSource[];
  readonly artifacts: readonly OutputArtifact[];
  readonly pathPattern?: string;
  readonly commonMetadata?: CommonMetadata;
}
export interface GeneratorSource extends JsonObject {
  readonly alias: string;
  readonly kind: string;
  readonly name: string;
  readonly namespace?: string;
}
export interface OutputArtifact extends JsonObject {
  readonly name: string;
  readonly revision?: string;
  readonly originRevision?: string;
  readonly copy: readonly CopyOperation[];
}
export interface CopyOperation extends JsonObject {
  readonly from: string;
  readonly to: string;
  readonly exclude?: readonly string[];
  readonly strategy?: string;
}
export interface ArtifactGeneratorStatus extends JsonObject {
  readonly observedGeneration?: number;
  readonly conditions?: readonly Condition[];
  readonly inventory?: readonly GeneratedArtifact[];
  readonly lastHandledReconcileAt?: string;
  readonly observedSourcesDigest?: string;
}
export interface GeneratedArtifact extends JsonObject {
  readonly name: string;
  readonly namespace: string;
  readonly digest: string;
  readonly filename: string;
}

export interface Kustomization extends KubeObject {
  readonly metadata: ObjectMeta;
  readonly spec: KustomizationSpec;
  readonly status: KustomizationStatus;
}
export interface KustomizationSpec extends JsonObject {
  readonly interval: string;
  readonly retryInterval?: string;
  readonly timeout?: string;
  readonly sourceRef: SourceReference;
  readonly path?: string;
  readonly prune: boolean;
  readonly wait?: boolean;
  readonly force?: boolean;
  readonly suspend?: boolean;
  readonly targetNamespace?: string;
  readonly namePrefix?: string;
  readonly nameSuffix?: string;
  readonly components?: readonly string[];
  readonly ignoreMissingComponents?: boolean;
  readonly images?: readonly KustomizationImage[];
  readonly patches?: readonly KustomizationPatch[];
  readonly commonMetadata?: CommonMetadata;
  readonly buildMetadata?: readonly string[];
  readonly dependsOn?: readonly DependencyReference[];
  readonly healthChecks?: readonly HealthCheckReference[];
  readonly healthCheckExprs?: readonly HealthCheckExpression[];
  readonly postBuild?: PostBuild;
  readonly serviceAccountName?: string;
  readonly kubeConfig?: JsonObject;
  readonly decryption?: JsonObject;
  readonly deletionPolicy?: string;
  readonly ignore?: readonly KustomizationIgnore[];
}
/** CEL expressions that judge one kind of custom resource (RFC 0009). */
export interface HealthCheckExpression extends JsonObject {
  readonly apiVersion: string;
  readonly kind?: string;
  readonly current: string;
  readonly failed?: string;
  readonly inProgress?: string;
}
export interface SourceReference extends JsonObject {
  readonly kind: string;
  readonly name: string;
  readonly namespace?: string;
}
export interface KustomizationImage extends JsonObject {
  readonly name: string;
  readonly newName?: string;
  readonly newTag?: string;
  readonly digest?: string;
}
export interface KustomizationPatch extends JsonObject {
  readonly patch: string;
  readonly target?: { readonly [name: string]: string };
}
export interface CommonMetadata extends JsonObject {
  readonly labels?: { readonly [name: string]: string };
  readonly annotations?: { readonly [name: string]: string };
}
export interface DependencyReference extends JsonObject {
  readonly name: string;
  readonly namespace?: string;
  readonly readyExpr?: string;
}
export interface HealthCheckReference extends JsonObject {
  readonly apiVersion?: string;
  readonly kind: string;
  readonly name: string;
  readonly namespace?: string;
}
export interface PostBuild extends JsonObject {
  readonly substitute?: { readonly [name: string]: string };
  readonly substituteFrom?: readonly SubstituteReference[];
  readonly substituteStrategy?: string;
}
export interface SubstituteReference extends JsonObject {
  readonly kind: string;
  readonly name: string;
  readonly optional?: boolean;
}
export interface KustomizationIgnore extends JsonObject {
  readonly paths: readonly string[];
  readonly target?: { readonly [name: string]: string };
}
export interface KustomizationStatus extends JsonObject {
  readonly observedGeneration?: number;
  readonly conditions?: readonly Condition[];
  readonly lastAppliedRevision?: string;
  readonly lastAppliedOriginRevision?: string;
  readonly lastAttemptedRevision?: string;
  readonly lastHandledReconcileAt?: string;
  readonly inventory?: { readonly entries: readonly ResourceEntry[] };
  readonly history?: readonly HistoryEntry[];
}
export interface ResourceEntry extends JsonObject {
  readonly id: string;
  readonly v: string;
}
export interface HistoryEntry extends JsonObject {
  readonly digest: string;
  readonly firstReconciled: string;
  readonly lastReconciled: string;
  readonly lastReconciledDuration: string;
  readonly lastReconciledStatus: string;
  readonly totalReconciliations: number;
  readonly metadata?: { readonly [name: string]: string };
}
