import type { Json, KubeObject } from '@capstan/kube-object';
import { withOldPatches } from './old-patches.ts';
import type {
  ArtifactGenerator,
  Bucket,
  ExternalArtifact,
  GitRepository,
  Kustomization,
  OCIRepository,
} from './types.ts';

/** A value, or why it is none: the field and what is wrong with it. */
export type Parsed<T> =
  | { readonly kind: 'ok'; readonly value: T }
  | { readonly kind: 'invalid'; readonly field: string; readonly message: string };

/**
 * Checks the shape of a GitRepository of any served version as it comes from the API server: what is checked is what the
 * code relies on.
 */
export function parseGitRepository(object: KubeObject): Parsed<GitRepository> {
  const spec = asRecord(object['spec']);
  if (typeof spec['url'] !== 'string') return invalid('spec.url', 'is missing');
  if (typeof spec['interval'] !== 'string') return invalid('spec.interval', 'is missing');
  const checked = { ...object, spec, status: asRecord(object['status']) };
  return isGitRepository(checked)
    ? { kind: 'ok', value: checked }
    : invalid('kind', 'is not a GitRepository');
}

/**
 * As `parseGitRepository`. Patches of removed versions are read as those of today; `spec.validation` is passed over: the
 * server checks whatever is applied.
 */
export function parseKustomization(object: KubeObject): Parsed<Kustomization> {
  const spec = asRecord(object['spec']);
  if (typeof spec['interval'] !== 'string') return invalid('spec.interval', 'is missing');
  const sourceRef = asRecord(spec['sourceRef']);
  if (typeof sourceRef['kind'] !== 'string') return invalid('spec.sourceRef.kind', 'is missing');
  if (typeof sourceRef['name'] !== 'string') return invalid('spec.sourceRef.name', 'is missing');
  const prune = spec['prune'] === true;
  const status = asRecord(object['status']);
  const checked = { ...object, spec: { ...withOldPatches(spec), prune }, status };
  return isKustomization(checked)
    ? { kind: 'ok', value: checked }
    : invalid('kind', 'is not a Kustomization');
}

export function parseOCIRepository(object: KubeObject): Parsed<OCIRepository> {
  return parseSource(object, 'OCIRepository', ['url', 'interval'], isOCIRepository);
}

export function parseBucket(object: KubeObject): Parsed<Bucket> {
  return parseSource(object, 'Bucket', ['bucketName', 'endpoint', 'interval'], isBucket);
}

export function parseExternalArtifact(object: KubeObject): Parsed<ExternalArtifact> {
  return parseSource(object, 'ExternalArtifact', [], isExternalArtifact);
}

export function parseArtifactGenerator(object: KubeObject): Parsed<ArtifactGenerator> {
  const spec = asRecord(object['spec']);
  for (const field of ['sources', 'artifacts']) {
    if (!Array.isArray(spec[field])) return invalid(`spec.${field}`, 'is missing');
  }
  return parseSource(object, 'ArtifactGenerator', [], isArtifactGenerator);
}

/** A source of which the named fields are texts. */
function parseSource<T extends KubeObject>(
  object: KubeObject,
  kind: string,
  fields: readonly string[],
  is: (checked: KubeObject) => checked is T,
): Parsed<T> {
  const spec = asRecord(object['spec']);
  for (const field of fields) {
    if (typeof spec[field] !== 'string') return invalid(`spec.${field}`, 'is missing');
  }
  const checked: KubeObject = { ...object, spec, status: asRecord(object['status']) };
  return is(checked) ? { kind: 'ok', value: checked } : invalid('kind', `is not ${kind}`);
}

function isOCIRepository(object: KubeObject): object is OCIRepository {
  return object.kind === 'OCIRepository';
}

function isBucket(object: KubeObject): object is Bucket {
  return object.kind === 'Bucket';
}

function isExternalArtifact(object: KubeObject): object is ExternalArtifact {
  return object.kind === 'ExternalArtifact';
}

function isArtifactGenerator(object: KubeObject): object is ArtifactGenerator {
  return object.kind === 'ArtifactGenerator';
}

function isGitRepository(object: { readonly kind: string }): object is GitRepository {
  return object.kind === 'GitRepository';
}

function isKustomization(object: { readonly kind: string }): object is Kustomization {
  return object.kind === 'Kustomization';
}

function invalid(field: string, message: string): Parsed<never> {
  return { kind: 'invalid', field, message };
}

function asRecord(value: Json | undefined): { readonly [key: string]: Json | undefined } {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as { readonly [key: string]: Json | undefined })
    : {};
}
