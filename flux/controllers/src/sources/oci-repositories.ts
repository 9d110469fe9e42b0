/** OCIRepository: a layer of an artifact in a registry as an artifact of Flux. */
import { ignoreFiles, pickVersions, readArchive } from '@capstan/engine-source/store';
import type { Artifact, OCIRepository, OCIVerification } from '@capstan/flux-api';
import type { JsonObject } from '@capstan/kube-object';
import {
  type Credentials,
  createHttpGet,
  type HttpGet,
  isDigest,
  isNearby,
  type Manifest,
  type OciReference,
  OciRepository,
  parseReference,
  registryCredentials,
  UNREADABLE_KEY,
} from '@capstan/lib-oci';
import { CapstanError, messageOf } from '@capstan/lib-std';
import { RE2JS } from 're2js';
import { findCondition } from '../conditions.ts';
import type { ControlState } from '../control-state.ts';
import { requireOCIRepository } from '../control-state.ts';
import { formatTime, parseDurationMs } from '../durations.ts';
import type { CloudIdentities } from '../identity/cloud-identities.ts';
import { FLUX_IGNORE } from '../to-source.ts';
import type { PackTree } from './artifact-port.ts';
import { constraintProblem } from './constraint-problem.ts';
import { type SecretData, textOf } from './secret-contents.ts';
import {
  createSourceController,
  type FetchContext,
  failedWith,
  type SourceController,
  type SourcePorts,
  sourceId,
} from './source-controller.ts';
import { bearerOf, requireIdentities } from './source-identity.ts';
import {
  describeError,
  fetchFailure,
  SourceFailure,
  type SourceOutcome,
  type StoredOutcome,
} from './source-outcome.ts';
import {
  findSecret,
  readCertificates,
  readProxy,
  readSecret,
  type SecretReader,
} from './source-secrets.ts';
import {
  openVerifier,
  type VerifiedManifest,
  verificationFingerprint,
  verificationPrefix,
} from './verify-oci.ts';

export interface OciRepositoryPorts extends SourcePorts {
  readonly pack: PackTree;
}

const LAYER_BYTES_MAX = 512 * 1024 * 1024;
const CHART_LAYER = 'application/vnd.cncf.helm.chart.content.v1.tar+gzip';
const PREFIX = 'oci://';

export function createOciRepositoryController(
  ports: OciRepositoryPorts,
  control: ControlState,
): SourceController {
  const fingerprints = new Map<string, string>();
  return createSourceController<OCIRepository>(
    {
      kind: 'OCIRepository',
      require: requireOCIRepository,
      fetch: (object, context) => fetchOci(object, { ...ports, fingerprints }, context),
      forget: (key) => fingerprints.delete(sourceId(key)),
      failureOf: (error) => failedWith('OCIArtifactPullFailed', error),
      isFollowed: false,
    },
    ports,
    control,
  );
}

async function fetchOci(
  object: OCIRepository,
  ports: OciRepositoryPorts & {
    /** By which keys an artifact was verified last. */
    readonly fingerprints: Map<string, string>;
  },
  { current, signal }: FetchContext,
): Promise<SourceOutcome> {
  const { spec, metadata } = object;
  const target = parseUrl(spec.url);
  const reader = { client: ports.client, namespace: metadata.namespace ?? '', signal };
  const timeoutMs = parseDurationMs(spec.timeout ?? '60s', 'spec.timeout');
  const until = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]);
  const secret = await readCredentials(object, target, reader);
  await using access = await openAccess(object, reader, timeoutMs);
  const credentials = secret.isGiven
    ? secret.credentials
    : await logIn(object, access.proxy, ports.identities);
  const repository = await connect(target, { ...access, credentials, signal: until, spec });
  const tag = await chooseTag(spec, repository);
  const digest = pinnedDigest(spec) ?? (await digestOf(repository, tag));
  const revision = spec.ref?.digest || `${tag}@${digest}`;
  const nowMs = ports.clock.now();
  const isHeld = current?.revision === revision;
  const verification = await verify(object, {
    ...{ repository, digest, revision, reader, target, nowMs, isHeld, get: access.get },
    fingerprints: ports.fingerprints,
  });
  const artifact =
    current !== undefined && isHeld && isUnchanged(object)
      ? current
      : await storeArtifact(object, { repository, digest, revision, ports });
  const { namespace = '', name = '' } = metadata;
  const url = await ports.artifacts.linkLatest({
    kind: 'OCIRepository',
    namespace,
    name,
    fileName: fileNameOf(digest),
  });
  return {
    kind: 'stored',
    artifact,
    message: `stored artifact for digest '${revision}'`,
    event: eventOf(object, artifact),
    ...verification,
    observed: { ...observedOf(object), url },
  };
}

