import {
  emitDocument,
  mappingNode,
  parseYaml,
  sequenceNode,
  stringNode,
  type YamlNode,
} from '@capstan/lib-yaml';
import { ORIGIN, TRANSFORMATIONS } from './annotations.ts';
import { cleanRelative } from './loader.ts';
import { parseRepoSpec } from './repo-spec.ts';
import type { Resource } from './resource.ts';

/** Where something comes from, as the `buildMetadata` annotations tell it. Empty parts are left out. */
export interface Origin {
  readonly path: string;
  readonly repo: string;
  readonly ref: string;
  readonly configuredIn: string;
  readonly configuredBy: {
    readonly apiVersion: string;
    readonly kind: string;
    readonly name: string;
    readonly namespace: string;
  };
}

export const NO_ORIGIN: Origin = {
  path: '',
  repo: '',
  ref: '',
  configuredIn: '',
  configuredBy: { apiVersion: '', kind: '', name: '', namespace: '' },
};

/** The origin of what `path` means, seen from `origin`; a URL starts anew. */
export function appendOrigin(origin: Origin, path: string): Origin {
  const spec = parseRepoSpec(path);
  if (spec === undefined) return { ...origin, path: joinOrigin(origin.path, path) };
  return {
    ...origin,
    repo: spec.cloneUrl,
    ref: spec.ref,
    path: spec.path === '' ? '' : cleanRelative(spec.path),
  };
}

export function joinOrigin(base: string, path: string): string {
  if (base === '' && path === '') return '';
  return cleanRelative(base === '' ? path : `${base}/${path}`);
}

function originNode(origin: Origin): YamlNode {
  const content: YamlNode[] = [];
  const put = (name: string, value: string) => {
    if (value !== '') content.push(stringNode(name), stringNode(value));
  };
  put('path', origin.path);
  put('repo', origin.repo);
  put('ref', origin.ref);
  put('configuredIn', origin.configuredIn);
  const by = Object.entries(origin.configuredBy).filter(([, value]) => value !== '');
  if (by.length > 0) {
    const inner = by.flatMap(([name, value]) => [stringNode(name), stringNode(value)]);
    content.push(stringNode('configuredBy'), mappingNode(inner));
  }
  return mappingNode(content);
}

const EMIT = { indent: 2, compactSequences: true };

export function originText(origin: Origin): string {
  return emitDocument(originNode(origin), EMIT);
}

/** Records that a transformer touched the resource; one without an origin gets this as its origin. */
export function addTransformation(resource: Resource, origin: Origin): void {
  if (resource.annotation(ORIGIN) === undefined) {
    resource.setAnnotations((all) => all.set(ORIGIN, originText(origin)));
    return;
  }
  const known = resource.annotation(TRANSFORMATIONS) ?? '';
  const entry = emitDocument(sequenceNode([originNode(origin)]), EMIT);
  resource.setAnnotations((all) => all.set(TRANSFORMATIONS, known + entry));
}

/** The origin of a plugin that is configured by a resource: where that resource stands, and what it is. */
export function pluginOrigin(resource: Resource): Origin | undefined {
  const text = resource.annotation(ORIGIN);
  if (text === undefined) return undefined;
  const value = parseYaml(text);
  const field = (name: string): string => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return '';
    const found = value[name];
    return typeof found === 'string' ? found : '';
  };
  return {
    path: '',
    repo: field('repo'),
    ref: field('ref'),
    configuredIn: field('path'),
    configuredBy: {
      apiVersion: resource.apiVersion,
      kind: resource.kind,
      name: resource.name,
      namespace: resource.namespace,
    },
  };
}
