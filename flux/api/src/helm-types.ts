/** The parts of Flux's Helm resources that the front door reads and writes (Flux 2.9; upstream names throughout). */
import type { JsonObject, KubeObject, ObjectMeta } from '@capstan/kube-object';
import type {
  CommonMetadata,
  Condition,
  DependencyReference,
  KustomizationImage,
  KustomizationPatch,
  LocalReference,
  OCIVerification,
  ResourceEntry,
  SourceReference,
  SourceStatus,
} from './types.ts';

export interface HelmRepository extends KubeObject {
  readonly metadata: ObjectMeta;
  readonly spec: HelmRepositorySpec;
  readonly status: HelmRepositoryStatus;
}
export interface HelmRepositorySpec extends JsonObject {
  readonly url: string;
  readonly type?: string;
  readonly interval?: string;
  readonly timeout?: string;
  readonly secretRef?: LocalReference;
  readonly certSecretRef?: LocalReference;
  readonly passCredentials?: boolean;
  readonly insecure?: boolean;
  readonly provider?: string;
  readonly suspend?: boolean;
}
export interface HelmRepositoryStatus extends SourceStatus {
  readonly url?: string;
}

export interface HelmChart extends KubeObject {
  readonly metadata: ObjectMeta;
  readonly spec: HelmChartSpec;
  readonly status: HelmChartStatus;
}
export interface HelmChartSpec extends JsonObject {
  readonly chart: string;
  readonly version?: string;
  readonly sourceRef: SourceReference;
  readonly interval: string;
  readonly reconcileStrategy?: string;
  readonly valuesFiles?: readonly string[];
  readonly ignoreMissingValuesFiles?: boolean;
  readonly verify?: OCIVerification;
  readonly suspend?: boolean;
}
export interface HelmChartStatus extends SourceStatus {
  readonly url?: string;
  readonly observedChartName?: string;
  readonly observedSourceArtifactRevision?: string;
  readonly observedValuesFiles?: readonly string[];
}

export interface HelmRelease extends KubeObject {
  readonly metadata: ObjectMeta;
  readonly spec: HelmReleaseSpec;
  readonly status: HelmReleaseStatus;
}
export interface HelmReleaseSpec extends JsonObject {
  readonly chart?: HelmChartTemplate;
  readonly chartRef?: SourceReference;
  readonly interval: string;
  readonly timeout?: string;
  readonly suspend?: boolean;
  readonly releaseName?: string;
  readonly targetNamespace?: string;
  readonly storageNamespace?: string;
  readonly dependsOn?: readonly DependencyReference[];
  readonly maxHistory?: number;
  readonly serviceAccountName?: string;
  readonly kubeConfig?: KubeConfigReference;
  readonly persistentClient?: boolean;
  readonly driftDetection?: DriftDetection;
  readonly install?: InstallSpec;
  readonly upgrade?: UpgradeSpec;
  readonly test?: TestSpec;
  readonly rollback?: RollbackSpec;
  readonly uninstall?: UninstallSpec;
  readonly valuesFrom?: readonly ValuesReference[];
  readonly values?: JsonObject | null;
  readonly commonMetadata?: CommonMetadata;
  readonly postRenderers?: readonly PostRendererSpec[];
  readonly postRenderStrategy?: string;
  readonly waitStrategy?: { readonly name: string };
  readonly healthCheckExprs?: readonly JsonObject[];
}
export interface HelmChartTemplate extends JsonObject {
  readonly metadata?: CommonMetadata;
  readonly spec: {
    readonly chart: string;
    readonly version?: string;
    readonly sourceRef: SourceReference;
    readonly interval?: string;
    readonly reconcileStrategy?: string;
    readonly valuesFiles?: readonly string[];
    readonly ignoreMissingValuesFiles?: boolean;
    readonly verify?: OCIVerification;
  };
}
export interface KubeConfigReference extends JsonObject {
  readonly secretRef?: { readonly name: string; readonly key?: string };
  readonly configMapRef?: LocalReference;
}
export interface DriftDetection extends JsonObject {
  readonly mode?: string;
  readonly ignore?: readonly {
    readonly paths: readonly string[];
    readonly target?: { readonly [name: string]: string };
  }[];
}
interface ActionSpec extends JsonObject {
  readonly timeout?: string;
  readonly disableHooks?: boolean;
  readonly disableWait?: boolean;
  readonly disableWaitForJobs?: boolean;
}
interface ReleaseActionSpec extends ActionSpec {
  readonly strategy?: { readonly name: string; readonly retryInterval?: string };
  readonly remediation?: RemediationSpec;
  readonly disableTakeOwnership?: boolean;
  readonly disableOpenAPIValidation?: boolean;
  readonly disableSchemaValidation?: boolean;
  readonly crds?: string;
}
export interface RemediationSpec extends JsonObject {
  readonly retries?: number;
  readonly ignoreTestFailures?: boolean;
  readonly remediateLastFailure?: boolean;
  /** Of upgrades only. */
  readonly strategy?: string;
}
export interface InstallSpec extends ReleaseActionSpec {
  readonly replace?: boolean;
  readonly skipCRDs?: boolean;
  readonly createNamespace?: boolean;
  readonly serverSideApply?: boolean;
}
export interface UpgradeSpec extends ReleaseActionSpec {
  readonly force?: boolean;
  readonly preserveValues?: boolean;
  readonly cleanupOnFail?: boolean;
  readonly serverSideApply?: string;
  readonly chartNameChangeStrategy?: string;
}
export interface TestSpec extends JsonObject {
  readonly enable?: boolean;
  readonly timeout?: string;
  readonly ignoreFailures?: boolean;
  readonly filters?: readonly { readonly name: string; readonly exclude?: boolean }[];
}
export interface RollbackSpec extends ActionSpec {
  readonly recreate?: boolean;
  readonly force?: boolean;
  readonly cleanupOnFail?: boolean;
  readonly serverSideApply?: string;
}
export interface UninstallSpec extends JsonObject {
  readonly timeout?: string;
  readonly disableHooks?: boolean;
  readonly disableWait?: boolean;
  readonly keepHistory?: boolean;
  readonly deletionPropagation?: string;
}
export interface ValuesReference extends JsonObject {
  readonly kind: string;
  readonly name: string;
  readonly valuesKey?: string;
  readonly targetPath?: string;
  readonly optional?: boolean;
  readonly literal?: boolean;
}
export interface PostRendererSpec extends JsonObject {
  readonly kustomize?: {
    readonly patches?: readonly KustomizationPatch[];
    readonly images?: readonly KustomizationImage[];
  };
}
export type ReleaseAction =
  | 'install'
  | 'upgrade'
  | 'rollback'
  | 'uninstall'
  | 'uninstall-remediation';

