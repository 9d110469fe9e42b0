/** argoproj.io/v1alpha1 ApplicationSet (Argo CD 3.6; upstream names throughout). */
import type { JsonObject, KubeObject, ObjectMeta } from '@capstan/kube-object';
import type { HealthStatus, ResourceStatus } from './application.ts';

export interface ApplicationSet extends KubeObject {
  readonly metadata: ObjectMeta;
  readonly spec: ApplicationSetSpec;
  readonly status?: ApplicationSetStatus;
}

export interface ApplicationSetSpec extends JsonObject {
  readonly goTemplate?: boolean;
  readonly goTemplateOptions?: readonly string[];
  readonly generators: readonly ApplicationSetGenerator[];
  readonly template: ApplicationSetTemplate;
  readonly templatePatch?: string;
  readonly syncPolicy?: ApplicationSetSyncPolicy;
  readonly preservedFields?: PreservedFields;
  readonly ignoreApplicationDifferences?: readonly ApplicationSetIgnoreDifferences[];
  readonly strategy?: ApplicationSetStrategy;
}

export interface ApplicationSetSyncPolicy extends JsonObject {
  /** create-only, create-update, create-delete or sync. */
  readonly applicationsSync?: string;
  readonly preserveResourcesOnDeletion?: boolean;
}
export interface PreservedFields extends JsonObject {
  readonly annotations?: readonly string[];
  readonly labels?: readonly string[];
}
export interface ApplicationSetIgnoreDifferences extends JsonObject {
  readonly name?: string;
  readonly jsonPointers?: readonly string[];
  readonly jqPathExpressions?: readonly string[];
}
export interface ApplicationSetStrategy extends JsonObject {
  readonly type?: string;
  readonly deletionOrder?: string;
  readonly rollingSync?: JsonObject;
}

/** The part of an Application that a set gives; a generator's own one may be partial. */
export interface ApplicationSetTemplate extends JsonObject {
  readonly metadata?: JsonObject;
  readonly spec?: JsonObject;
}

/** One generator: exactly one of the fields other than `selector` is set. */
export interface ApplicationSetGenerator extends JsonObject {
  readonly list?: ListGenerator;
  readonly clusters?: ClusterGenerator;
  readonly git?: GitGenerator;
  readonly matrix?: MatrixGenerator;
  readonly merge?: MergeGenerator;
  readonly scmProvider?: JsonObject;
  readonly pullRequest?: JsonObject;
  readonly clusterDecisionResource?: JsonObject;
  readonly plugin?: JsonObject;
  readonly selector?: JsonObject;
}
export interface ListGenerator extends JsonObject {
  readonly elements?: readonly JsonObject[];
  readonly elementsYaml?: string;
  readonly template?: ApplicationSetTemplate;
}
export interface ClusterGenerator extends JsonObject {
  readonly selector?: JsonObject;
  readonly values?: { readonly [name: string]: string };
  readonly flatList?: boolean;
  readonly template?: ApplicationSetTemplate;
}
export interface GitGenerator extends JsonObject {
  readonly repoURL: string;
  readonly revision?: string;
  readonly directories?: readonly GitGeneratorItem[];
  readonly files?: readonly GitGeneratorItem[];
  readonly requeueAfterSeconds?: number;
  readonly pathParamPrefix?: string;
  readonly values?: { readonly [name: string]: string };
  readonly template?: ApplicationSetTemplate;
}
export interface GitGeneratorItem extends JsonObject {
  readonly path: string;
  readonly exclude?: boolean;
}
export interface MatrixGenerator extends JsonObject {
  readonly generators: readonly ApplicationSetGenerator[];
  readonly template?: ApplicationSetTemplate;
}
export interface MergeGenerator extends JsonObject {
  readonly generators: readonly ApplicationSetGenerator[];
  readonly mergeKeys?: readonly string[];
  readonly template?: ApplicationSetTemplate;
}

export interface ApplicationSetStatus extends JsonObject {
  readonly conditions?: readonly ApplicationSetCondition[];
  readonly applicationStatus?: readonly JsonObject[];
  readonly resources?: readonly ResourceStatus[];
  readonly resourcesCount?: number;
  readonly health?: HealthStatus;
}
export interface ApplicationSetCondition extends JsonObject {
  readonly type: string;
  readonly status: string;
  readonly reason: string;
  readonly message: string;
  readonly lastTransitionTime?: string;
}
