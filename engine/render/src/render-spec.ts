import type { RemotePolicy } from '@capstan/kube-kustomize';

/** How a folder of a snapshot becomes objects. `path` is relative to the root of the snapshot; '' or '.' is the root. */
export type RenderSpec = {
  readonly path: string;
  /** Values for `${NAME}` in the rendered objects; absent: no substitution. */
  readonly substitute?: SubstituteOptions;
} & (
  | ({ readonly kind: 'directory' } & DirectoryOptions)
  | ({ readonly kind: 'kustomize' } & KustomizeOptions)
  | ({ readonly kind: 'helm' } & HelmOptions)
  /** Chosen by what the folder holds: Chart.yaml → helm, a kustomization file → kustomize, else directory. */
  | ({
      readonly kind: 'detect';
      readonly helm?: HelmOptions;
      /** False: what such a folder holds is read as plain manifests. */
      readonly tools?: { readonly helm?: boolean; readonly kustomize?: boolean };
    } & DirectoryOptions &
      KustomizeOptions)
);

/** A plain folder of manifests as Argo CD reads it: .yaml, .yml and .json files, several documents each, Lists unfolded. */
export interface DirectoryOptions {
  /** Descend into folders below; off by default, as in Argo CD. */
  readonly recurse?: boolean;
  /** Glob over paths relative to the folder (`{a,b}`, `*`, `**`, `?`, `[…]`); absent: all. */
  readonly include?: string;
  readonly exclude?: string;
  /** Files of any name are looked at, not only .yaml, .yml, .json and .jsonnet. */
  readonly anyExtension?: boolean;
  readonly jsonnet?: JsonnetOptions;
}

/** What Jsonnet files are evaluated with. */
export interface JsonnetOptions {
  /** False: Jsonnet files are an error. */
  readonly enabled?: boolean;
  readonly externals?: readonly JsonnetValue[];
  readonly topLevel?: readonly JsonnetValue[];
  /** Folders of libraries, from the root of the repository. */
  readonly libraries?: readonly string[];
}
export interface JsonnetValue {
  readonly name: string;
  readonly value: string;
  readonly isCode?: boolean;
}

/** What a delivery lays over a kustomization: Argo CD's source.kustomize and Flux's spec fields in one shape. */
export interface KustomizeOptions {
  /** Make a kustomization of the whole folder when it has none (Flux); otherwise a missing one is an error. */
  readonly generateMissing?: boolean;
  /** `root` (default): a kustomization reads files below its own folder only; `none`: anywhere in the snapshot (Flux). */
  readonly loadRestriction?: 'root' | 'none';
  /** Charts of kustomizations are rendered (`--enable-helm`), with what is said here of the cluster. */
  readonly charts?: { readonly kubeVersion?: string; readonly apiVersions?: readonly string[] };
  /** From where kustomizations may take what is not in the snapshot; absent: from nowhere. */
  readonly remote?: RemotePolicy;
  /** `--reorder`: objects in the old order of kinds. */
  readonly reorder?: 'legacy' | 'none';
  readonly overlay?: KustomizeOverlay;
}

export interface KustomizeOverlay {
  /**
   * Images and components are laid over as `kustomize edit` does it (Argo CD): an image replaces the entry of its name, `*`
   * keeps a part of it, components may be remote, and patterns. Else as Flux does it: images are merged into entries,
   * components are local.
   */
  readonly edits?: boolean;
  readonly namespace?: string;
  readonly namePrefix?: string;
  readonly nameSuffix?: string;
  readonly images?: readonly KustomizeImage[];
  readonly replicas?: readonly { readonly name: string; readonly count: number }[];
  readonly patches?: readonly KustomizePatch[];
  readonly components?: readonly string[];
  readonly ignoreMissingComponents?: boolean;
  readonly labels?: { readonly [key: string]: string };
  /** Labels do not reach selectors. */
  readonly labelsWithoutSelector?: boolean;
  /** Labels reach pod templates too when selectors are left alone. */
  readonly labelsInTemplates?: boolean;
  /** Over labels that the kustomization sets by itself; else those are an error. */
  readonly forcesLabels?: boolean;
  readonly forcesAnnotations?: boolean;
  readonly annotations?: { readonly [key: string]: string };
  /** Set on every object after the build, over what it says itself (Flux's commonMetadata). */
  readonly commonMetadata?: {
    readonly labels?: { readonly [key: string]: string };
    readonly annotations?: { readonly [key: string]: string };
  };
  readonly buildMetadata?: readonly string[];
}

export interface KustomizeImage {
  readonly name: string;
  readonly newName?: string;
  readonly newTag?: string;
  readonly digest?: string;
}

export interface KustomizePatch {
  readonly patch?: string;
  readonly path?: string;
  readonly target?: { readonly [key: string]: string };
  readonly options?: { readonly [key: string]: boolean };
}

/** Which repositories charts may depend on, and which ones names stand for (`@name`). */
export interface ChartPolicy extends RemotePolicy {
  readonly aliases?: { readonly [name: string]: string };
}

/** What a chart is rendered with: Argo CD's source.helm. */
export interface HelmOptions {
  readonly releaseName: string;
  readonly releaseNamespace: string;
  /** Paths from the chart's folder; with a leading '/' from the root of the repository. */
  readonly valueFiles?: readonly string[];
  readonly ignoreMissingValueFiles?: boolean;
  /** From where values files may be taken that are addresses; absent: from nowhere. */
  readonly remoteValues?: RemotePolicy;
  /** From where charts may be taken that the folder lacks; absent: from nowhere. */
  readonly remoteCharts?: ChartPolicy;
  /** YAML text. */
  readonly values?: string;
  readonly parameters?: readonly {
    readonly name: string;
    readonly value: string;
    readonly forceString?: boolean;
  }[];
  readonly fileParameters?: readonly { readonly name: string; readonly path: string }[];
  readonly skipCrds?: boolean;
  readonly skipTests?: boolean;
  readonly skipSchemaValidation?: boolean;
  readonly kubeVersion?: string;
  readonly apiVersions?: readonly string[];
}

export interface SubstituteOptions {
  readonly variables: { readonly [name: string]: string };
  /** A variable without value and default is an error, instead of ''. */
  readonly strict: boolean;
  /** Also when there are no variables, for the sake of defaults in the text. */
  readonly always?: boolean;
  /** Objects with this label or annotation are left as they are. */
  readonly except?: { readonly key: string; readonly value: string };
}
