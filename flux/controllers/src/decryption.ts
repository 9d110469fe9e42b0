/**
 * `spec.decryption` of a Kustomization, as kustomize-controller does it: files that a build reads as secrets are decrypted
 * before it, encrypted objects after it and before variables are put in. Plain text stays in memory: such a render is
 * never kept in a cache.
 */

import type { DeliveryPorts } from '@capstan/engine-delivery';
import {
  type DesiredObject,
  finishRender,
  type RenderResult,
  type RenderSpec,
  renderManifests,
} from '@capstan/engine-render';
import type { Snapshot } from '@capstan/engine-source';
import { KUSTOMIZE_GROUP, type Kustomization } from '@capstan/flux-api';
import type { KubeClient } from '@capstan/kube-client';
import { type JsonObject, type KubeObject, parseApiVersion } from '@capstan/kube-object';
import { decryptSops, isSopsFile, type SopsFormat, type SopsKeys } from '@capstan/lib-sops';
import { CapstanError } from '@capstan/lib-std';
import { decryptSources } from './decrypt-sources.ts';
import { type DecryptionPorts, readServiceSecrets, serviceOpener } from './decryption-services.ts';
import type { Bearer } from './identity/cloud-identities.ts';
import { readValues } from './read-secret.ts';
import type { FluxSettings } from './settings.ts';

/** The keys that `spec.decryption` leads to; undefined when nothing is to be decrypted. */
export async function readDecryptionKeys(
  { spec, metadata }: Kustomization,
  ports: DecryptionPorts,
  signal: AbortSignal,
): Promise<SopsKeys | undefined> {
  if (spec.decryption === undefined) return undefined;
  const { client, settings = {} } = ports;
  const { provider, secretRef, serviceAccountName } = spec.decryption;
  if (serviceAccountName && settings.objectIdentities !== true) {
    throw new CapstanError(
      'FeatureGateDisabled',
      'to use spec.decryption.serviceAccountName for decryption authentication please enable the ObjectLevelWorkloadIdentity feature gate in the controller',
      { kind: 'stalled' },
    );
  }
  if (provider !== 'sops') {
    throw new CapstanError('SPEC_INVALID', `spec.decryption.provider: ${provider} is not known`, {
      hint: 'the only provider is sops',
    });
  }
  const name = isRecord(secretRef) ? secretRef['name'] : undefined;
  const { namespace = '' } = metadata;
  const account = serviceAccountName || settings.defaultDecryptionAccount;
  const { name: object = '' } = metadata;
  const bearer: Bearer = {
    namespace,
    involved: { kind: 'Kustomization', name: object, namespace, operation: 'reconcile' },
    ...(typeof account === 'string' ? { serviceAccountName: account } : {}),
  };
  if (typeof name !== 'string') {
    const age = await readSharedKeys(client, settings, signal);
    return { age, open: serviceOpener({}, bearer, ports) };
  }
  const ref = { kind: 'Secret' as const, namespace, name, optional: false };
  const values = (await readValues(client, ref, { signal })) ?? new Map();
  const given = readServiceSecrets(values, `${namespace}/${name}`);
  return { ...toKeys(values), open: serviceOpener(given, bearer, ports) };
}

/** Keys for every Kustomization that decrypts and names none of its own. */
async function readSharedKeys(
  client: KubeClient,
  { sopsAgeSecret }: FluxSettings,
  signal: AbortSignal,
): Promise<readonly string[]> {
  if (sopsAgeSecret === undefined) return [];
  const ref = { kind: 'Secret' as const, ...sopsAgeSecret, optional: false };
  return toKeys((await readValues(client, ref, { signal })) ?? new Map()).age ?? [];
}

/** By the names under which Flux's documentation has keys stored. */
function toKeys(values: ReadonlyMap<string, string>): SopsKeys {
  const endingIn = (suffix: string) =>
    [...values].flatMap(([name, value]) => (name.endsWith(suffix) ? [value] : []));
  return { age: endingIn('.agekey'), pgp: endingIn('.asc') };
}

/** A renderer that decrypts with these keys; without keys it refuses Secrets that are still encrypted. */
export function decryptingRender(
  render: DeliveryPorts['render'],
  keys: SopsKeys | undefined,
): DeliveryPorts['render'] {
  if (keys === undefined) {
    return async (snapshot, spec, options) =>
      refuseEncrypted(await render(snapshot, spec, options));
  }
  return async (snapshot, spec, options) => {
    if (spec.kind !== 'kustomize') return render(snapshot, spec, options);
    const build = buildOnly(spec);
    const files = await decryptSources(snapshot.files, spec, keys);
    const built =
      files === snapshot.files
        ? await render(snapshot, build, options)
        : renderUncached({ ...snapshot, files }, build, options);
    const objects = await Promise.all(built.objects.map((one) => decryptObject(one, keys)));
    return finishRender({ ...built, objects }, spec);
  };
}

