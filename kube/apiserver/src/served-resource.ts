import type { FieldError, KubeObject } from '@capstan/kube-object';
import type { CustomResourceVersion, KindSchema, ResourceInfo, Schema } from '@capstan/kube-schema';
import type { DraftObject } from './json.ts';
import type { Bucket } from './store.ts';

/** One resource in one version, as requests reach it. */
export interface ServedResource extends ResourceInfo {
  readonly listKind: string;
  readonly bucket: Bucket;
  /** The version in which objects are kept; `convert` brings them to and from it. */
  readonly storageVersion: string;
  readonly schema: KindSchema | undefined;
  readonly strategy: Strategy;
  /** Present for a custom resource. */
  readonly custom?: CustomResourceVersion;
  /** Of all versions of a custom resource, by apiVersion, served or not. */
  readonly customSchemas?: ReadonlyMap<string, Schema>;
}

/** What a strategy may ask of the cluster: other objects, and the time. */
export interface StrategyContext {
  find(bucket: Bucket, key: string): KubeObject | undefined;
  list(bucket: Bucket, namespace?: string): Iterable<KubeObject>;
  /** Whether the user's roles allow it. */
  mayDo(asked: {
    readonly verb: string;
    readonly group: string;
    readonly resource: string;
    readonly namespace: string;
    readonly name: string;
  }): boolean;
  /** The name of the resource of a kind that is served. */
  resourceOf(group: string, version: string, kind: string): string | undefined;
  newUid(): string;
  /** RFC 3339, whole seconds. */
  now(): string;
  random(): number;
  readonly user: {
    readonly username: string;
    readonly groups: readonly string[];
    readonly uid?: string;
    readonly extra?: Readonly<Record<string, readonly string[]>>;
  };
  /** Messages for the client's Warning headers. */
  warn(text: string): void;
}

/** What a subresource of its own may write, e.g. `pods/NAME/resize`. */
export interface StrategyPart {
  /** Puts back everything else as it was. */
  keep(draft: DraftObject, old: KubeObject): void;
  /** Instead of the kind's own `validateUpdate`. */
  validateUpdate(object: KubeObject, old: KubeObject): readonly FieldError[];
}

/**
 * What is particular to one kind on its way into the store, in the order of the calls. Every member is optional: a kind
 * without any is kept as it came. Drafts are changed in place.
 */
export interface Strategy {
  /** For kinds that no Go type decodes: drops unknown fields and names them as a strict decoder does. */
  prune?(object: DraftObject, keepsNulls: boolean): readonly string[];
  /** Defaults of the kind's version, on the decoded object. */
  applyDefaults?(object: DraftObject): void;
  /** The server's own admission plugins on a new object; called again after a policy has changed it. May throw. */
  admit?(object: DraftObject, context: StrategyContext): void;
  /** Preparation before validation, and the admission plugins that no policy can tell from it; may throw an ApiError. */
  prepareCreate?(object: DraftObject, context: StrategyContext): void;
  prepareUpdate?(object: DraftObject, old: KubeObject, context: StrategyContext): void;
  /** `old` is what an update replaces. */
  validate?(object: KubeObject, context: StrategyContext, old?: KubeObject): readonly FieldError[];
  validateUpdate?(
    object: KubeObject,
    old: KubeObject,
    context: StrategyContext,
  ): readonly FieldError[];
  /** Preparation of a write to `status` or another part that is kept in it. */
  prepareStatus?(
    object: DraftObject,
    old: KubeObject,
    context: StrategyContext,
    subresource: string,
  ): void;
  validateStatus?(object: KubeObject, old: KubeObject, subresource: string): readonly FieldError[];
  /** Paths that a request cannot set and so cannot own, by subresource; the status (or all else) unless given. */
  readonly resets?: Readonly<Record<string, readonly (readonly string[])[]>>;
  /** Runs once the object is stored for good (not for a dry run). */
  afterWrite?(object: KubeObject, old: KubeObject | undefined, context: StrategyContext): void;
  /** Whether a change outside of metadata and status raises metadata.generation, which starts at 1. */
  readonly hasGeneration?: boolean;
  /** The generation is 1 after the first change, not from the start. */
  readonly startsWithoutGeneration?: boolean;
  /** Main-resource writes do not touch `status`, status writes touch nothing else. */
  readonly hasStatus?: boolean;
  /** A PUT on a name that does not exist creates it. */
  readonly createsOnUpdate?: boolean;
  /** A PUT without resourceVersion is refused. */
  readonly needsVersionOnUpdate?: boolean;
  /** DNS-1035 or path segment names instead of the usual DNS subdomain. */
  readonly nameRule?: 'subdomain' | 'label' | 'label1035' | 'segment' | 'address' | 'any';
  /** The checks of metadata that the kind itself makes on an update, after those of all kinds; its `update` by default. */
  readonly metadataOnUpdate?: readonly ('whole' | 'update')[];
  /** Finalizers need neither be known nor have a domain. */
  readonly anyFinalizer?: boolean;
  /** This part of the metadata counts for the generation too; 'nothing': the generation stays 1. */
  readonly generationCovers?: 'labels' | 'annotations' | 'nothing';
  /** By the names of subresources. */
  readonly parts?: Readonly<Record<string, StrategyPart | undefined>>;
  /** Seconds that a deletion waits for, when the request does not say. */
  gracePeriod?(object: KubeObject): number;
}