function parseUrl(url: string): OciReference {
  const fail = (why: string) =>
    fetchFailure('URLInvalid', `URL validation failed for '${url}': ${why}`, { response: 'stall' });
  if (!url.startsWith(PREFIX)) throw fail("URL must be in format 'oci://<domain>/<org>/<repo>'");
  let target: OciReference;
  try {
    target = parseReference(url);
  } catch (error) {
    throw fail(describeError(error));
  }
  if (target.tag !== undefined) throw fail(`URL must not contain a tag; remove ':${target.tag}'`);
  if (target.digest !== undefined) throw fail('URL must not contain a digest');
  return target;
}

async function readCredentials(
  object: OCIRepository,
  target: OciReference,
  reader: SecretReader,
): Promise<{ readonly isGiven: boolean; readonly credentials?: Credentials }> {
  const { spec, metadata } = object;
  const names = [
    ...(spec.secretRef === undefined ? [] : [spec.secretRef.name]),
    ...(await pullSecrets(spec.serviceAccountName, reader)),
  ];
  for (const name of names) {
    const data = await readPullSecret(object, reader, name);
    const text = textOf(data, '.dockerconfigjson') ?? textOf(data, '.dockercfg');
    try {
      const found = text === undefined ? undefined : registryCredentials(text, target);
      if (found !== undefined) return { isGiven: true, credentials: found };
    } catch {
      // Without its cause: that could quote the Secret.
      throw fetchFailure(
        'AuthenticationFailed',
        `failed to get credential: secret '${metadata.namespace}/${name}': .dockerconfigjson is no sound JSON`,
      );
    }
  }
  // A Secret that says nothing of this registry leaves it open to everybody.
  return { isGiven: names.length > 0 };
}

/** By a cloud's identity, where the provider is one. What fails is told where the original asks for it first. */
async function logIn(
  object: OCIRepository,
  proxy: string | undefined,
  identities: CloudIdentities,
): Promise<Credentials | undefined> {
  const { spec } = object;
  const { provider = 'generic', url, ref } = spec;
  if (provider === 'generic' || provider === '') return undefined;
  requireIdentities(spec.serviceAccountName, identities, 'none');
  const registry = url.slice(PREFIX.length);
  const bearer = bearerOf(object, { proxy, identities });
  return await identities.registryLogin(provider, registry, bearer).catch((cause: unknown) => {
    if (!(cause instanceof CapstanError)) throw cause;
    const isRange = ref?.semver !== undefined && !ref.digest;
    throw isRange
      ? fetchFailure(
          'ReadOperationFailed',
          `failed to determine the artifact tag for '${url}': ${describeError(cause)}`,
          { cause },
        )
      : fetchFailure(
          'OCIArtifactPullFailed',
          `failed to determine artifact digest: ${describeError(cause)}`,
          { cause },
        );
  });
}

/** That of `spec.secretRef`, or one of the account's. */
async function readPullSecret(
  { spec }: OCIRepository,
  reader: SecretReader,
  name: string,
): Promise<SecretData> {
  const place = `${reader.namespace}/${name}`;
  if (name === spec.secretRef?.name) {
    return await readSecret(
      reader,
      name,
      `failed to get credential: failed to get secret '${place}': `,
    );
  }
  const found = await findSecret(reader, name);
  if (found !== undefined) return found;
  const account = `${reader.namespace}/${spec.serviceAccountName}`;
  throw fetchFailure(
    'AuthenticationFailed',
    `failed to get credential: failed to get image pull secret for serviceaccount '${account}': secret '${place}' not found`,
  );
}

