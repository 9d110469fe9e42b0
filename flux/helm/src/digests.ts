/**
 * Digests as the original computes them, so that a release that it observed is known as the same here, and the other way
 * round: SHA-256 over the JSON that Go's encoder makes of its structs (fields in their order, a line break at the end), and
 * over the YAML of values with keys in the order of their bytes.
 */
import { createHash } from 'node:crypto';
import type { CommonMetadata, PostRendererSpec } from '@capstan/flux-api';
import type { Release, ReleaseHook, Values } from '@capstan/kube-helm';
import { valuesToJson } from '@capstan/kube-helm';
import type { Json, JsonObject } from '@capstan/kube-object';
import { type GoValue, goJson, toYaml, type YamlValue } from '@capstan/lib-yaml';

function sha256(text: string): string {
  return `sha256:${createHash('sha256').update(text).digest('hex')}`;
}

/** Of values; none and `{}` are the same. */
export function valuesDigest(values: Values | JsonObject): string {
  return sha256(valuesYaml(values));
}

/** Whether `digest` (sha256, or the sha1 of older versions) is that of the values. */
export function isDigestOf(digest: string, values: Values | JsonObject): boolean {
  const [algorithm = '', hex = ''] = digest.split(':');
  if (algorithm === 'sha256') return valuesDigest(values) === digest;
  if (!['sha1', 'sha384', 'sha512'].includes(algorithm) || hex === '') return false;
  return createHash(algorithm).update(valuesYaml(values)).digest('hex') === hex;
}

function valuesYaml(values: Values | JsonObject): string {
  const plain = valuesToJson(values as Values);
  return Object.keys(plain).length === 0 ? '' : toYaml(withWholes(plain), { keyOrder: 'bytes' });
}

/** Whole numbers of 64 bits are written with all their digits, as goyaml writes them. */
function withWholes(value: Json): YamlValue {
  if (typeof value === 'number' && Number.isInteger(value) && !Number.isSafeInteger(value))
    return value >= -(2 ** 63) && value < 2 ** 64 ? BigInt(value) : value;
  if (Array.isArray(value)) return value.map(withWholes);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [key, withWholes(inner ?? null)]),
  );
}

/** Of a revision as it is recorded, test hooks left out: anybody may run those. */
export function releaseDigest(release: Release, ociDigest: string): string {
  const hooks = release.hooks.filter(({ events }) => !events.includes('test'));
  const { config } = release;
  const fields: readonly Field[] = [
    ['name', quote(release.name)],
    ['version', String(release.revision)],
    ['info', infoJson(release)],
    ['chartMetadata', metadataJson(release.chart['metadata'])],
    ['config', Object.keys(config).length === 0 ? 'null' : goJson(config as GoValue)],
    ['manifest', quote(release.manifest)],
    ['hooks', hooks.length === 0 ? 'null' : `[${hooks.map(hookJson).join(',')}]`],
    ['namespace', quote(release.namespace)],
    ...optional('ociDigest', ociDigest),
  ];
  return sha256(`${struct(fields)}\n`);
}

export function postRenderersDigest(renderers: readonly PostRendererSpec[]): string {
  return sha256(`[${renderers.map(postRendererJson).join(',')}]\n`);
}

export function commonMetadataDigest({ annotations, labels }: CommonMetadata): string {
  const fields = [...map('annotations', annotations), ...map('labels', labels)];
  return sha256(`${struct(fields)}\n`);
}

type Field = readonly [name: string, json: string];

function struct(fields: readonly Field[]): string {
  return `{${fields.map(([name, json]) => `${JSON.stringify(name)}:${json}`).join(',')}}`;
}

function quote(text: string): string {
  return goJson(text);
}

function optional(name: string, text: string | undefined): readonly Field[] {
  return text === undefined || text === '' ? [] : [[name, quote(text)]];
}

function map(name: string, value: Readonly<Record<string, string>> | undefined): readonly Field[] {
  return value === undefined || Object.keys(value).length === 0 ? [] : [[name, goJson(value)]];
}

function list(name: string, items: readonly string[]): readonly Field[] {
  return items.length === 0 ? [] : [[name, `[${items.join(',')}]`]];
}

function infoJson(release: Release): string {
  return struct([
    ...optional('first_deployed', goTime(release.firstDeployed)),
    ...optional('last_deployed', goTime(release.lastDeployed)),
    ...optional('deleted', goTime(release.deleted)),
    ...optional('description', release.description),
    ...optional('status', release.status),
    ...optional('notes', release.notes),
  ]);
}

