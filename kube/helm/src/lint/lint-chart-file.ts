import { joinPath } from '@capstan/lib-files';
import {
  parseConstraint,
  parseStrictVersion,
  parseVersion,
  validateConstraint,
} from '@capstan/lib-semver';
import { messageOf } from '@capstan/lib-std';
import { parseDocuments, parseYaml } from '@capstan/lib-yaml';
import type { HelmFlavor } from '../capabilities.ts';
import type { ChartMetadata, Maintainer } from '../chart.ts';
import { NO_METADATA, parseMetadata } from '../parse-metadata.ts';
import type { ChartPlace, Note } from './lint-chart.ts';

const FILE = 'Chart.yaml';

/** The rules about Chart.yaml. */
export function lintChartFile({ tree, path }: ChartPlace, flavor: HelmFlavor, note: Note): void {
  const at = joinPath(path, FILE);
  const isFolder = tree.stat(at)?.kind === 'directory';
  note('ERROR', FILE, isFolder ? 'should be a file, not a directory' : undefined);
  const text = new TextDecoder().decode(tree.readFile(at));
  const metadata = readMetadata(text, note);
  if (metadata === undefined) return;
  if (flavor === 4) note('WARNING', FILE, strictProblem(text));
  note('ERROR', FILE, nameProblem(metadata));
  note('ERROR', FILE, apiVersionProblem(metadata));
  note('ERROR', FILE, typeProblem(text, 'version'));
  note('ERROR', FILE, versionProblem(metadata));
  note('ERROR', FILE, typeProblem(text, 'appVersion'));
  note('ERROR', FILE, firstOf(metadata.maintainers.map(maintainerProblem)));
  note('ERROR', FILE, sourceProblem(metadata));
  note('INFO', FILE, metadata.icon === '' ? 'icon is recommended' : undefined);
  const badIcon = metadata.icon !== '' && !isRequestUrl(metadata.icon);
  note('ERROR', FILE, badIcon ? `invalid icon URL '${metadata.icon}'` : undefined);
  note('ERROR', FILE, onlyV2(metadata));
  note('ERROR', FILE, dependenciesProblem(metadata));
  if (flavor === 4) note('WARNING', FILE, strictVersionProblem(metadata));
}

function readMetadata(text: string, note: Note): ChartMetadata | undefined {
  try {
    return parseMetadata(text, FILE, NO_METADATA);
  } catch (error) {
    const reason = messageOf(error).replace(`cannot load ${FILE}: `, '');
    note('ERROR', FILE, `unable to parse YAML\n\t${reason}`);
    return undefined;
  }
}

const FIELDS = new Set<string>([...Object.keys(NO_METADATA)]);
const INNER: Readonly<Record<string, ReadonlySet<string>>> = {
  maintainers: new Set(['name', 'email', 'url']),
  dependencies: new Set([
    'name',
    'version',
    'repository',
    'condition',
    'tags',
    'enabled',
    'import-values',
    'alias',
  ]),
};

/** The first field, in the order of names, that Chart.yaml does not have. */
function strictProblem(text: string): string | undefined {
  const value: unknown = parseYaml(text);
  if (!isDict(value)) return undefined;
  const twice = repeatedKeys(text);
  if (twice.length > 0) {
    return `failed to strictly parse chart metadata file\n\terror converting YAML to JSON: yaml: unmarshal errors:\n${twice.join('\n')}`;
  }
  const unknown = Object.keys(value)
    .sort()
    .flatMap((key) => {
      if (!FIELDS.has(key)) return [key];
      const inner = value[key];
      const known = INNER[key];
      if (known === undefined || !Array.isArray(inner)) return [];
      return inner.filter(isDict).flatMap((item) =>
        Object.keys(item)
          .sort()
          .filter((name) => !known.has(name)),
      );
    })[0];
  return unknown === undefined
    ? undefined
    : `failed to strictly parse chart metadata file\n\terror unmarshaling JSON: while decoding JSON: json: unknown field ${JSON.stringify(unknown)}`;
}

