import type {
  ApplicationSource,
  DirectorySource,
  HelmSource,
  JsonnetVariable,
  KustomizeSource,
} from '@capstan/argocd-api';
import type { DeliverySource, InlineFields } from '@capstan/engine-delivery';
import type {
  ChartPolicy,
  DirectoryOptions,
  KustomizeImage,
  KustomizeOptions,
  KustomizeOverlay,
  RenderSpec,
} from '@capstan/engine-render';
import type { SourceAuth, SourceSpec } from '@capstan/engine-source';
import type { Json } from '@capstan/kube-object';
import { CapstanError } from '@capstan/lib-std';
import { type BuildEnvironment, substitute } from './build-environment.ts';
import { DEFAULT_KUSTOMIZE, kustomizeOptions } from './kustomize-settings.ts';
import type { Settings } from './settings.ts';
import { toHelmOptions } from './to-helm-options.ts';

/** A source as the engine takes it, with what the Application says of it. */
export interface ApplicationDeliverySource extends DeliverySource {
  /** Absent for one that others only refer to. */
  readonly origin?: ApplicationSource;
}

export interface RenderContext {
  /** Where it stands in the Application, for messages. */
  readonly field: string;
  /** Of the release, unless source.helm says otherwise. */
  readonly release: { readonly name: string; readonly namespace: string };
  readonly app: { readonly instance: string; readonly namespace: string; readonly project: string };
  readonly tools: Settings['enabledTools'];
  /** Absent: without options. */
  readonly kustomize?: Settings['kustomize'];
  /** Of addresses that values files may be; absent: none. */
  readonly valueSchemes?: Settings['valuesFileSchemes'];
  /** From where charts may come that others depend on; absent: from nowhere. */
  readonly charts?: ChartPolicy;
  /** Absent before the revision is known. */
  readonly environment?: BuildEnvironment;
}

/**
 * One source of an Application as the engine takes it. Throws SOURCE_UNSUPPORTED, with the alternative, for what is not
 * rendered here.
 */
export function toDeliverySource(
  source: ApplicationSource,
  options: RenderContext & RepositoryAccess,
): ApplicationDeliverySource {
  refuseUnsupported(source, options.field);
  const spec = toSourceSpec(source, options);
  const ref = source.ref === undefined ? {} : { ref: source.ref };
  if (isReference(source)) return { source: spec, ...ref };
  const origin = withoutIdleTools(source);
  const inline = source.helm && { inline: inlineFields(source.helm, `${options.field}.helm`) };
  return { source: spec, ...ref, render: toRenderSpec(origin, options), origin, ...inline };
}

/** Where the Application itself says what a chart gets. */
function inlineFields(
  { valuesObject, values, parameters = [] }: HelmSource,
  field: string,
): InlineFields {
  const isText = valuesObject === undefined;
  const name = isText ? 'values' : 'valuesObject';
  const says = !isText || values !== undefined;
  return {
    ...(says ? { values: { field: `${field}.${name}`, isText } } : {}),
    parameters: {
      field: `${field}.parameters`,
      names: parameters.map(({ name: parameter = '' }) => parameter),
    },
  };
}

/** Others only refer to it. */
export function isReference({ ref, path, chart }: ApplicationSource): boolean {
  return ref !== undefined && !path && !chart;
}

/** What the Secrets and the settings say of a source's repository. */
export interface RepositoryAccess {
  readonly auth: SourceAuth | undefined;
  readonly isOci?: boolean;
  readonly plainHttp?: boolean;
  readonly lfs?: boolean;
  readonly depth?: number;
  /** The administrator lets folders that are other repositories be filled. */
  readonly submodules?: boolean;
}

function toSourceSpec(source: ApplicationSource, access: RepositoryAccess): SourceSpec {
  const { auth, isOci = false, plainHttp = false, lfs = false, depth, submodules = false } = access;
  const { tagPrefix, chart, repoURL, targetRevision = '' } = source;
  const common = auth === undefined ? {} : { auth };
  const isArtifact = repoURL.startsWith('oci://');
  if (chart || isArtifact) {
    // A registry without a scheme is one of charts.
    const url = chart && (isOci || !repoURL.includes('://')) ? toOciUrl(repoURL) : repoURL;
    return {
      kind: 'artifact',
      form: chart ? 'chart' : 'oci',
      url,
      revision: { kind: 'version', range: targetRevision },
      ...(chart ? { chart } : {}),
      ...(plainHttp ? { plainHttp } : {}),
      ...(source.helm?.passCredentials === true ? { passCredentials: true } : {}),
      ...common,
    };
  }
  const revision = { kind: 'any' as const, name: targetRevision || 'HEAD' };
  return {
    kind: 'git',
    url: repoURL,
    revision: tagPrefix ? { ...revision, tagPrefix } : revision,
    ...(submodules ? { submodules } : {}),
    ...(lfs ? { lfs } : {}),
    ...(depth === undefined ? {} : { depth }),
    ...common,
  };
}

