import type { GroupVersionKind } from '@capstan/kube-object';
import type { MergeType } from './merge-type.ts';
import type { Schema } from './schema.ts';

/** What is known of one kind in one version: its schema, and how its values merge. */
export interface KindSchema {
  readonly kind: GroupVersionKind;
  readonly schema: Schema;
  readonly mergeType: MergeType;
  /** A built-in kind: its objects pass through Go types, which gives zero values; a custom resource stays JSON. */
  readonly builtIn: boolean;
}
