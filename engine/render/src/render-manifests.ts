import type { Snapshot } from '@capstan/engine-source';
import type { KustomizeCache } from '@capstan/kube-kustomize';
import {
  type FileTree,
  joinPath,
  recordTrace,
  resolveLinks,
  resolvePath,
} from '@capstan/lib-files';
import { CapstanError, type Diagnostic } from '@capstan/lib-std';
import { addCommonMetadata } from './add-common-metadata.ts';
import { desiredDigest } from './desired-digest.ts';
import type { RenderResult } from './desired-state.ts';
import { answerQuestion, type FieldQuestion, lineWithin, type SourcesOf } from './field-sources.ts';
import { findKustomization } from './overlay-kustomization.ts';
import { type ParseFile, renderDirectory } from './render-directory.ts';
import { type ChartRenderer, chartFailure, renderHelm } from './render-helm.ts';
import { renderKustomize } from './render-kustomize.ts';
import type { RenderSpec } from './render-spec.ts';
import { substituteObjects } from './substitute-objects.ts';

export interface RenderOptions {
  /** Stands between a file's content and its parsed form; see RenderCache. */
  readonly parseFile?: ParseFile;
  /** Files that kustomize read before. */
  readonly kustomizeCache?: KustomizeCache;
  /** Renders charts; without it a chart is an error. */
  readonly renderChart?: ChartRenderer;
  /** Which lines made this field? */
  readonly question?: FieldQuestion;
}

type Rendered = Omit<RenderResult, 'trace' | 'digest' | 'sources'> & {
  readonly sourcesOf?: SourcesOf;
};
type Finished = Pick<Rendered, 'objects' | 'diagnostics' | 'pending' | 'sourcesOf'>;

/**
 * The objects that `spec` makes of a snapshot. What is wrong with the files comes back as diagnostics with file and
 * line; with an error among them the objects must not be applied. Reads nothing but the snapshot, and says what it read.
 */
export function renderManifests(
  snapshot: Snapshot,
  spec: RenderSpec,
  options: RenderOptions = {},
): RenderResult {
  const { tree, trace } = recordTrace(snapshot.files);
  const { sourcesOf, ...rendered } = renderIn(tree, spec, { snapshot, options });
  const hasError = rendered.diagnostics.some(({ severity }) => severity === 'error');
  const objects = hasError ? [] : rendered.objects;
  const { question } = options;
  const lines = question && sourcesOf ? answerQuestion(objects, question, sourcesOf) : undefined;
  const within = question?.line;
  const sources =
    within === undefined ? lines : lines?.map((one) => lineWithin(one, within, snapshot.files));
  return {
    ...rendered,
    objects,
    digest: desiredDigest(objects),
    trace,
    ...(sources === undefined ? {} : { sources }),
  };
}

function renderIn(
  tree: FileTree,
  spec: RenderSpec,
  context: { readonly snapshot: Snapshot; readonly options: RenderOptions },
): Rendered {
  const kindWhenFailed = spec.kind === 'detect' ? 'directory' : spec.kind;
  try {
    const folder = findFolder(tree, spec.path, context.snapshot);
    const kind = spec.kind === 'detect' ? detectKind(tree, folder, spec.tools) : spec.kind;
    const first = renderKind(kind, { tree, folder, spec, options: context.options });
    return { kind, ...finishObjects(first, spec) };
  } catch (error) {
    if (!(error instanceof CapstanError)) throw error;
    return { kind: kindWhenFailed, objects: [], diagnostics: [toDiagnostic(error, spec)] };
  }
}

/** What comes after a build: values for variables, then the metadata that every object gets. */
function finishObjects({ objects, diagnostics, ...rest }: Finished, spec: RenderSpec): Finished {
  const substituted = substituteObjects(objects, spec.substitute);
  const metadata = 'overlay' in spec ? spec.overlay?.commonMetadata : undefined;
  return {
    objects: addCommonMetadata(substituted.objects, metadata),
    diagnostics: [...diagnostics, ...substituted.diagnostics],
    ...rest,
  };
}

/**
 * The rest of `renderManifests` for objects that were changed between the build and it, e.g. decrypted: `built` comes from
 * a spec without variables and without common metadata, `spec` has them.
 */
