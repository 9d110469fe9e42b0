import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { type FieldNames, fieldLine } from '@capstan/engine-render';
import type { KubeObject } from '@capstan/kube-object';
import { nodeToValue, parseDocuments, type YamlNode } from '@capstan/lib-yaml';
import type { SourceObject } from './source-object.ts';

const FILES_MAX = 10_000;

/** The objects of all manifests under a folder, or of one file; files that are none are left out. */
export function readPlainObjects(root: string, files = manifestFiles(root)): SourceObject[] {
  return files.flatMap((file) => readFile(root, file));
}

function manifestFiles(root: string): readonly string[] {
  return readdirSync(root, { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.(ya?ml|json)$/.test(name) && !/(^|\/)(\.git|node_modules)\//.test(name))
    .slice(0, FILES_MAX)
    .sort();
}

function readFile(root: string, file: string): SourceObject[] {
  const path = join(root, file);
  let documents: readonly YamlNode[];
  try {
    documents = parseDocuments(readFileSync(path, 'utf8'));
  } catch {
    return [];
  }
  return documents.flatMap((document) => {
    const value = nodeToValue(document) as unknown;
    if (!isObject(value)) return [];
    const shown = relative(root, path);
    const sourcesOf = (field: FieldNames) => [{ file: shown, line: fieldLine(document, field) }];
    return [{ object: value, sourcesOf }];
  });
}

function isObject(value: unknown): value is KubeObject {
  if (typeof value !== 'object' || value === null) return false;
  const { apiVersion, kind, metadata } = value as Partial<KubeObject>;
  return typeof apiVersion === 'string' && typeof kind === 'string' && typeof metadata === 'object';
}
