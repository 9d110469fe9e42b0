import type { KubeObject } from '@capstan/kube-object';

/** A line that has a say in a field. */
export interface FieldSource {
  /** Relative to the folder that was asked about, or absolute outside of it. */
  readonly file: string;
  readonly line: number;
  /** What stands there: `patch`, `images`, `value image.tag (default)` … */
  readonly role?: string;
}

/** An object as a renderer made it, and who made its fields. */
export interface SourceObject {
  readonly object: KubeObject;
  sourcesOf(path: readonly (string | number)[]): readonly FieldSource[];
}