export function finishRender(built: RenderResult, spec: RenderSpec): RenderResult {
  const { objects, diagnostics } = finishObjects(built, spec);
  const kept = diagnostics.some(({ severity }) => severity === 'error') ? [] : objects;
  return { ...built, objects: kept, diagnostics, digest: desiredDigest(kept) };
}

interface KindContext {
  readonly tree: FileTree;
  readonly folder: string;
  readonly spec: RenderSpec;
  readonly options: RenderOptions;
}

function renderKind(
  kind: RenderResult['kind'],
  { tree, folder, spec, options }: KindContext,
): Finished {
  if (kind === 'helm') return renderHelmIn(tree, folder, { spec, options });
  if (kind === 'directory') {
    const { kind: _kind, ...directory } = spec;
    return renderDirectory(tree, folder, { ...directory, ...options });
  }
  return renderKustomize(tree, folder, {
    ...(spec.kind === 'kustomize' || spec.kind === 'detect' ? spec : {}),
    ...(options.kustomizeCache === undefined ? {} : { cache: options.kustomizeCache }),
    ...(options.renderChart === undefined ? {} : { renderChart: options.renderChart }),
  });
}

function renderHelmIn(
  tree: FileTree,
  folder: string,
  { spec, options: { renderChart } }: Pick<KindContext, 'spec' | 'options'>,
): Finished {
  const helm = spec.kind === 'helm' ? spec : spec.kind === 'detect' ? spec.helm : undefined;
  if (renderChart === undefined || helm === undefined) {
    throw new CapstanError(
      'HELM_UNSUPPORTED',
      `the folder ${JSON.stringify(spec.path)} holds a chart, which is not rendered here`,
      {
        hint: 'name a folder of manifests or a kustomization',
      },
    );
  }
  try {
    return renderHelm(tree, folder, { ...helm, renderChart });
  } catch (error) {
    return { objects: [], diagnostics: [chartFailure(error, folder)] };
  }
}

function findFolder(tree: FileTree, given: string, snapshot: Snapshot): string {
  const path = resolvePath('', given);
  if (path === undefined) {
    throw new CapstanError(
      'PATH_REFUSED',
      `the path ${JSON.stringify(given)} leads out of the repository`,
      {
        hint: 'give a path relative to the root of the repository',
      },
    );
  }
  const resolved = resolveLinks(tree, path);
  if (resolved.kind === 'found' && tree.stat(resolved.path)?.kind === 'directory') {
    return resolved.path;
  }
  const { id, name } = snapshot.revision;
  const revision = name === '' ? id.slice(0, 12) : `${name} (${id.slice(0, 12)})`;
  const what = resolved.kind === 'found' ? 'is a file' : 'does not exist';
  throw new CapstanError(
    'PATH_MISSING',
    `the folder ${JSON.stringify(given)} ${what} at ${revision}`,
    {
      hint: similarFolders(tree, path),
    },
  );
}

/** The folders that stand where the path stops being right: most wrong paths are misspelled in one place. */
function similarFolders(tree: FileTree, path: string): string {
  let known = '';
  for (const part of path.split('/')) {
    const next = joinPath(known, part);
    if (tree.stat(next)?.kind !== 'directory') break;
    known = next;
  }
  const folders = (tree.readDirectory(known) ?? [])
    .filter(({ kind }) => kind === 'directory')
    .map(({ name }) => name);
  const where = known === '' ? 'the root' : known;
  if (folders.length === 0) return `correct the path: ${where} holds no folders`;
  const some = folders.slice(0, 5).join(', ');
  return `correct the path: ${where} holds ${some}${folders.length > 5 ? ', …' : ''}`;
}

/** As Argo CD: a kustomization file says kustomize, also beside a Chart.yaml, which says helm; anything else is a plain folder. */
function detectKind(
  tree: FileTree,
  folder: string,
  { helm = true, kustomize = true }: { readonly helm?: boolean; readonly kustomize?: boolean } = {},
): RenderResult['kind'] {
  if (kustomize && findKustomization(tree, folder) !== undefined) return 'kustomize';
  return helm && tree.stat(joinPath(folder, 'Chart.yaml'))?.kind === 'file' ? 'helm' : 'directory';
}

function toDiagnostic(error: CapstanError, spec: RenderSpec): Diagnostic {
  return {
    severity: 'error',
    code: error.code,
    message: error.message,
    ...(error.hint === undefined ? {} : { hint: error.hint }),
    location: { file: spec.path === '' ? '.' : spec.path },
  };
}