function repeatedKeys(text: string): readonly string[] {
  const seen = new Set<string>();
  const keys = (parseDocuments(text)[0]?.content[0]?.content ?? []).filter((_, i) => i % 2 === 0);
  return keys.flatMap(({ value, line }) => {
    if (!seen.has(value)) {
      seen.add(value);
      return [];
    }
    return [`  line ${line}: key ${JSON.stringify(value)} already set in map`];
  });
}

/** A field that is read as text, but was not written as one. */
function typeProblem(text: string, field: string): string | undefined {
  const dict: unknown = parseYaml(text);
  if (!isDict(dict) || !Object.hasOwn(dict, field)) return undefined;
  const value = dict[field];
  if (typeof value === 'string') return undefined;
  const type = typeof value === 'boolean' ? 'bool' : value === null ? '<nil>' : 'float64';
  return `${field} should be of type string but it's of type ${type}`;
}

function isDict(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function firstOf(problems: readonly (string | undefined)[]): string | undefined {
  return problems.find((problem) => problem !== undefined);
}

function nameProblem({ name }: ChartMetadata): string | undefined {
  if (name === '') return 'name is required';
  const base = name.replace(/\/+$/, '').split('/').at(-1);
  return base === name ? undefined : `chart name ${JSON.stringify(name)} is invalid`;
}

function apiVersionProblem({ apiVersion }: ChartMetadata): string | undefined {
  const either = 'The value must be either "v1" or "v2"';
  if (apiVersion === '') return `apiVersion is required. ${either}`;
  const known = apiVersion === 'v1' || apiVersion === 'v2';
  return known ? undefined : `apiVersion '${apiVersion}' is not valid. ${either}`;
}

function versionProblem({ version }: ChartMetadata): string | undefined {
  if (version === '') return 'version is required';
  try {
    const [problem] = validateConstraint(parseConstraint('>0.0.0-0'), parseVersion(version));
    return problem === undefined ? undefined : `version ${problem}`;
  } catch {
    return `version '${version}' is not a valid SemVer`;
  }
}

function strictVersionProblem({ version }: ChartMetadata): string | undefined {
  try {
    parseStrictVersion(version);
    return undefined;
  } catch {
    return `version '${version}' is not a valid SemVerV2`;
  }
}

function maintainerProblem({ name, email, url }: Maintainer): string | undefined {
  if (name === '') return 'each maintainer requires a name';
  if (email !== '' && !/^[^\s@,;:<>()[\]\\"]+@[^\s@.]+(\.[^\s@.]+)+$/.test(email)) {
    return `invalid email '${email}' for maintainer '${name}'`;
  }
  return url === '' || isUrl(url) ? undefined : `invalid url '${url}' for maintainer '${name}'`;
}

function sourceProblem({ sources }: ChartMetadata): string | undefined {
  const bad = sources.find((source) => source === '' || !isRequestUrl(source));
  return bad === undefined ? undefined : `invalid source URL '${bad}'`;
}

/** An absolute URL, as a request could name it. */
function isRequestUrl(text: string): boolean {
  return /^[A-Za-z][A-Za-z0-9+.-]*:\S*$/.test(text) && !/%(?![0-9A-Fa-f]{2})/.test(text);
}

/** A URL of a host; the scheme may be missing. */
function isUrl(text: string): boolean {
  return (
    /^((ftp|tcp|udp|wss?|https?):\/\/)?(\S+@)?([A-Za-z0-9-]+\.)+[A-Za-z0-9-]+(:\d{1,5})?([/?#]\S*)?$/.test(
      text,
    ) || /^((ftp|tcp|udp|wss?|https?):\/\/)?localhost(:\d{1,5})?([/?#]\S*)?$/.test(text)
  );
}

function onlyV2({ type, apiVersion }: ChartMetadata): string | undefined {
  if (type === '' || apiVersion === 'v2') return undefined;
  return `chart type is not valid in apiVersion '${apiVersion}'. It is valid in apiVersion 'v2'`;
}

function dependenciesProblem({ dependencies, apiVersion }: ChartMetadata): string | undefined {
  if (dependencies.length === 0 || apiVersion === 'v2') return undefined;
  return `dependencies are not valid in the Chart file with apiVersion '${apiVersion}'. They are valid in apiVersion 'v2'`;
}
