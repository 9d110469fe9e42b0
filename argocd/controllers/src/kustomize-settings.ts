import type { KustomizeSource } from '@capstan/argocd-api';
import type { KustomizeOptions } from '@capstan/engine-render';
import { CapstanError } from '@capstan/lib-std';
import { plainVersion } from './plain-version.ts';

/** What argocd-cm says of kustomize (documentation: "Kustomize", Build Options and Custom Versions). */
export interface KustomizeSettings {
  readonly options: KustomizeBuildOptions;
  /** Options of versions that are registered; they are all built by Capstan's own kustomize. */
  readonly versions: ReadonlyMap<string, KustomizeBuildOptions>;
}

export interface KustomizeBuildOptions {
  readonly enableHelm: boolean;
  readonly loadRestriction: 'root' | 'none';
  readonly reorder?: 'legacy' | 'none';
}

export const DEFAULT_KUSTOMIZE: KustomizeSettings = {
  options: { enableHelm: false, loadRestriction: 'root' },
  versions: new Map(),
};

const VERSION = /^kustomize\.(?:version|path)\.(.+)$/;
const OPTIONS = 'kustomize.buildOptions';

export function readKustomize(
  cm: { readonly [key: string]: string },
  problems: string[],
): KustomizeSettings {
  const read = (key: string) => readOptions(cm[key] ?? '', key, problems);
  const options = read(OPTIONS);
  const versions = new Map<string, KustomizeBuildOptions>();
  for (const key of Object.keys(cm)) {
    const name = VERSION.exec(key)?.[1];
    if (name === undefined) continue;
    const own = `${OPTIONS}.${name}`;
    versions.set(name, cm[own] === undefined ? options : read(own));
  }
  return { options, versions };
}

/** Flags that change nothing here: what they would permit is refused where it is asked for. */
const WITHOUT_EFFECT =
  /^--(?:enable-alpha-plugins|enable-exec|enable-star|network|enable_kyaml|allow-id-changes|as-current-user|helm-command|network-name)$/;

function readOptions(text: string, key: string, problems: string[]): KustomizeBuildOptions {
  const words = text.split(/\s+/).filter((word) => word !== '');
  let enableHelm = false;
  let loadRestriction: KustomizeBuildOptions['loadRestriction'] = 'root';
  let reorder: KustomizeBuildOptions['reorder'];
  while (words.length > 0) {
    const [flag = '', given] = splitFlag(words.shift() ?? '');
    const value = () => given ?? words.shift() ?? '';
    if (flag === '--enable-helm') enableHelm = given !== 'false';
    else if (flag === '--load-restrictor')
      loadRestriction = /none$/i.test(value()) ? 'none' : 'root';
    else if (flag === '--reorder') reorder = value() === 'legacy' ? 'legacy' : 'none';
    else if (!WITHOUT_EFFECT.test(flag)) problems.push(`argocd-cm, ${key}: ${flag} is not known`);
    else if (given === undefined && words[0]?.startsWith('-') === false) words.shift();
  }
  return { enableHelm, loadRestriction, ...(reorder === undefined ? {} : { reorder }) };
}

/** Old versions wrote `_` in names of flags. */
function splitFlag(word: string): readonly [flag: string, value?: string] {
  const [name = '', ...rest] = word.split('=');
  const flag = name === '--load_restrictor' ? '--load-restrictor' : name;
  return rest.length === 0 ? [flag] : [flag, rest.join('=')];
}

/** As in the original any host; never this machine, its network's link-local addresses or `file:`. */
const REMOTE = { schemes: ['https', 'http', 'ssh', 'oci'], hosts: ['*'] };

/** How a source is built: by the options of the version that it names. Throws for a version that is not registered. */
export function kustomizeOptions(
  { version, kubeVersion, apiVersions }: KustomizeSource,
  { options, versions }: KustomizeSettings,
  field: string,
): Pick<KustomizeOptions, 'charts' | 'loadRestriction' | 'remote' | 'reorder'> {
  const chosen = version ? versions.get(version) : options;
  if (chosen === undefined) {
    throw new CapstanError(
      'SOURCE_UNSUPPORTED',
      `${field}.version: kustomize version ${version} is not registered`,
      {
        hint: `leave it out: all versions are built by one kustomize; or register kustomize.version.${version} in argocd-cm`,
      },
    );
  }
  const { enableHelm, loadRestriction, reorder } = chosen;
  const charts = {
    ...(kubeVersion ? { kubeVersion: plainVersion(kubeVersion) } : {}),
    ...(apiVersions === undefined ? {} : { apiVersions }),
  };
  return {
    remote: REMOTE,
    ...(loadRestriction === 'none' ? { loadRestriction } : {}),
    ...(reorder === undefined ? {} : { reorder }),
    ...(enableHelm ? { charts } : {}),
  };
}
