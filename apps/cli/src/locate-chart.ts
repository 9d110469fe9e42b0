import { existsSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { basename, isAbsolute, join, relative, resolve, sep } from 'node:path';
import {
  type Chart,
  ChartError,
  type ChartSignature,
  type ChartVersion,
  loadChart,
  loadChartArchive,
  openRepository,
  type RepositoryOptions,
  verifyChart,
} from '@capstan/kube-helm';
import { openDiskTree } from '@capstan/lib-files/disk';
import { kindAt, readPackedChart, rootOf } from './chart-path.ts';
import type { FlagSpec, ParsedFlags } from './flags.ts';
import { inHelmWords } from './helm-version.ts';
import { httpGetOf, TLS_FLAGS } from './http-get.ts';
import type { Io } from './io.ts';

/** The flags for repositories and registries. */
export const REPOSITORY_FLAGS: Readonly<Record<string, FlagSpec>> = {
  ...TLS_FLAGS,
  username: { kind: 'string' },
  password: { kind: 'string' },
  'pass-credentials': { kind: 'boolean' },
  'plain-http': { kind: 'boolean' },
};

/** The flags of `helm template` and `helm show` that say where the chart is. */
export const CHART_FLAGS: Readonly<Record<string, FlagSpec>> = {
  ...REPOSITORY_FLAGS,
  repo: { kind: 'string' },
  version: { kind: 'string' },
  devel: { kind: 'boolean' },
  root: { kind: 'string' },
  verify: { kind: 'boolean' },
  keyring: { kind: 'string' },
};

export const CHART_HELP = `      --repo URL             the chart repository that CHART is looked for in
      --version VERSION      version or constraint; --devel takes prereleases too
      --username, --password, --pass-credentials, --plain-http
      --ca-file, --cert-file, --key-file, --insecure-skip-tls-verify
      --root DIR             links in the chart may lead to anywhere below it (default: its Git repository)
      --verify               only a packed chart whose .prov file is signed by a key of --keyring
      --keyring FILE         public keys (default: GnuPG's pubring.gpg or pubring.kbx)
`;

const REQUEST_MS = 120_000;

/** The options of a repository by the flags; requests end with the command. */
export function repositoryOptions(flags: ParsedFlags, io: Io): RepositoryOptions {
  const username = flags.text('username');
  return {
    get: httpGetOf(flags, io),
    ...(username === undefined
      ? {}
      : { credentials: { username, password: flags.text('password') ?? '' } }),
    passCredentials: flags.flag('pass-credentials'),
    plainHttp: flags.flag('plain-http'),
    signal: AbortSignal.any([io.signal, AbortSignal.timeout(REQUEST_MS)]),
  };
}

/** The public keys that signatures are checked against: --keyring, or GnuPG's own. */
export function readKeyring(flags: ParsedFlags, io: Io): Uint8Array {
  const home = io.env['GNUPGHOME'] ?? join(io.env['HOME'] ?? homedir(), '.gnupg');
  const own = ['pubring.gpg', 'pubring.kbx'].map((name) => join(home, name));
  const given = flags.text('keyring');
  const path =
    given === undefined
      ? (own.find((name) => existsSync(name)) ?? own[0]!)
      : resolve(io.cwd, given);
  try {
    return readFileSync(path);
  } catch (error) {
    throw new ChartError(
      'PROVENANCE',
      `failed to load keyring: open ${given ?? path}: no such file or directory`,
      error,
    );
  }
}

/** Checks the packed chart at a path against the .prov file beside it, as `helm verify` does. */
export function verifyFile(path: string, flags: ParsedFlags, io: Io): Promise<ChartSignature> {
  const at = resolve(io.cwd, path);
  const kind = kindAt(at);
  if (kind === undefined) {
    throw new ChartError('CHART_MISSING', `stat ${path}: no such file or directory`);
  }
  if (kind === 'directory') {
    throw new ChartError('PROVENANCE', 'unpacked charts cannot be verified');
  }
  if (!/\.tgz$/i.test(at)) throw new ChartError('PROVENANCE', 'chart must be a tgz file');
  const signature = `${at}.prov`;
  if (kindAt(signature) !== 'file') {
    throw new ChartError(
      'PROVENANCE',
      `could not load provenance file ${path}.prov: stat ${path}.prov: no such file or directory`,
    );
  }
  return verifyChart({
    archive: readFileSync(at),
    fileName: basename(at),
    provenance: readFileSync(signature),
    keyring: readKeyring(flags, io),
  });
}

/** The chart that an argument names: a folder, a packed file, a URL, an OCI reference, or a name in `--repo`. */
export async function locateChart(given: string, flags: ParsedFlags, io: Io): Promise<Chart> {
  const read = await findChart(given, flags, io);
  return read();
}

/** As `locateChart`, in two steps: the chart is there, and nothing of it has been looked at. */
export async function findChart(given: string, flags: ParsedFlags, io: Io): Promise<() => Chart> {
  const name = given.trim();
  const path = resolve(io.cwd, name);
  const repo = flags.text('repo');
  if (repo === undefined && kindAt(path) !== undefined) {
    if (flags.flag('verify')) await verifyFile(path, flags, io);
    const read = (): Chart =>
      kindAt(path) === 'file' ? readPackedChart(path) : readFolder(path, flags, io);
    return () => inHelmWords(flags, read);
  }
  if (repo === undefined && (isAbsolute(name) || name.startsWith('.'))) {
    throw new ChartError('CHART_MISSING', `path ${JSON.stringify(name)} not found`);
  }
  const archive = await download(name, repo, flags, io);
  return () => inHelmWords(flags, () => loadChartArchive(archive));
}

function readFolder(path: string, flags: ParsedFlags, io: Io): Chart {
  try {
    const root = rootOf(path, flags, io);
    return loadChart(openDiskTree(root), relative(root, path).split(sep).join('/'));
  } catch (error) {
    const file = join(path, 'Chart.yaml');
    if (!(error instanceof ChartError) || kindAt(file) !== undefined) throw error;
    if (error.message !== 'Chart.yaml file is missing') throw error;
    throw new ChartError(
      error.code,
      `unable to detect chart at ${file}: open ${file}: no such file or directory`,
      error,
    );
  }
}

async function download(
  name: string,
  repo: string | undefined,
  flags: ParsedFlags,
  io: Io,
): Promise<Uint8Array> {
  const wanted = flags.text('version')?.trim() ?? '';
  const constraint = wanted === '' && flags.flag('devel') ? '>0.0.0-0' : wanted;
  const { url, chart } = placeOf(name, repo);
  const source = openRepository(url, repositoryOptions(flags, io));
  const version: ChartVersion =
    chart === undefined
      ? { name: '', version: constraint, urls: [name], digest: '' }
      : await source.resolve(chart, constraint);
  const archive = await source.fetch(version);
  if (flags.flag('verify')) {
    const provenance = await source.provenance(version);
    const fileName = source.fileName(version);
    await verifyChart({ archive, fileName, provenance, keyring: readKeyring(flags, io) });
  }
  return archive;
}

/** Where to look; `chart` is undefined when the name is the URL of one packed chart. */
function placeOf(
  name: string,
  repo: string | undefined,
): { readonly url: string; readonly chart: string | undefined } {
  if (repo !== undefined) return { url: repo, chart: name };
  if (name.startsWith('oci://')) {
    const at = name.lastIndexOf('/');
    const isExact = /[:@]/.test(name.slice(at));
    return isExact
      ? { url: name, chart: undefined }
      : { url: name.slice(0, at), chart: name.slice(at + 1) };
  }
  if (/^https?:\/\//.test(name)) return { url: name, chart: undefined };
  throw new ChartError(
    'CHART_MISSING',
    name.includes('/')
      ? `repo ${name.split('/')[0]} not found`
      : `non-absolute URLs should be in form of repo_name/path_to_chart, got: ${name}`,
  );
}
