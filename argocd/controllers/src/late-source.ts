import type { ApplicationSource } from '@capstan/argocd-api';
import type { RenderSpec } from '@capstan/engine-render';
import type { Snapshot } from '@capstan/engine-source';
import { jsonMergePatch } from '@capstan/kube-merge';
import type { Json } from '@capstan/kube-object';
import {
  type FileTree,
  joinPath,
  type RenderTrace,
  recordTrace,
  resolveLinks,
  resolvePath,
} from '@capstan/lib-files';
import { CapstanError, messageOf } from '@capstan/lib-std';
import { parseYaml } from '@capstan/lib-yaml';
import { buildEnvironment } from './build-environment.ts';
import { type RenderContext, toRenderSpec, withoutIdleTools } from './to-sources.ts';

/** How a source is rendered, once its files are known. */
export interface LateSource {
  readonly spec: RenderSpec;
  /** What was read of the snapshot to know it. */
  readonly trace: RenderTrace;
}

/**
 * A source with what its folder says of it (`.argocd-source.yaml`, then `.argocd-source-<application>.yaml`; documentation:
 * "Store Overrides In Git") and with the build environment filled in.
 */
export function resolveSource(
  source: ApplicationSource,
  snapshot: Snapshot,
  context: RenderContext,
): LateSource {
  const { path = '' } = source;
  if (path.startsWith('/'))
    throw new CapstanError('SOURCE_PATH_INVALID', `${path}: app path is absolute`, {
      hint: 'leave the leading slash out',
    });
  const { tree, trace } = recordTrace(snapshot.files);
  const { instance } = context.app;
  const merged = ['.argocd-source.yaml', `.argocd-source-${instance}.yaml`].reduce(
    (current, name) => override(current, tree, name),
    withoutIdleTools(source),
  );
  const environment = buildEnvironment(merged, context.app, snapshot.revision.id);
  return { spec: toRenderSpec(merged, { ...context, environment }), trace };
}

/** Only what the tools are told may be overridden: where the source lies may not. */
function override(source: ApplicationSource, tree: FileTree, name: string): ApplicationSource {
  const path = resolvePath('', joinPath(source.path ?? '', name));
  if (path === undefined) return source;
  const found = resolveLinks(tree, path);
  const bytes = found.kind === 'found' ? tree.readFile(found.path) : undefined;
  if (bytes === undefined) return source;
  const { repoURL, path: folder, chart, targetRevision } = source;
  const merged = jsonMergePatch(source, readPatch(bytes, path));
  return {
    ...(merged as ApplicationSource),
    repoURL,
    ...(folder === undefined ? {} : { path: folder }),
    ...(chart === undefined ? {} : { chart }),
    ...(targetRevision === undefined ? {} : { targetRevision }),
  };
}

function readPatch(bytes: Uint8Array, path: string): Json {
  try {
    const value = parseYaml(new TextDecoder().decode(bytes)) as Json;
    if (value === null) return {};
    if (typeof value === 'object' && !Array.isArray(value)) return value;
  } catch (error) {
    throw invalid(path, messageOf(error));
  }
  throw invalid(path, 'it is not an object');
}

function invalid(path: string, why: string): CapstanError {
  return new CapstanError(
    'SOURCE_OVERRIDE_INVALID',
    `error while parsing source parameters: ${path}: ${why}`,
    { hint: 'write the fields of spec.source that are to be overridden' },
  );
}

/** Both traces as one. */
export function joinTraces(left: RenderTrace, right: RenderTrace): RenderTrace {
  return {
    files: new Map([...left.files, ...right.files]),
    listings: new Map([...left.listings, ...right.listings]),
    stats: new Map([...left.stats, ...right.stats]),
  };
}
