import type { ApplicationSet, GitGenerator } from '@capstan/argocd-api';
import type { FileTree } from '@capstan/lib-files';
import { strings } from '@capstan/lib-gotemplate';
import { CapstanError, messageOf } from '@capstan/lib-std';
import { parseYaml } from '@capstan/lib-yaml';
import { appendValues } from './append-values.ts';
import {
  compilePathMatch,
  globFiles,
  listFiles,
  listFolders,
  readRepositoryFile,
} from './git-paths.ts';
import { cannotUnmarshal, isRecord } from './json.ts';
import { sanitizeName } from './names.ts';
import type { Surroundings } from './observation.ts';
import { flattenParameters, type Parameters, toGoValue } from './parameters.ts';
import type { TextRenderer } from './text-renderer.ts';
import { within, withinAsync } from './wrap-error.ts';

/**
 * A set of parameters for each folder, or each object in each file, that the generator names in a Git repository or in an
 * artifact of a registry.
 */
export async function generateFromFiles(
  kind: 'git' | 'oci',
  generator: GitGenerator,
  options: {
    readonly applicationSet: ApplicationSet;
    readonly surroundings: Surroundings;
    readonly renderer: TextRenderer;
  },
): Promise<readonly Parameters[]> {
  const { surroundings, renderer } = options;
  const project = projectOf(options.applicationSet, kind, surroundings);
  const { repoURL: url, revision = '', directories = [], files = [] } = generator;
  if (directories.length === 0 && files.length === 0) throw emptyGenerator(kind);
  const what = kind === 'git' ? 'Git' : 'OCI';
  const trouble =
    directories.length > 0
      ? `error getting directories from ${kind}: error retrieving ${what} directories`
      : `error retrieving ${what} files`;
  return withinAsync(`error generating params from ${kind}`, async () => {
    const tree = await withinAsync(trouble, () =>
      surroundings.readRepository({ url, revision, project, kind }),
    );
    if (directories.length > 0) {
      const folders = listFolders(tree, { hidden: surroundings.hiddenFolders === true });
      return fromFolders(generator, folders, renderer);
    }
    const isSpanning = kind === 'oci' || surroundings.spansFolders === true;
    return fromFiles(generator, tree, { renderer, list: isSpanning ? globFiles : listFiles });
  });
}

export function emptyGenerator(kind: string): CapstanError {
  return new CapstanError('SPEC_INVALID', 'ApplicationSet is empty', {
    hint: `give the ${kind} generator directories or files, with at least one path`,
  });
}

/** The project whose credentials are used, and whose demands on commits count; '' when it depends on parameters. */
function projectOf(
  { spec }: ApplicationSet,
  kind: 'git' | 'oci',
  surroundings: Surroundings,
): string {
  const templated = spec.template.spec?.['project'];
  const name = typeof templated === 'string' ? templated : '';
  if (name.includes('{{')) return '';
  if (kind === 'git' && surroundings.project(name) === undefined) {
    throw new CapstanError(
      'PROJECT_MISSING',
      `error getting project ${name}: appprojects.argoproj.io ${JSON.stringify(name)} not found`,
      { hint: 'create the AppProject, or name another one in spec.template.spec.project' },
    );
  }
  return name;
}

function fromFolders(
  generator: GitGenerator,
  folders: readonly string[],
  renderer: TextRenderer,
): readonly Parameters[] {
  const rules = (generator.directories ?? []).map(({ path, exclude }) => ({
    matches: compilePathMatch(path),
    exclude: exclude === true,
  }));
  const wanted = folders.filter((path) => {
    const applying = rules.filter(({ matches }) => matches(path));
    return applying.length > 0 && applying.every(({ exclude }) => !exclude);
  });
  return wanted.map((path) =>
    within('error generating params from apps: failed to append templated values', () =>
      appendValues(
        pathParameters({ path }, generator.pathParamPrefix ?? '', renderer),
        generator.values,
        renderer,
      ),
    ),
  );
}

function fromFiles(
  generator: GitGenerator,
  tree: FileTree,
  { renderer, list }: { readonly renderer: TextRenderer; readonly list: typeof listFiles },
): readonly Parameters[] {
  const paths = new Set<string>();
  const items = generator.files ?? [];
  for (const { path, exclude } of items)
    if (exclude !== true) for (const file of list(tree, path)) paths.add(file);
  for (const { path, exclude } of items)
    if (exclude === true) for (const file of list(tree, path)) paths.delete(file);
  return [...paths]
    .sort()
    .flatMap((path) =>
      within(`unable to process file '${path}' from repository '${generator.repoURL}'`, () =>
        readObjects(readRepositoryFile(tree, path)).map((object) =>
          fileParameters(object, { path, generator, renderer }),
        ),
      ),
    );
}

/** One object, or a list of objects; an empty file is an empty object. */
function readObjects(text: string): readonly Parameters[] {
  let value: ReturnType<typeof parseYaml>;
  try {
    value = parseYaml(text, { numbers: 'float64' });
  } catch (error) {
    throw unreadable(messageOf(error));
  }
  if (value === null) return [{}];
  const list = Array.isArray(value) ? value : [value];
  return list.map((item) => {
    if (item === null) return {};
    if (isRecord(item))
      return Object.fromEntries(Object.entries(item).map(([key, one]) => [key, toGoValue(one)]));
    const type = Array.isArray(value) ? 'map[string]interface {}' : '[]map[string]interface {}';
    throw unreadable(cannotUnmarshal(item, type));
  });
}

function unreadable(message: string): CapstanError {
  return new CapstanError('FILE_INVALID', `unable to parse file: ${message}`, {
    hint: 'write one object of parameters, or a list of them, as YAML or JSON',
  });
}

function fileParameters(
  object: Parameters,
  {
    path,
    generator,
    renderer,
  }: { readonly path: string; readonly generator: GitGenerator; readonly renderer: TextRenderer },
): Parameters {
  const slash = path.lastIndexOf('/');
  const place = { path: slash < 0 ? '.' : path.slice(0, slash), filename: path.slice(slash + 1) };
  const found = renderer.isGoTemplate ? object : Object.fromEntries(flattenParameters(object));
  const own = pathParameters(place, generator.pathParamPrefix ?? '', renderer);
  return within('failed to append templated values', () =>
    appendValues({ ...found, ...own }, generator.values, renderer),
  );
}

function pathParameters(
  { path, filename }: { readonly path: string; readonly filename?: string },
  prefix: string,
  { isGoTemplate }: TextRenderer,
): Parameters {
  const basename = path.slice(path.lastIndexOf('/') + 1);
  const parts: Parameters = { basename, basenameNormalized: sanitizeName(basename) };
  if (filename !== undefined) {
    parts['filename'] = filename;
    parts['filenameNormalized'] = sanitizeName(filename);
  }
  const segments = path.split('/');
  if (isGoTemplate) {
    const value = { path, ...parts, segments: strings(segments) };
    return prefix === '' ? { path: value } : { [prefix]: { path: value } };
  }
  const name = prefix === '' ? 'path' : `${prefix}.path`;
  const params: Parameters = { [name]: path };
  for (const [key, value] of Object.entries(parts)) params[`${name}.${key}`] = value;
  segments.forEach((segment, index) => {
    if (segment !== '') params[`${name}[${index}]`] = segment;
  });
  return params;
}
