/** Charts of chart repositories and artifacts of OCI registries over the network. */
import { openRepository } from '@capstan/kube-helm';
import {
  ConditionalCache,
  createHttpGet,
  isDigest,
  OciRepository,
  parseReference,
} from '@capstan/lib-oci';
import {
  checkConstraint,
  compareVersions,
  parseConstraint,
  parseVersion,
} from '@capstan/lib-semver';
import { CapstanError } from '@capstan/lib-std';
import type { ArtifactRemote, ArtifactVersion } from './artifact-sources.ts';
import type { ArtifactSourceSpec } from './source-spec.ts';

const LAYER_BYTES_MAX = 256 * 1024 * 1024;
const LAYER_TYPES: ReadonlySet<string> = new Set([
  'application/vnd.oci.image.layer.v1.tar',
  'application/vnd.oci.image.layer.v1.tar+gzip',
  'application/vnd.cncf.helm.chart.content.v1.tar+gzip',
]);

/** `indexes` keeps what chart repositories answered: they are asked whether it still holds. */
export function openArtifactRemote(
  spec: ArtifactSourceSpec,
  indexes = new ConditionalCache(),
): ArtifactRemote {
  const client = createHttpGet(spec.auth ?? {});
  const get = indexes.over(client.get, JSON.stringify(spec.auth ?? {}), isIndex);
  const common = async (): Promise<Common> => ({
    get,
    ...(await credentialsOf(spec)),
    ...(spec.plainHttp === true ? { plainHttp: true } : {}),
  });
  const remote = spec.form === 'chart' ? chartRemote(spec, common) : ociRemote(spec, common);
  return { ...remote, [Symbol.asyncDispose]: () => client.close() };
}

function isIndex({ pathname }: URL): boolean {
  return pathname.endsWith('/index.yaml');
}

type Common = Pick<Parameters<typeof openRepository>[1], 'get' | 'credentials' | 'plainHttp'>;
type Remote = Omit<ArtifactRemote, typeof Symbol.asyncDispose>;

/** Those of the moment, or what a Secret holds. */
async function credentialsOf({
  auth,
  url,
}: ArtifactSourceSpec): Promise<Pick<Common, 'credentials'>> {
  const asked = await auth?.login?.ask(url);
  const { username = '', password = '' } =
    asked !== undefined && 'username' in asked ? asked : (auth ?? {});
  return username === '' && password === '' ? {} : { credentials: { username, password } };
}

function chartRemote(
  { url, chart = '', revision, passCredentials }: ArtifactSourceSpec,
  common: () => Promise<Common>,
): Remote {
  const open = async (signal: AbortSignal) =>
    openRepository(url, {
      ...(await common()),
      signal,
      ...(passCredentials === true ? { passCredentials } : {}),
    });
  const range = revision.range === 'HEAD' ? '' : revision.range;
  return {
    resolve: async (signal) => {
      const { version } = await (await open(signal)).resolve(chart, range);
      return { id: version, name: range, isFixed: version === range };
    },
    fetch: async ({ id }, signal) => {
      const repository = await open(signal);
      return repository.fetch(await repository.resolve(chart, id));
    },
  };
}

function ociRemote({ url, revision }: ArtifactSourceSpec, common: () => Promise<Common>): Remote {
  const reference = parseReference(url);
  const open = async (signal: AbortSignal) =>
    new OciRepository(reference, { ...(await common()), signal });
  return {
    resolve: async (signal): Promise<ArtifactVersion> => {
      const { range } = revision;
      if (isDigest(range)) return { id: range, name: '', isFixed: true };
      const tag = await chooseTag(await open(signal), range);
      const { digest } = await (await open(signal)).manifest(tag);
      return { id: digest, name: tag, isFixed: false };
    },
    fetch: async ({ id }, signal) => {
      const repository = await open(signal);
      const { layers } = await repository.manifest(id);
      const [layer, ...more] = layers;
      if (layer === undefined || more.length > 0)
        throw invalid(`expected only a single oci layer, got ${layers.length}`);
      if (!LAYER_TYPES.has(layer.mediaType))
        throw invalid(`oci layer media type ${layer.mediaType} is not in the list of allowed ones`);
      return repository.blob(layer, LAYER_BYTES_MAX);
    },
  };
}

/** The tag itself, or the newest version among the tags that satisfies a constraint. */
async function chooseTag(repository: OciRepository, range: string): Promise<string> {
  if (range === '' || range === 'HEAD') return 'latest';
  if (!/[\^~><=*|]|\bx\b|\s-\s/.test(range)) return range;
  const constraint = parseConstraint(range);
  const versions = (await repository.tags()).flatMap((tag) => {
    try {
      return [{ tag, version: parseVersion(tag.replaceAll('_', '+')) }];
    } catch {
      return [];
    }
  });
  const [best] = versions
    .filter(({ version }) => checkConstraint(constraint, version))
    .sort((a, b) => compareVersions(b.version, a.version));
  if (best !== undefined) return best.tag;
  throw new CapstanError('ARTIFACT_VERSION', `no tag satisfies the constraint ${range}`, {
    hint: 'correct targetRevision, or push a version that fits',
  });
}

function invalid(message: string): CapstanError {
  return new CapstanError('ARTIFACT_INVALID', message, {
    hint: 'push the manifests as one layer, a tar archive',
  });
}