async function pullSecrets(
  account: string | undefined,
  { client, namespace, signal }: SecretReader,
): Promise<readonly string[]> {
  if (account === undefined || account === '') return [];
  const ref = { apiVersion: 'v1', kind: 'ServiceAccount', namespace, name: account };
  const found = await client.find(ref, { signal });
  if (found === undefined) {
    throw fetchFailure(
      'AuthenticationFailed',
      `failed to get credential: serviceaccount '${namespace}/${account}' not found`,
    );
  }
  const secrets = found['imagePullSecrets'];
  return Array.isArray(secrets)
    ? secrets.flatMap((one) =>
        typeof one === 'object' && one !== null && 'name' in one ? [String(one.name)] : [],
      )
    : [];
}

interface Access extends AsyncDisposable {
  readonly get: HttpGet;
  readonly proxy: string | undefined;
}

async function openAccess(
  { spec }: OCIRepository,
  reader: SecretReader,
  timeoutMs: number,
): Promise<Access> {
  const proxy = await readProxy(reader, spec.proxySecretRef, 'failed to get proxy address: ');
  const certificates = await readCertificates(
    reader,
    spec.certSecretRef,
    `failed to generate transport for '${spec.url}': `,
  );
  const { get, close } = createHttpGet({
    ...certificates,
    timeoutMs,
    ...(proxy === undefined ? {} : { proxy }),
    ...(spec.insecure === true && spec.certSecretRef === undefined ? { insecure: true } : {}),
  });
  return { get, proxy, [Symbol.asyncDispose]: close };
}

/** With `insecure`, and for registries nearby, plain HTTP when HTTPS is not spoken there. */
async function connect(
  target: OciReference,
  options: {
    readonly get: HttpGet;
    readonly credentials: Credentials | undefined;
    readonly signal: AbortSignal;
    readonly spec: OCIRepository['spec'];
  },
): Promise<OciRepository> {
  const { get, credentials, signal, spec } = options;
  const mayBePlain = spec.insecure === true || isNearby(target.registry);
  const plainHttp = mayBePlain && !(await speaksHttps(target.registry, get, signal));
  return new OciRepository(target, {
    get,
    signal,
    plainHttp,
    ...(credentials === undefined ? {} : { credentials }),
  });
}

async function speaksHttps(registry: string, get: HttpGet, signal: AbortSignal): Promise<boolean> {
  try {
    const url = `https://${registry}/v2/`;
    await get({ url, method: 'HEAD', headers: {}, signal });
    return true;
  } catch (error) {
    // Whose certificate is not trusted speaks it all the same.
    return /x509: /.test(messageOf(error));
  }
}

async function chooseTag(
  { ref = {}, layerSelector, url }: OCIRepository['spec'],
  repository: OciRepository,
): Promise<string> {
  if (ref.digest) return '';
  if (!ref.semver) return ref.tag ? ref.tag : 'latest';
  const fail = (why: string, cause?: unknown) =>
    fetchFailure(
      'ReadOperationFailed',
      `failed to determine the artifact tag for '${url}': ${why}`,
      { cause },
    );
  const tags = await repository.tags().catch((error: unknown) => {
    throw fail(describeError(error), error);
  });
  // A chart's version may hold a '+', which a tag cannot: registries have '_' for it.
  const isChart = layerSelector?.mediaType === CHART_LAYER;
  const filtered = filterTags(tags, ref.semverFilter, fail);
  const versions = filtered.map((tag) => (isChart ? tag.replaceAll('_', '+') : tag));
  const newest = pickVersions(ref.semver, versions);
  if (newest === 'not-a-range')
    throw fail(`semver '${ref.semver}' parse error: ${constraintProblem(ref.semver) ?? ''}`);
  const [picked] = newest;
  if (picked === undefined) throw fail(`no match found for semver: ${ref.semver}`);
  return isChart ? picked.replaceAll('+', '_') : picked;
}