function renderUncached(
  snapshot: Snapshot,
  spec: RenderSpec,
  { question }: Pick<Parameters<DeliveryPorts['render']>[2], 'question'>,
): RenderResult {
  return renderManifests(snapshot, spec, question === undefined ? {} : { question });
}

/** What is put into objects after they are decrypted is left out here. */
function buildOnly({
  substitute: _substitute,
  ...spec
}: Extract<RenderSpec, { kind: 'kustomize' }>): RenderSpec {
  const { commonMetadata: _metadata, ...overlay } = spec.overlay ?? {};
  return { ...spec, overlay };
}

async function decryptObject(desired: DesiredObject, keys: SopsKeys): Promise<DesiredObject> {
  const { object } = desired;
  const marks = { ...object.metadata.labels, ...object.metadata.annotations };
  if (marks[`${KUSTOMIZE_GROUP}/decrypt`]?.toLowerCase() === 'disabled') return desired;
  const decrypted = await opened(object, keys).catch((error: unknown) => {
    if (!(error instanceof CapstanError)) throw error;
    throw new CapstanError(
      error.code,
      `decryption failed for '${idOf(object)}': ${error.message}`,
      {
        kind: 'wait',
        ...(error.hint === undefined ? {} : { hint: error.hint }),
      },
    );
  });
  return { ...desired, object: decrypted };
}

/** As kustomize names an object: `Secret.v1.[noGrp]/app`. */
function idOf({ apiVersion, kind, metadata }: KubeObject): string {
  const { group, version } = parseApiVersion(apiVersion);
  return `${kind}.${version}.${group || '[noGrp]'}/${metadata.name ?? ''}`;
}

async function opened(object: KubeObject, keys: SopsKeys): Promise<KubeObject> {
  if (isRecord(object['sops'])) {
    // A build adds names, labels and namespaces: the MAC of the file no longer fits the object, as in Flux.
    const options = { format: 'json', keys, checkMac: false } as const;
    const text = await decryptSops(Buffer.from(JSON.stringify(object)), options);
    return JSON.parse(Buffer.from(text).toString('utf8')) as KubeObject;
  }
  const data = object['data'];
  if (object.kind !== 'Secret' || !isRecord(data)) return object;
  const values: { [key: string]: string } = {};
  for (const [key, value] of Object.entries(data)) {
    const plain = await openValue(key, Buffer.from(String(value), 'base64'), keys);
    values[key] = plain === undefined ? String(value) : Buffer.from(plain).toString('base64');
  }
  return { ...object, data: values satisfies JsonObject };
}

/** The content of an encrypted file that was put into a Secret; undefined when it is not encrypted. */
async function openValue(
  key: string,
  content: Uint8Array,
  keys: SopsKeys,
): Promise<Uint8Array | undefined> {
  const format = formatOfContent(key, content);
  return format === undefined ? undefined : await decryptSops(content, { format, keys });
}

function formatOfContent(key: string, content: Uint8Array): SopsFormat | undefined {
  const byName = key.endsWith('.json') ? 'json' : 'binary';
  const formats: readonly SopsFormat[] = [byName, 'yaml', 'dotenv', 'ini'];
  return formats.find((format) => isSopsFile(content, format));
}

function refuseEncrypted(rendered: RenderResult): RenderResult {
  const encrypted = rendered.objects.find(
    ({ object }) => object.kind === 'Secret' && object['sops'] !== undefined,
  );
  if (encrypted === undefined) return rendered;
  const { kind, metadata } = encrypted.object;
  const place = `${kind}/${metadata.namespace ?? ''}/${metadata.name ?? ''}`;
  return {
    ...rendered,
    objects: [],
    diagnostics: [
      ...rendered.diagnostics,
      {
        severity: 'error',
        code: 'SOPS_ENCRYPTED',
        message: `${place} is SOPS encrypted, configuring decryption is required for this secret to be reconciled`,
        hint: 'name the keys in spec.decryption',
        ...(encrypted.origin === undefined ? {} : { location: encrypted.origin }),
      },
    ],
  };
}

function isRecord(value: unknown): value is { readonly [key: string]: unknown } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