function toOciUrl(url: string): string {
  return url.startsWith('oci://') ? url : `oci://${url.replace(/^[a-z]+:\/\//, '')}`;
}

function refuseUnsupported({ plugin }: ApplicationSource, field: string): void {
  if (plugin === undefined) return;
  throw new CapstanError('SOURCE_UNSUPPORTED', `${field}: config management plugins are not run`, {
    hint: 'render with Kustomize, Helm or Jsonnet, or commit the rendered manifests',
  });
}

/** How a source is rendered: by the tool that it names, else by what its folder holds. */
export function toRenderSpec(source: ApplicationSource, context: RenderContext): RenderSpec {
  const { release, environment, tools } = context;
  const fill = (text: string) => (environment === undefined ? text : substitute(text, environment));
  const path = source.chart ? '' : (source.path ?? '');
  const folder = toDirectoryOptions(source.directory ?? {}, { fill, tools });
  const field = `${context.field}.kustomize`;
  const kustomize = {
    overlay: toOverlay(source.kustomize ?? {}, { field, fill }),
    ...kustomizeOptions(source.kustomize ?? {}, context.kustomize ?? DEFAULT_KUSTOMIZE, field),
  };
  const helm = toHelmOptions(source.helm ?? {}, release, {
    fill,
    valueSchemes: context.valueSchemes ?? [],
    charts: context.charts,
  });
  const named = explicitKind(source, context);
  // Known for certain once it is filled in.
  if (environment !== undefined && named === 'kustomize')
    for (const image of source.kustomize?.images ?? []) refuseBareImage(fill(image));
  if (source.chart && named === undefined) return { kind: 'helm', path, ...helm };
  switch (named) {
    case 'directory':
      return { kind: 'directory', path, ...folder };
    case 'helm':
      return tools.helm ? { kind: 'helm', path, ...helm } : { kind: 'directory', path, ...folder };
    case 'kustomize':
      return tools.kustomize
        ? { kind: 'kustomize', path, ...kustomize }
        : { kind: 'directory', path, ...folder };
    case undefined:
      return { kind: 'detect', path, ...folder, helm, tools, ...optionsAlone(kustomize) };
  }
}

/** Without the overlay: a source that is yet to be detected says nothing of kustomize. */
function optionsAlone({ overlay: _none, ...options }: KustomizeOptions): KustomizeOptions {
  return options;
}

/**
 * The source without tools of which it says nothing, so that its folder decides: what stands there may be a left-over of another
 * tool. Some fields of kustomize mean nothing by themselves; includes and excludes choose the plain folder.
 */
export function withoutIdleTools(source: ApplicationSource): ApplicationSource {
  const { directory, helm, kustomize, ...rest } = source;
  const {
    forceCommonLabels: _labels,
    forceCommonAnnotations: _annotations,
    commonAnnotationsEnvsubst: _filled,
    labelWithoutSelector: _selector,
    labelIncludeTemplates: _templates,
    ...told
  } = kustomize ?? {};
  return {
    ...rest,
    ...(directory !== undefined && saysSomething(directory) ? { directory } : {}),
    ...(helm !== undefined && saysSomething(helm) ? { helm } : {}),
    ...(kustomize !== undefined && saysSomething(told) ? { kustomize } : {}),
  };
}

/**
 * The tool that the source names; at most one. Before the revision is known nothing is said of two: as in Argo CD they are an
 * error of rendering, which leaves alone what is known of the objects.
 */
function explicitKind(
  { directory, helm, kustomize }: ApplicationSource,
  { field, environment }: Pick<RenderContext, 'field' | 'environment'>,
): 'directory' | 'helm' | 'kustomize' | undefined {
  const told = [
    isNamed(kustomize) ? ('kustomize' as const) : undefined,
    isNamed(helm) ? ('helm' as const) : undefined,
    isNamed(directory) ? ('directory' as const) : undefined,
  ].filter((kind) => kind !== undefined);
  if (told.length <= 1 || environment === undefined) return told[0];
  const names = told.map((kind) => `${kind[0]?.toUpperCase()}${kind.slice(1)}`);
  throw new CapstanError(
    'SOURCE_AMBIGUOUS',
    `${field}: multiple application sources defined: ${names.join(',')}`,
    { hint: 'keep one of them' },
  );
}

function isNamed(tool: Json | undefined): boolean {
  return tool !== undefined && tool !== null;
}

function saysSomething(value: Json | undefined): boolean {
  if (value === undefined || value === null || value === false || value === '') return false;
  if (Array.isArray(value)) return value.length > 0;
  return typeof value !== 'object' || Object.values(value).some(saysSomething);
}