function filterTags(
  tags: readonly string[],
  filter: string | undefined,
  fail: (why: string) => SourceFailure,
): readonly string[] {
  if (filter === undefined || filter === '') return tags;
  try {
    const pattern = RE2JS.compile(filter);
    return tags.filter((tag) => pattern.matcher(tag).find());
  } catch (error) {
    throw fail(messageOf(error));
  }
}

/** The digest that the spec names. */
function pinnedDigest({ ref }: OCIRepository['spec']): string | undefined {
  if (!ref?.digest) return undefined;
  if (isDigest(ref.digest)) return ref.digest;
  throw fetchFailure(
    'OCIArtifactPullFailed',
    `failed to determine artifact digest: ${digestProblem(ref.digest)}`,
  );
}

/** In the words of go-containerregistry, which knows SHA-256 alone. */
function digestProblem(digest: string): string {
  const [, algorithm, hex] = /^([^:]+):(.+)$/s.exec(digest) ?? [];
  if (algorithm === undefined || hex === undefined) {
    return `cannot parse hash: ${JSON.stringify(digest)}`;
  }
  const odd = /[^0-9a-f]/.exec(hex)?.[0];
  if (odd !== undefined) return `found non-hex character in hash: ${odd}`;
  return algorithm === 'sha256'
    ? `wrong number of hex digits for ${algorithm}: ${hex}`
    : `unsupported hash: ${JSON.stringify(algorithm)}`;
}

async function digestOf(repository: OciRepository, tag: string): Promise<string> {
  try {
    return await repository.digestOf(tag);
  } catch (cause) {
    throw fetchFailure(
      'OCIArtifactPullFailed',
      `failed to determine artifact digest: ${describeError(cause)}`,
      { cause },
    );
  }
}

type Verification = Pick<StoredOutcome, 'verified' | 'isVerificationKept'>;

/**
 * What becomes of SourceVerified. What was verified already, of this generation and by the keys of today, is not looked at again:
 * signatures of an artifact do not change.
 */
async function verify(
  object: OCIRepository,
  options: Omit<VerifiedManifest, 'name'> & {
    readonly target: OciReference;
    readonly revision: string;
    readonly reader: SecretReader;
    readonly isHeld: boolean;
    readonly fingerprints: Map<string, string>;
  },
): Promise<Verification> {
  const { spec, metadata, status } = object;
  const { verify: wanted } = spec;
  const { target, revision, reader, isHeld, fingerprints, ...manifest } = options;
  const key = `${metadata.namespace}/${metadata.name}`;
  if (wanted === undefined) {
    fingerprints.delete(key);
    return {};
  }
  const fingerprint = await verificationFingerprint(wanted, reader);
  const known = findCondition(status.conditions, 'SourceVerified');
  const isKnown =
    known?.status === 'True' && known.observedGeneration === (metadata.generation ?? 0);
  const isSame = (fingerprints.get(key) ?? fingerprint) === fingerprint;
  if (isHeld && isKnown && isSame) {
    fingerprints.set(key, fingerprint);
    return { isVerificationKept: true };
  }
  const name = `${target.registry}/${target.repository}`;
  try {
    const reference = `${name}@${manifest.digest}`;
    const verifier = await openVerifier(wanted, {
      ...{ reader, name: reference, nowMs: manifest.nowMs },
    });
    const result = await verifier({ ...manifest, name });
    fingerprints.set(key, fingerprint);
    return result === 'verified' ? { verified: `verified signature of revision ${revision}` } : {};
  } catch (cause) {
    const why = whyUnverified(wanted, `${name}@${manifest.digest}`, cause);
    const place = { condition: 'SourceVerified', reason: 'VerificationError' } as const;
    throw new SourceFailure({ ...place, message: `${verificationPrefix(wanted)}${why}` }, cause);
  }
}

/** With keys of one's own the original tells of no single signature. */
function whyUnverified(
  { provider, secretRef }: OCIVerification,
  reference: string,
  cause: unknown,
): string {
  const isByKey = provider === 'cosign' && secretRef !== undefined;
  if (!isByKey || !(cause instanceof CapstanError)) return describeError(cause);
  const isKeyless = cause.message.startsWith('no public keys found');
  if (cause.code !== 'OCI_SIGNATURE' && !isKeyless) return describeError(cause);
  if (cause.message === UNREADABLE_KEY) return describeError(cause);
  const why = isKeyless ? cause.message : cause.hint;
  const hint = why === undefined ? '' : ` (${why})`;
  return `no matching signatures were found for '${reference}'${hint}`;
}

