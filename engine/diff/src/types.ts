import type { GroupVersionKind, Json, KubeObject, ObjectKey } from '@capstan/kube-object';
import type { KindSchema, Schema } from '@capstan/kube-schema';
import type { Location } from '@capstan/lib-std';

/** What the source wants of one object, with the place that says so (the render stage gives exactly this shape). */
export interface DesiredObject {
  readonly object: KubeObject;
  readonly origin?: Location;
}

/** All that a delivery wants, after policy has laid its marks and namespaces on it. Equal digests, equal states. */
export interface DesiredState {
  readonly objects: readonly DesiredObject[];
  readonly digest: string;
}

/** What the comparison sees of a cluster: reading never waits. */
export interface LiveView {
  /** In this version when it can be had, else in whichever is at hand. */
  get(key: ObjectKey, apiVersion: string): KubeObject | undefined;
}

/**
 * - `same`: live holds everything that desired sets.
 * - `different`: some field differs; `differences` is not empty.
 * - `missing`: desired, not live.
 * - `extra`: live and marked as ours, no longer desired.
 * - `unknown`: could not be compared; `reason` says why. Never counts as same.
 */
export type Verdict = 'same' | 'different' | 'missing' | 'extra' | 'unknown';

export interface DiffEntry {
  readonly key: ObjectKey;
  readonly verdict: Verdict;
  readonly desired?: DesiredObject;
  readonly live?: KubeObject;
  readonly differences: readonly FieldDifference[];
  readonly reason?: string;
}

/** One entry per object, ordered by key. */
export interface Diff {
  readonly entries: readonly DiffEntry[];
}

/** One field where live is not what desired says. Secret values are masked, so it may be shown to anyone who may see the object. */
export interface FieldDifference {
  /** For people: `spec.template.spec.containers[name=web].image`. */
  readonly path: string;
  /** Absent: desired no longer sets a field that our manager still owns. */
  readonly desired?: Json;
  /** Absent: the live object lacks the field. */
  readonly live?: Json;
  /** Who wrote the live value, by managedFields; absent when nobody claims it. */
  readonly manager?: string;
  /** When that manager last wrote; RFC 3339. */
  readonly time?: string;
}

/** Which objects a rule speaks of. Absent or empty parts match all. */
export interface ObjectPattern {
  readonly group?: string;
  readonly version?: string;
  readonly kind?: string;
  readonly namespace?: string;
  readonly name?: string;
  /** `glob` (`*`, `?`, `[…]`): Argo CD; `regex` (whole string): Flux. Exact strings are both. */
  readonly syntax: 'glob' | 'regex';
  readonly labelSelector?: string;
  readonly annotationSelector?: string;
}

/** What to leave out of the comparison of some objects. */
export interface IgnoreRule {
  readonly target: ObjectPattern;
  /** RFC 6901. */
  readonly jsonPointers: readonly string[];
  /** jq path expressions. */
  readonly pathExpressions: readonly string[];
  /** Fields that these managers own in the live object. */
  readonly managers: readonly string[];
}

/** Evaluates the jq path expressions that are not plain paths. Answers the paths found; bounded by its maker. */
export interface PathEvaluator {
  paths(
    expression: string,
    object: KubeObject,
  ): { readonly paths: readonly (readonly (string | number)[])[] } | { readonly error: string };
  /**
   * What `del(EXPRESSION)` makes of the object, for text that is no expression by itself but is one there: the original
   * pastes it so, and people compare what is inside a string that way. undefined for all other text.
   */
  rewrite?(expression: string, object: KubeObject): KubeObject | undefined;
}

/** A field of a kind that holds a built-in type: lists on the way to it are gone through. */
export interface KnownTypeField {
  readonly group: string;
  readonly kind: string;
  readonly path: readonly string[];
  readonly schema: Schema;
}

export interface CompareOptions {
  /** Our field manager for server-side apply: what it owns and desired no longer sets differs. */
  readonly fieldManager: string;
  readonly ignore: readonly IgnoreRule[];
  /** An annotation by which a desired object names parts of itself that are not compared: YAML with `jsonPointers`. */
  readonly ignoreAnnotation?: string | undefined;
  /** undefined: no schema is known for the kind. */
  readonly schemaOf: (kind: GroupVersionKind) => KindSchema | undefined;
  readonly evaluator?: PathEvaluator;
  /** Leave out the rules of ClusterRoles that are aggregated from others. */
  readonly ignoreAggregatedRoles?: boolean;
  /** Kinds whose status is compared like any other member; absent: none. */
  readonly comparesStatus?: (kind: GroupVersionKind) => boolean;
  /** Fields of custom resources that are compared as the Go types of built-in kinds write them. */
  readonly knownTypes?: readonly KnownTypeField[];
  /** Annotations whose values are never shown, beside the data of Secrets. */
  readonly sensitiveAnnotations?: readonly string[];
}
