/**
 * The official programs that Capstan is held against, by name and version; built from their Go modules when they are not
 * there yet. `node conformance/tools/official.ts` builds all of them.
 */
import { type StdioOptions, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  cpSync,
  existsSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { basename, join } from 'node:path';

export type OfficialName = keyof typeof modules;

/** Module path of the main package per major version, and the versions that the suites use. */
const modules = {
  kustomize: { 5: 'sigs.k8s.io/kustomize/kustomize/v5' },
  helm: { 3: 'helm.sh/helm/v3/cmd/helm', 4: 'helm.sh/helm/v4/cmd/helm' },
  sops: { 3: 'github.com/getsops/sops/v3/cmd/sops' },
  'age-keygen': { 1: 'filippo.io/age/cmd/age-keygen' },
  flux: { 2: 'github.com/fluxcd/flux2/v2/cmd/flux' },
} as const satisfies Record<string, Record<number, string>>;

export const officialVersions: readonly (readonly [OfficialName, string])[] = [
  ['kustomize', '5.8.2'],
  ['helm', '4.3.1'],
  ['helm', '3.22.0'],
  ['sops', '3.13.3'],
  ['age-keygen', '1.3.2'],
  ['flux', '2.9.5'],
];

/**
 * Programs that `go install` cannot build, because their module replaces others or embeds files that are made at a release:
 * the module's path, and the files that are added to a copy of it.
 */
const copied: Partial<Record<OfficialName, { module: string; files: Record<string, string> }>> = {
  flux: {
    module: 'github.com/fluxcd/flux2/v2',
    // What `flux install` would install; nobody here asks it to.
    files: { 'cmd/flux/manifests/none.yaml': '' },
  },
};

/** Where built programs are kept: `$CAPSTAN_CACHE/bin`, by default `~/.cache/capstan/bin`. */
export function binaryDirectory(): string {
  return join(process.env['CAPSTAN_CACHE'] ?? join(homedir(), '.cache', 'capstan'), 'bin');
}

/** The path of the program, built first if need be; throws when it cannot be (no Go, no network). */
export function officialProgram(name: OfficialName, version: string): string {
  const path = join(binaryDirectory(), `${name}-${version}`);
  if (existsSync(path)) return path;
  const major = version.split('.')[0] ?? '';
  const module = Object.entries(modules[name]).find(([known]) => known === major)?.[1];
  if (module === undefined) throw new Error(`no module is known for ${name} ${version}`);
  mkdirSync(binaryDirectory(), { recursive: true });
  const scratch = mkdtempSync(join(binaryDirectory(), '.build-'));
  try {
    console.error(`building ${name} ${version} …`);
    const copy = copied[name];
    if (copy === undefined) install(`${module}@v${version}`, scratch);
    else buildCopy({ ...copy, main: module, version }, scratch);
    renameSync(join(scratch, programName(module)), path);
  } catch (error) {
    throw new Error(`cannot build ${name} ${version}: ${String(error)}`);
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
  return path;
}

/** `go install` names the program by itself and honours GOBIN only for the machine's own platform, which is what runs here. */
function install(target: string, into: string): void {
  const env = { ...process.env, GOBIN: into, CGO_ENABLED: '0' };
  runGo(['install', '-trimpath', '-ldflags=-s -w', target], { env });
}

function buildCopy(
  {
    module,
    main,
    version,
    files,
  }: { module: string; main: string; version: string; files: Record<string, string> },
  into: string,
): void {
  const sources = join(into, 'sources');
  cpSync(moduleFolder(module, version), sources, { recursive: true });
  for (const folder of globSync('**/', { cwd: sources })) chmodSync(join(sources, folder), 0o755);
  for (const [file, text] of Object.entries(files)) {
    mkdirSync(join(sources, file, '..'), { recursive: true });
    writeFileSync(join(sources, file), text);
  }
  const options = { cwd: sources, env: { ...process.env, CGO_ENABLED: '0' } };
  const program = join(into, programName(main));
  const target = `.${main.slice(module.length)}`;
  runGo(
    ['build', '-trimpath', `-ldflags=-s -w -X main.VERSION=${version}`, '-o', program, target],
    options,
  );
}

/** Where the files of a released Go module are, fetched when they are not there; they may not be changed. */
export function moduleFolder(module: string, version: string): string {
  const asked = ['mod', 'download', '-json', `${module}@v${version}`];
  const { stdout } = spawnSync('go', asked, { cwd: tmpdir(), encoding: 'utf8' });
  const { Dir: found } = JSON.parse(stdout === '' ? '{}' : stdout) as { readonly Dir?: string };
  if (found === undefined) throw new Error(`no module ${module} ${version}`);
  return found;
}

function runGo(args: readonly string[], options: { cwd?: string; env: NodeJS.ProcessEnv }): void {
  const stdio: StdioOptions = ['ignore', 'inherit', 'inherit'];
  const { status, error } = spawnSync('go', args, { stdio, ...options });
  if (status !== 0) throw error ?? new Error(`go ended with ${status}`);
}

/**
 * A program of ours over official Go packages: the module in `folder`, built unless the very same sources were built before.
 * The name of the binary holds a digest of them.
 */
export function oracleProgram(name: string, folder: string): string {
  const digest = createHash('sha256');
  for (const file of globSync(['go.mod', 'go.sum', '**/*.go'], { cwd: folder }).sort()) {
    digest.update(`${file}\n`).update(readFileSync(join(folder, file)));
  }
  const path = join(binaryDirectory(), `${name}-${digest.digest('hex').slice(0, 12)}`);
  if (existsSync(path)) return path;
  mkdirSync(binaryDirectory(), { recursive: true });
  console.error(`building ${name} …`);
  const { status, error } = spawnSync(
    'go',
    ['build', '-trimpath', '-ldflags=-s -w', '-o', `${path}.new`, '.'],
    {
      cwd: folder,
      stdio: ['ignore', 'inherit', 'inherit'],
      env: { ...process.env, CGO_ENABLED: '0' },
    },
  );
  if (status !== 0) {
    throw new Error(`cannot build ${name}: ${error?.message ?? `go ended with ${status}`}`);
  }
  renameSync(`${path}.new`, path);
  return path;
}

/** The reason to skip tests that need the program; false when it is there or can be built. */
export function whyNotOfficial(name: OfficialName, version: string): string | false {
  if (existsSync(join(binaryDirectory(), `${name}-${version}`))) return false;
  if (spawnSync('go', ['version']).status === 0) return false;
  return `no official ${name} ${version}: it needs Go 1.26 (https://go.dev/dl) to be built`;
}

/** A major version at the end of a module path is not the program's name. */
function programName(module: string): string {
  const last = basename(module);
  return /^v\d+$/.test(last) ? basename(module.slice(0, -last.length - 1)) : last;
}

if (import.meta.main) {
  for (const [name, version] of officialVersions) console.log(officialProgram(name, version));
}
