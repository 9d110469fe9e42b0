import type { Json } from '@capstan/kube-object';
import { baseName } from '@capstan/lib-files';
import { failure } from '../failure.ts';
import { lookup, splitPath } from '../field-path.ts';
import { decodeJson, int, list, struct, text } from '../go-json.ts';
import { selectorShape } from '../kustomization.ts';
import type { Loader } from '../loader.ts';
import { requireKind, scalar, setScalar } from '../node.ts';
import type { Resource } from '../resource.ts';
import { select } from '../select.ts';
import { decodeText } from '../utf8.ts';
import { yamlValue } from '../yaml-value.ts';
import { setNamespaces } from './namespace.ts';
import type { Transformer } from './transformer.ts';

const targets = list(
  struct('Target', { selector: selectorShape, fieldPath: text, filePathPosition: int }),
);
const configShape = struct('ValueAddTransformerPlugin', {
  value: text,
  targets,
  targetFilePath: text,
});

/** Writes one value into fields, or as one part of a path that a field holds. */
export function valueAddTransformer(loader: Loader, config: Json, file: number): Transformer {
  const { value: given = '', targets: own = [], targetFilePath } = decodeJson(config, configShape);
  const value = given.trim() || baseName(loader.root);
  const all = [...own];
  if (targetFilePath) {
    const content = yamlValue(decodeText(loader.load(targetFilePath).bytes));
    all.push(
      ...(decodeJson<{ targets?: typeof own }>(content, struct('', { targets })).targets ?? []),
    );
  }
  if (all.length === 0) throw failure('must specify at least one target');
  for (const { fieldPath = '', filePathPosition = 0 } of all) {
    if (fieldPath === '') throw failure('fieldPath cannot be empty');
    if (filePathPosition < 0) {
      throw failure(`value of FilePathPosition (${filePathPosition}) cannot be negative`);
    }
  }
  return {
    transform: (resources, context) => {
      for (const { selector, fieldPath = '', filePathPosition = 0 } of all) {
        const chosen =
          selector === undefined ? resources.list : select(context.cache, resources, selector);
        for (const resource of chosen) {
          if (fieldPath === 'metadata/namespace') {
            setNamespaces(resource, { namespace: value, specs: [], file });
          } else {
            addValue(resource, {
              path: splitPath(fieldPath, '/'),
              value,
              position: filePathPosition,
              file,
            });
          }
        }
      }
      resources.idsChanged();
    },
  };
}

interface Adding {
  readonly path: readonly string[];
  readonly value: string;
  readonly position: number;
  readonly file: number;
}

function addValue(resource: Resource, { path, value, position, file }: Adding): void {
  const node = lookup(resource.node, path, { kind: 'scalar', file });
  if (node === undefined) return;
  requireKind(node, 'scalar');
  const text = position > 0 ? insertPart(node.value, position - 1, value) : value;
  setScalar(node, scalar(text, file));
}

/** Inserts a part into a path, at the position among its names; the root of an absolute path does not count. */
function insertPart(path: string, position: number, part: string): string {
  if (part === '') return path;
  const absolute = path.startsWith('/');
  const names = path.split('/').filter((name) => name !== '');
  names.splice(Math.min(position, names.length), 0, part);
  return `${absolute ? '/' : ''}${names.join('/')}`;
}