export interface HelmReleaseStatus extends JsonObject {
  readonly observedGeneration?: number;
  readonly observedPostRenderersDigest?: string;
  readonly observedCommonMetadataDigest?: string;
  readonly lastAttemptedGeneration?: number;
  readonly conditions?: readonly Condition[];
  readonly helmChart?: string;
  readonly storageNamespace?: string;
  readonly history?: readonly ReleaseSnapshot[];
  readonly inventory?: { readonly entries: readonly ResourceEntry[] };
  readonly lastAttemptedReleaseAction?: 'install' | 'upgrade';
  readonly lastAttemptedReleaseActionDuration?: string;
  readonly failures?: number;
  readonly installFailures?: number;
  readonly upgradeFailures?: number;
  readonly lastAttemptedRevision?: string;
  readonly lastAttemptedRevisionDigest?: string;
  readonly lastAttemptedValuesChecksum?: string;
  readonly lastAttemptedConfigDigest?: string;
  readonly lastReleaseRevision?: number;
  readonly lastHandledReconcileAt?: string;
  readonly lastHandledForceAt?: string;
  readonly lastHandledResetAt?: string;
}
/** What of a revision of a release was seen, as it was written. */
export interface ReleaseSnapshot extends JsonObject {
  /** `v2` since Helm 4; snapshots of others are not compared by their digest. */
  readonly apiVersion?: string;
  readonly digest: string;
  readonly name: string;
  readonly namespace: string;
  readonly version: number;
  readonly status: string;
  readonly action?: ReleaseAction;
  readonly chartName: string;
  readonly chartVersion: string;
  readonly appVersion?: string;
  readonly configDigest: string;
  readonly firstDeployed: string;
  readonly lastDeployed: string;
  readonly deleted?: string;
  readonly testHooks?: { readonly [name: string]: TestHookStatus };
  readonly ociDigest?: string;
}
export interface TestHookStatus extends JsonObject {
  readonly lastStarted?: string;
  readonly lastCompleted?: string;
  readonly phase?: string;
}
