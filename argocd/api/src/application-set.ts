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
  readonly rollingSync?: { readonly steps?: readonly ApplicationSetRolloutStep[] };
}
export interface ApplicationSetRolloutStep extends JsonObject {
  readonly matchExpressions?: readonly {
    readonly key?: string;
    /** In or NotIn. */
    readonly operator?: string;
    readonly values?: readonly string[];
  }[];
  readonly maxUpdate?: number | string;
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
  readonly scmProvider?: ScmProviderGenerator;
  readonly pullRequest?: PullRequestGenerator;
  readonly clusterDecisionResource?: ClusterDecisionGenerator;
  readonly plugin?: PluginGenerator;
  /** An artifact in a registry, read as a repository is. */
  readonly oci?: GitGenerator;
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

export interface SecretKeyRef extends JsonObject {
  readonly secretName: string;
  readonly key: string;
}
export interface ConfigMapKeyRef extends JsonObject {
  readonly configMapName: string;
  readonly key: string;
}
export interface BasicAuthRef extends JsonObject {
  readonly username: string;
  readonly passwordRef?: SecretKeyRef;
}
export interface BearerTokenRef extends JsonObject {
  readonly tokenRef?: SecretKeyRef;
}

export interface ScmProviderGenerator extends JsonObject {
  readonly github?: {
    readonly organization: string;
    readonly api?: string;
    readonly tokenRef?: SecretKeyRef;
    readonly appSecretName?: string;
    readonly allBranches?: boolean;
    readonly excludeArchivedRepos?: boolean;
  };
  readonly gitlab?: {
    readonly group: string;
    readonly api?: string;
    readonly tokenRef?: SecretKeyRef;
    readonly includeSubgroups?: boolean;
    readonly includeSharedProjects?: boolean;
    readonly includeArchivedRepos?: boolean;
    readonly allBranches?: boolean;
    readonly insecure?: boolean;
    readonly topic?: string;
    readonly caRef?: ConfigMapKeyRef;
  };
  readonly gitea?: {
    readonly owner: string;
    readonly api: string;
    readonly tokenRef?: SecretKeyRef;
    readonly allBranches?: boolean;
    readonly excludeArchivedRepos?: boolean;
    readonly insecure?: boolean;
  };
  readonly bitbucket?: {
    readonly owner: string;
    readonly user: string;
    readonly appPasswordRef?: SecretKeyRef;
    readonly allBranches?: boolean;
  };
  readonly bitbucketServer?: {
    readonly project: string;
    readonly api: string;
    readonly basicAuth?: BasicAuthRef;
    readonly bearerToken?: BearerTokenRef;
    readonly allBranches?: boolean;
    readonly insecure?: boolean;
    readonly caRef?: ConfigMapKeyRef;
  };
  readonly azureDevOps?: {
    readonly organization: string;
    readonly teamProject: string;
    readonly api?: string;
    readonly accessTokenRef?: SecretKeyRef;
    readonly allBranches?: boolean;
  };
  readonly awsCodeCommit?: {
    readonly region?: string;
    readonly role?: string;
    readonly tagFilters?: readonly { readonly key: string; readonly value?: string }[];
    readonly allBranches?: boolean;
  };
  readonly filters?: readonly ScmProviderFilter[];
  /** ssh by default. */
  readonly cloneProtocol?: string;
  readonly requeueAfterSeconds?: number;
  readonly values?: { readonly [name: string]: string };
  readonly template?: ApplicationSetTemplate;
}
export interface ScmProviderFilter extends JsonObject {
  readonly repositoryMatch?: string;
  readonly labelMatch?: string;
  readonly branchMatch?: string;
  readonly pathsExist?: readonly string[];
  readonly pathsDoNotExist?: readonly string[];
}

export interface PullRequestGenerator extends JsonObject {
  readonly github?: {
    readonly owner: string;
    readonly repo: string;
    readonly api?: string;
    readonly tokenRef?: SecretKeyRef;
    readonly appSecretName?: string;
    readonly labels?: readonly string[];
  };
  readonly gitlab?: {
    readonly project: string;
    readonly api?: string;
    readonly tokenRef?: SecretKeyRef;
    readonly labels?: readonly string[];
    readonly pullRequestState?: string;
    readonly insecure?: boolean;
    readonly caRef?: ConfigMapKeyRef;
  };
  readonly gitea?: {
    readonly owner: string;
    readonly repo: string;
    readonly api: string;
    readonly tokenRef?: SecretKeyRef;
    readonly labels?: readonly string[];
    readonly insecure?: boolean;
  };
  readonly bitbucket?: {
    readonly owner: string;
    readonly repo: string;
    readonly api?: string;
    readonly basicAuth?: BasicAuthRef;
    readonly bearerToken?: BearerTokenRef;
  };
  readonly bitbucketServer?: {
    readonly project: string;
    readonly repo: string;
    readonly api: string;
    readonly basicAuth?: BasicAuthRef;
    readonly bearerToken?: BearerTokenRef;
    readonly insecure?: boolean;
    readonly caRef?: ConfigMapKeyRef;
  };
  readonly azuredevops?: {
    readonly organization: string;
    readonly project: string;
    readonly repo: string;
    readonly api?: string;
    readonly tokenRef?: SecretKeyRef;
    readonly labels?: readonly string[];
  };
  readonly filters?: readonly PullRequestFilter[];
  readonly continueOnRepoNotFoundError?: boolean;
  readonly requeueAfterSeconds?: number;
  readonly values?: { readonly [name: string]: string };
  readonly template?: ApplicationSetTemplate;
}
export interface PullRequestFilter extends JsonObject {
  readonly branchMatch?: string;
  readonly targetBranchMatch?: string;
  readonly titleMatch?: string;
}

export interface ClusterDecisionGenerator extends JsonObject {
  readonly configMapRef: string;
  readonly name?: string;
  readonly labelSelector?: JsonObject;
  readonly requeueAfterSeconds?: number;
  readonly values?: { readonly [name: string]: string };
  readonly template?: ApplicationSetTemplate;
}

export interface PluginGenerator extends JsonObject {
  readonly configMapRef: { readonly name: string };
  readonly input?: { readonly parameters?: JsonObject };
  readonly requeueAfterSeconds?: number;
  readonly values?: { readonly [name: string]: string };
  readonly template?: ApplicationSetTemplate;
}

export interface ApplicationSetStatus extends JsonObject {
  readonly conditions?: readonly ApplicationSetCondition[];
  readonly applicationStatus?: readonly RolloutStatus[];
  readonly resources?: readonly ResourceStatus[];
  readonly resourcesCount?: number;
  readonly health?: HealthStatus;
}
/** Where an Application stands in a rollout by steps. */
export interface RolloutStatus extends JsonObject {
  readonly application: string;
  readonly lastTransitionTime?: string;
  readonly message?: string;
  /** Waiting, Pending, Progressing or Healthy. */
  readonly status: string;
  /** From 1; -1: no step selects it. */
  readonly step: string;
  readonly targetRevisions?: readonly string[];
}
export interface ApplicationSetCondition extends JsonObject {
  readonly type: string;
  readonly status: string;
  readonly reason: string;
  readonly message: string;
  readonly lastTransitionTime?: string;
}