/** Go writes no zeros at the end of a fraction of a second. */
function goTime(text: string): string {
  return text.replace(/(\.\d*?)0+(?=[Z+-])/, '$1').replace(/\.(?=[Z+-])/, '');
}

function hookJson(hook: ReleaseHook): string {
  const { startedAt, completedAt, phase } = hook.lastRun;
  const texts = (items: readonly string[]): readonly string[] => items.map(quote);
  return struct([
    ...optional('name', hook.name),
    ...optional('kind', hook.kind),
    ...optional('path', hook.path),
    ...optional('manifest', hook.manifest),
    ...list('events', texts(hook.events)),
    [
      'last_run',
      struct([
        ...optional('started_at', goTime(startedAt)),
        ...optional('completed_at', goTime(completedAt)),
        ['phase', quote(phase)],
      ]),
    ],
    ...(hook.weight === 0 ? [] : [['weight', String(hook.weight)] as const]),
    ...list('delete_policies', texts(hook.deletePolicies)),
    ...list('output_log_policies', texts(hook.outputLogPolicies)),
  ]);
}

const METADATA_TEXTS_BEFORE = ['name', 'home'] as const;

function metadataJson(value: Json | undefined): string {
  const of = fieldsOf(value);
  const text = (name: string): readonly Field[] => optional(name, textOf(of[name]));
  return struct([
    ...METADATA_TEXTS_BEFORE.flatMap(text),
    ...list('sources', textsOf(of['sources']).map(quote)),
    ...text('version'),
    ...text('description'),
    ...list('keywords', textsOf(of['keywords']).map(quote)),
    ...list('maintainers', itemsOf(of['maintainers']).map(maintainerJson)),
    ...text('icon'),
    ...text('apiVersion'),
    ...text('condition'),
    ...text('tags'),
    ...text('appVersion'),
    ...(of['deprecated'] === true ? [['deprecated', 'true'] as const] : []),
    ...map('annotations', stringsOf(of['annotations'])),
    ...text('kubeVersion'),
    ...list('dependencies', itemsOf(of['dependencies']).map(dependencyJson)),
    ...text('type'),
  ]);
}

function maintainerJson(value: Json): string {
  const of = fieldsOf(value);
  return struct(['name', 'email', 'url'].flatMap((name) => optional(name, textOf(of[name]))));
}

function dependencyJson(value: Json): string {
  const of = fieldsOf(value);
  return struct([
    ['name', quote(textOf(of['name']))],
    ...optional('version', textOf(of['version'])),
    ['repository', quote(textOf(of['repository']))],
    ...optional('condition', textOf(of['condition'])),
    ...list('tags', textsOf(of['tags']).map(quote)),
    ...(of['enabled'] === true ? [['enabled', 'true'] as const] : []),
    ...list(
      'import-values',
      itemsOf(of['import-values']).map((item) => goJson(item as GoValue)),
    ),
    ...optional('alias', textOf(of['alias'])),
  ]);
}

function postRendererJson({ kustomize }: PostRendererSpec): string {
  if (kustomize === undefined) return '{}';
  const patches = (kustomize.patches ?? []).map(({ patch, target }) =>
    struct([['patch', quote(patch)], ...(target === undefined ? [] : [targetField(target)])]),
  );
  const images = (kustomize.images ?? []).map((image) =>
    struct([
      ['name', quote(image.name)],
      ...optional('newName', image.newName),
      ...optional('newTag', image.newTag),
      ...optional('digest', image.digest),
    ]),
  );
  return struct([['kustomize', struct([...list('patches', patches), ...list('images', images)])]]);
}

const TARGET_FIELDS = [
  'group',
  'version',
  'kind',
  'namespace',
  'name',
  'annotationSelector',
  'labelSelector',
];

function targetField(target: Readonly<Record<string, string>>): Field {
  return ['target', struct(TARGET_FIELDS.flatMap((name) => optional(name, target[name])))];
}

function fieldsOf(value: Json | undefined): JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as JsonObject)
    : {};
}

function textOf(value: Json | undefined): string {
  return typeof value === 'string' ? value : '';
}

function itemsOf(value: Json | undefined): readonly Json[] {
  return Array.isArray(value) ? value : [];
}

function textsOf(value: Json | undefined): readonly string[] {
  return itemsOf(value).filter((item) => typeof item === 'string');
}

function stringsOf(value: Json | undefined): Readonly<Record<string, string>> {
  const entries = Object.entries(fieldsOf(value)).filter(
    (entry): entry is [string, string] => typeof entry[1] === 'string',
  );
  return Object.fromEntries(entries);
}