type Fill = (text: string) => string;

function toDirectoryOptions(
  directory: DirectorySource,
  { fill, tools }: { readonly fill: Fill; readonly tools: Settings['enabledTools'] },
): DirectoryOptions {
  const { recurse, include, exclude, disableExtensionFilter, jsonnet } = directory;
  const values = (list: readonly JsonnetVariable[] | undefined) =>
    (list ?? []).map(({ name, value, code }) => ({
      name,
      value: fill(value),
      isCode: code === true,
    }));
  return {
    ...(recurse === undefined ? {} : { recurse }),
    ...(include ? { include } : {}),
    ...(exclude ? { exclude } : {}),
    ...(disableExtensionFilter === true ? { anyExtension: true } : {}),
    ...(saysSomething(jsonnet) || !tools.jsonnet
      ? {
          jsonnet: {
            enabled: tools.jsonnet,
            externals: values(jsonnet?.extVars),
            topLevel: values(jsonnet?.tlas),
            libraries: jsonnet?.libs ?? [],
          },
        }
      : {}),
  };
}

function toOverlay(
  kustomize: KustomizeSource,
  { field, fill }: { readonly field: string; readonly fill: Fill },
): KustomizeOverlay {
  const { commonLabels, commonAnnotations, replicas, images } = kustomize;
  const isFilled = kustomize.commonAnnotationsEnvsubst === true;
  return {
    edits: true,
    ...(kustomize.namespace ? { namespace: kustomize.namespace } : {}),
    ...(kustomize.namePrefix ? { namePrefix: kustomize.namePrefix } : {}),
    ...(kustomize.nameSuffix ? { nameSuffix: kustomize.nameSuffix } : {}),
    ...(images === undefined ? {} : { images: images.map((image) => toImage(fill(image))) }),
    ...(replicas === undefined
      ? {}
      : {
          replicas: replicas.map(({ name, count }) => ({ name, count: toCount(count, field) })),
        }),
    ...(kustomize.patches === undefined ? {} : { patches: kustomize.patches }),
    ...(kustomize.components === undefined ? {} : { components: kustomize.components }),
    ...(kustomize.ignoreMissingComponents === undefined
      ? {}
      : { ignoreMissingComponents: kustomize.ignoreMissingComponents }),
    ...(commonLabels === undefined ? {} : { labels: fillAll(commonLabels, fill) }),
    ...(kustomize.labelWithoutSelector === undefined
      ? {}
      : { labelsWithoutSelector: kustomize.labelWithoutSelector }),
    ...(kustomize.labelIncludeTemplates === undefined
      ? {}
      : { labelsInTemplates: kustomize.labelIncludeTemplates }),
    ...(kustomize.forceCommonLabels === true ? { forcesLabels: true } : {}),
    ...(kustomize.forceCommonAnnotations === true ? { forcesAnnotations: true } : {}),
    ...(commonAnnotations === undefined
      ? {}
      : { annotations: isFilled ? fillAll(commonAnnotations, fill) : commonAnnotations }),
  };
}

function fillAll(values: { readonly [name: string]: string }, fill: Fill) {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, fill(value)]));
}

/** `name=new:tag@digest`, `name:tag`, `name=new@sha256:…`: what `kustomize edit set image` takes. */
export function toImage(text: string): KustomizeImage {
  const equals = text.indexOf('=');
  const key = equals < 0 ? '' : text.slice(0, equals);
  const { name, ...version } = splitImage(text.slice(equals + 1));
  return key === '' ? { name, ...version } : { name: key, newName: name, ...version };
}

function refuseBareImage(text: string): void {
  if (toImage(text).name !== text) return;
  throw new CapstanError(
    'KUSTOMIZATION_INVALID',
    `invalid format of image ${JSON.stringify(text)}: it names neither a tag, a digest nor another image`,
    { hint: 'write <image>=<new image>:<tag>@<digest>, or a part of it' },
  );
}

/** A tag stands behind a colon, but for one that belongs to the host; a digest behind an `@`. */
function splitImage(text: string): KustomizeImage {
  const [, name = '', tag, digest] =
    /^([^/]*\/[^:@]*|[^/:@]*)(?::([^@]*))?(?:@(.*))?$/s.exec(text) ?? [];
  return {
    name,
    ...(tag === undefined ? {} : { newTag: tag }),
    ...(digest === undefined ? {} : { digest }),
  };
}

function toCount(count: number | string, field: string): number {
  const value = Number(count);
  if (Number.isSafeInteger(value) && value >= 0) return value;
  throw new CapstanError(
    'SPEC_INVALID',
    `${field}.replicas: ${JSON.stringify(count)} is not a number of replicas`,
  );
}
