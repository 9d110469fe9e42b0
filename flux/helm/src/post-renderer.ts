import { HELM_GROUP, type HelmRelease, type PostRendererSpec } from '@capstan/flux-api';
import type { PostRenderer } from '@capstan/kube-helm';
import { build } from '@capstan/kube-kustomize';
import { memoryTree } from '@capstan/lib-files';
import { CapstanError } from '@capstan/lib-std';
import { nodeToValue, parseDocuments, toYaml, type YamlValue } from '@capstan/lib-yaml';

/**
 * What happens to the rendered manifests of a release: the kustomizations of `spec.postRenderers`, the common metadata, and
 * the labels by which its objects are known (`helm.toolkit.fluxcd.io/name` and `/namespace`), which win. Pure.
 */
export function postRendererOf(release: HelmRelease): PostRenderer {
  const { postRenderers = [], commonMetadata, postRenderStrategy } = release.spec;
  const strategy = strategyOf(postRenderStrategy);
  const steps = [
    ...postRenderers.flatMap(({ kustomize }) =>
      kustomize === undefined ? [] : [(text: string) => kustomizeText(text, kustomize)],
    ),
    ...(commonMetadata === undefined ? [] : [(text: string) => addMetadata(text, commonMetadata)]),
    (text: string) => addMetadata(text, { labels: originLabels(release) }),
  ];
  return {
    run: (manifests) => steps.reduce((text, step) => step(text), manifests),
    strategy,
  };
}

function strategyOf(text: string | undefined): NonNullable<PostRenderer['strategy']> {
  return text === 'nohooks' || text === 'separate' ? text : 'combined';
}

/** The labels that tell to which HelmRelease an object belongs. */
export function originLabels({ metadata }: HelmRelease): Readonly<Record<string, string>> {
  const { name = '', namespace = '' } = metadata;
  return { [`${HELM_GROUP}/name`]: name, [`${HELM_GROUP}/namespace`]: namespace };
}

const INPUT = 'helm-output.yaml';

function kustomizeText(
  manifests: string,
  { patches = [], images = [] }: NonNullable<PostRendererSpec['kustomize']>,
): string {
  const kustomization = {
    apiVersion: 'kustomize.config.k8s.io/v1beta1',
    kind: 'Kustomization',
    resources: [INPUT],
    images,
    patches,
  };
  const tree = memoryTree({
    [INPUT]: manifests,
    'kustomization.yaml': JSON.stringify(kustomization),
  });
  const result = build(tree, '.', { loadRestrictor: 'none', reorder: 'none' });
  if (result.kind === 'built') return result.yaml;
  if (result.kind === 'failed') throw result.error;
  throw new CapstanError('KUSTOMIZE_REMOTE', 'post-renderers read nothing from the network');
}

interface Metadata {
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
}

type Fields = { readonly [key: string]: YamlValue };

function addMetadata(manifests: string, added: Metadata): string {
  const seen = new Set<string>();
  const objects = flatten(parseDocuments(manifests).map((document) => nodeToValue(document)));
  return objects
    .map((object) => {
      const id = resourceId(object);
      if (seen.has(id)) {
        throw new CapstanError(
          'POST_RENDER_DUPLICATE',
          `may not add resource with an already registered id: ${id}`,
          { hint: 'spec.postRenderStrategy: separate gives hooks and objects one after the other' },
        );
      }
      seen.add(id);
      return toYaml(withMetadata(object, added));
    })
    .join('---\n');
}

/** Lists are taken apart; what was in them comes behind all else, as kustomize queues it. */
function flatten(values: readonly YamlValue[]): readonly Fields[] {
  const queue = [...values];
  const found: Fields[] = [];
  for (const value of queue) {
    if (!isFields(value)) continue;
    const { kind, items } = value;
    const isOfMany = typeof kind === 'string' && kind.endsWith('List') && Array.isArray(items);
    if (isOfMany) queue.push(...items);
    else found.push(value);
  }
  return found;
}

function withMetadata(object: Fields, { labels, annotations }: Metadata): Fields {
  const metadata = fieldsOf(object['metadata']);
  const merged = {
    ...metadata,
    ...(labels === undefined ? {} : { labels: { ...fieldsOf(metadata['labels']), ...labels } }),
    ...(annotations === undefined
      ? {}
      : { annotations: { ...fieldsOf(metadata['annotations']), ...annotations } }),
  };
  return { ...object, metadata: merged };
}

/** `Kind.version.group/name.namespace`, as kustomize names resources. */
function resourceId(object: Fields): string {
  const [first = '', second] = String(object['apiVersion'] ?? '').split('/');
  const [group, version] = second === undefined ? ['[noGrp]', first] : [first, second];
  const { name, namespace } = fieldsOf(object['metadata']);
  return `${String(object['kind'])}.${version}.${group}/${String(name)}.${namespace ? String(namespace) : '[noNs]'}`;
}

function fieldsOf(value: YamlValue | undefined): Fields {
  return isFields(value) ? value : {};
}

function isFields(value: YamlValue | undefined): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
