import type { ApplicationSource, KustomizeSource } from '@capstan/argocd-api';
import type { DeliverySource } from '@capstan/engine-delivery';
import type { KustomizeImage, KustomizeOverlay, RenderSpec } from '@capstan/engine-render';
import type { SourceAuth } from '@capstan/engine-source';
import { CapstanError } from '@capstan/lib-std';
import { toHelmOptions } from './to-helm-options.ts';

/**
 * One source of an Application as the engine takes it. Throws SOURCE_UNSUPPORTED, with the alternative, for what is not
 * rendered here.
 */
export function toDeliverySource(
  source: ApplicationSource,
  options: {
    readonly field: string;
    readonly auth: SourceAuth | undefined;
    /** Of the release, unless source.helm says otherwise: the application's name and destination. */
    readonly release: { readonly name: string; readonly namespace: string };
  },
): DeliverySource {
  refuseUnsupported(source, options.field);
  const name =
    source.targetRevision === undefined || source.targetRevision === ''
      ? 'HEAD'
      : source.targetRevision;
  const { tagPrefix } = source;
  const spec = {
    kind: 'git' as const,
    url: source.repoURL,
    revision: { kind: 'any' as const, name, ...(tagPrefix ? { tagPrefix } : {}) },
    ...(options.auth === undefined ? {} : { auth: options.auth }),
  };
  const isReference = source.ref !== undefined && (source.path ?? '') === '';
  const ref = source.ref === undefined ? {} : { ref: source.ref };
  return isReference
    ? { source: spec, ...ref }
    : { source: spec, ...ref, render: toRenderSpec(source, options) };
}

function refuseUnsupported(
  { chart, plugin, directory, repoURL }: ApplicationSource,
  field: string,
): void {
  const refuse = (what: string, hint: string) => {
    throw new CapstanError('SOURCE_UNSUPPORTED', `${field}: ${what}`, { hint });
  };
  if (plugin !== undefined) {
    refuse(
      'config management plugins are not run',
      'render with Kustomize or Helm, or commit the rendered manifests',
    );
  }
  if (chart !== undefined && chart !== '') {
    refuse(
      `charts from a repository (${chart}) are not fetched`,
      'put the chart into Git and name its path',
    );
  }
  if (repoURL.startsWith('oci://')) {
    refuse('OCI artifacts are not fetched', 'put the manifests into Git and name their path');
  }
  if (directory?.jsonnet !== undefined && Object.keys(directory.jsonnet).length > 0) {
    refuse('Jsonnet is not rendered', 'commit the rendered manifests');
  }
}

function toRenderSpec(
  source: ApplicationSource,
  { field, release }: Parameters<typeof toDeliverySource>[1],
): RenderSpec {
  const path = source.path ?? '';
  const { directory, kustomize } = source;
  const folder = {
    ...(directory?.recurse === undefined ? {} : { recurse: directory.recurse }),
    ...(directory?.include ? { include: directory.include } : {}),
    ...(directory?.exclude ? { exclude: directory.exclude } : {}),
  };
  if (directory !== undefined) return { kind: 'directory', path, ...folder };
  if (source.helm !== undefined) {
    return { kind: 'helm', path, ...toHelmOptions(source.helm, release) };
  }
  if (kustomize === undefined) {
    const helm = toHelmOptions({}, release);
    return { kind: 'detect', path, ...folder, helm };
  }
  return { kind: 'kustomize', path, overlay: toOverlay(kustomize, `${field}.kustomize`) };
}

function toOverlay(kustomize: KustomizeSource, field: string): KustomizeOverlay {
  return {
    ...(kustomize.namespace ? { namespace: kustomize.namespace } : {}),
    ...(kustomize.namePrefix ? { namePrefix: kustomize.namePrefix } : {}),
    ...(kustomize.nameSuffix ? { nameSuffix: kustomize.nameSuffix } : {}),
    ...(kustomize.images === undefined ? {} : { images: kustomize.images.map(toImage) }),
    ...(kustomize.replicas === undefined
      ? {}
      : {
          replicas: kustomize.replicas.map(({ name, count }) => ({
            name,
            count: toCount(count, field),
          })),
        }),
    ...(kustomize.patches === undefined ? {} : { patches: kustomize.patches }),
    ...(kustomize.components === undefined ? {} : { components: kustomize.components }),
    ...(kustomize.ignoreMissingComponents === undefined
      ? {}
      : { ignoreMissingComponents: kustomize.ignoreMissingComponents }),
    ...(kustomize.commonLabels === undefined ? {} : { labels: kustomize.commonLabels }),
    ...(kustomize.labelWithoutSelector === undefined
      ? {}
      : { labelsWithoutSelector: kustomize.labelWithoutSelector }),
    ...(kustomize.labelIncludeTemplates === undefined
      ? {}
      : { labelsInTemplates: kustomize.labelIncludeTemplates }),
    ...(kustomize.commonAnnotations === undefined
      ? {}
      : { annotations: kustomize.commonAnnotations }),
  };
}

/** `name=new:tag`, `name:tag`, `name=new@sha256:…`: what `kustomize edit set image` takes. */
export function toImage(text: string): KustomizeImage {
  const equals = text.indexOf('=');
  const name = equals < 0 ? undefined : text.slice(0, equals);
  const target = equals < 0 ? text : text.slice(equals + 1);
  const at = target.indexOf('@');
  const colon = target.lastIndexOf(':');
  const hasTag = at < 0 && colon > target.lastIndexOf('/');
  const newName = at >= 0 ? target.slice(0, at) : hasTag ? target.slice(0, colon) : target;
  return {
    name: name ?? newName,
    ...(name === undefined || name === newName ? {} : { newName }),
    ...(at >= 0 ? { digest: target.slice(at + 1) } : {}),
    ...(hasTag ? { newTag: target.slice(colon + 1) } : {}),
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