function isUnchanged({ spec, status }: OCIRepository): boolean {
  const same = (a: unknown, b: unknown) => JSON.stringify(a ?? null) === JSON.stringify(b ?? null);
  return (
    same(spec.ignore, status.observedIgnore) &&
    same(spec.layerSelector, status.observedLayerSelector)
  );
}

function fileNameOf(digest: string): string {
  return `${digest}.tar.gz`;
}

async function storeArtifact(
  object: OCIRepository,
  options: {
    readonly repository: OciRepository;
    readonly digest: string;
    readonly revision: string;
    readonly ports: OciRepositoryPorts;
  },
): Promise<Artifact> {
  const { repository, digest, revision, ports } = options;
  const { spec, metadata } = object;
  const manifest = await repository.imageManifest(digest).catch((cause: unknown) => {
    const message = `failed to pull artifact from '${spec.url}': ${describeError(cause)}`;
    throw fetchFailure('OCIArtifactPullFailed', message, { cause });
  });
  const blob = await readLayer(object, repository, manifest);
  const { namespace = '', name = '' } = metadata;
  const file = { kind: 'OCIRepository', namespace, name, fileName: fileNameOf(digest) };
  const pieces =
    spec.layerSelector?.operation === 'copy' ? [blob] : ports.pack(await extract(object, blob));
  const stored = await ports.artifacts.store(file, pieces);
  const { annotations } = manifest;
  return {
    path: stored.path,
    url: stored.url,
    revision,
    digest: stored.digest,
    lastUpdateTime: formatTime(ports.clock.now()),
    size: stored.size,
    ...(Object.keys(annotations).length === 0 ? {} : { metadata: annotations }),
  };
}

function layerFailure(message: string, cause?: unknown): SourceFailure {
  return fetchFailure('OCIArtifactLayerOperationFailed', message, { cause });
}

async function readLayer(
  { spec }: OCIRepository,
  repository: OciRepository,
  { layers }: Manifest,
): Promise<Uint8Array> {
  const wanted = spec.layerSelector?.mediaType ?? '';
  if (layers.length === 0) throw layerFailure('no layers found in artifact');
  const layer = wanted === '' ? layers[0] : layers.find(({ mediaType }) => mediaType === wanted);
  if (layer === undefined) {
    throw layerFailure(`failed to find layer with media type '${wanted}' in artifact`);
  }
  return await repository.blob(layer, LAYER_BYTES_MAX).catch((cause: unknown) => {
    throw layerFailure(
      `failed to extract the first layer from artifact: ${describeError(cause)}`,
      cause,
    );
  });
}

async function extract({ spec }: OCIRepository, blob: Uint8Array) {
  try {
    const tree = await readArchive(blob, { others: 'skip' });
    const rules = {
      ...FLUX_IGNORE,
      ...(spec.ignore === undefined ? {} : { patterns: spec.ignore }),
    };
    return ignoreFiles(tree, rules).files;
  } catch (cause) {
    if (!(cause instanceof CapstanError)) throw cause;
    throw layerFailure(
      `failed to extract layer contents from artifact: ${describeError(cause)}`,
      cause,
    );
  }
}

function observedOf({ spec }: OCIRepository): JsonObject {
  return {
    ...(spec.ignore === undefined ? {} : { observedIgnore: spec.ignore }),
    ...(spec.layerSelector === undefined ? {} : { observedLayerSelector: spec.layerSelector }),
  };
}

function eventOf({ spec }: OCIRepository, { revision, metadata }: Artifact): string {
  const source = metadata?.['org.opencontainers.image.source'];
  const origin = metadata?.['org.opencontainers.image.revision'];
  const from =
    source === undefined || origin === undefined
      ? ''
      : `, origin source '${source}', origin revision '${origin}'`;
  return `stored artifact with revision '${revision}' from '${spec.url}'${from}`;
}
