import { messageOf } from '@capstan/lib-std';
import { Accumulator } from './accumulator.ts';
import { LOCAL_CONFIG, ORIGIN } from './annotations.ts';
import type { ParsedKustomization } from './cache.ts';
import type { BuildContext } from './context.ts';
import { crdConfig } from './crds.ts';
import { BuildFailure, failure, within, withPrefix } from './failure.ts';
import {
  decodeKustomization,
  deprecationWarnings,
  isEmptyKustomization,
  type Kustomization,
  kindProblems,
  modernize,
} from './kustomization.ts';
import type { LoadedFile, Loader } from './loader.ts';
import { fixNameReferences } from './name-references.ts';
import {
  addTransformation,
  appendOrigin,
  joinOrigin,
  NO_ORIGIN,
  type Origin,
  originText,
} from './origin-annotations.ts';
import { addHashes, loadPlugin, type Plugin } from './plugins.ts';
import { requireMetadata, resourcesFromFile, resourcesFromText } from './read-resources.ts';
import { idKey } from './res-id.ts';
import type { Resource } from './resource.ts';
import { ResourceSet } from './resource-set.ts';
import { builtinGenerators, builtinTransformers } from './statements.ts';
import { mergeConfigs, parseConfig, type TransformerConfig } from './transformer-config.ts';
import { decodeText } from './utf8.ts';
import { validateWith } from './validators.ts';
import { inVars, markVarSources, readVar, resolveVars } from './vars.ts';
import { yamlValue } from './yaml-value.ts';

const FILE_NAMES = ['kustomization.yaml', 'kustomization.yml', 'Kustomization'] as const;

/** One kustomization file in its folder, and what it inherits from those that refer to it. */
export class Target {
  readonly loader: Loader;
  readonly kustomization: Kustomization;
  readonly fileName: string;
  /** The kustomization file's path in its tree, for origins. */
  readonly filePath: string;
  /** The metadata of the outermost kustomization, in force for all. */
  readonly buildMetadata: readonly string[];
  /** Where this kustomization is, when `buildMetadata` asks that it be told. */
  readonly origin: Origin | undefined;
  /** The namespace that charts get unless the kustomization has one. */
  readonly helmNamespace: string;

  constructor(
    loader: Loader,
    inherited?: {
      readonly buildMetadata: readonly string[];
      readonly origin: Origin | undefined;
      readonly helmNamespace: string;
    },
  ) {
    this.loader = loader;
    const { file, name } = findFile(loader);
    this.fileName = name;
    this.filePath = file.path;
    this.kustomization = readKustomization(loader, file);
    this.buildMetadata = inherited?.buildMetadata ?? this.kustomization.buildMetadata ?? [];
    this.helmNamespace = inherited?.helmNamespace ?? '';
    this.origin =
      inherited === undefined
        ? this.buildMetadata.length > 0
          ? NO_ORIGIN
          : undefined
        : inherited.origin;
  }

  /** The origin of what this kustomization file configures. */
  configuredHere(kind: string): Origin | undefined {
    if (this.origin === undefined) return undefined;
    const { path, repo, ref } = this.origin;
    return {
      ...NO_ORIGIN,
      repo,
      ref,
      configuredIn: joinOrigin(path, this.fileName),
      configuredBy: { apiVersion: 'builtin', kind, name: '', namespace: '' },
    };
  }
}

function findFile(loader: Loader): { file: LoadedFile; name: string } {
  const found: { file: LoadedFile; name: string }[] = [];
  for (const name of FILE_NAMES) {
    if (loader.lacks(name)) continue;
    try {
      found.push({ file: loader.load(name), name });
    } catch (error) {
      if (!(error instanceof BuildFailure) || error.facts.timeout === true) throw error;
      if (error.message.includes('limit is')) throw error;
    }
  }
  const first = found[0];
  if (first === undefined) {
    throw failure(
      `unable to find one of 'kustomization.yaml', 'kustomization.yml' or 'Kustomization' in directory '${loader.root}'`,
    );
  }
  if (found.length > 1) {
    throw failure(`Found multiple kustomization files under: ${loader.root}\n`);
  }
  return first;
}

function readKustomization(loader: Loader, file: LoadedFile): Kustomization {
  const { cache } = loader.context;
  let parsed = cache.kustomizations.get(file.id);
  if (parsed === undefined) {
    parsed = parseKustomization(loader.context, file);
    cache.kustomizations.set(file.id, parsed);
  }
  for (const warning of parsed.warnings) loader.context.warn(warning, 'KUSTOMIZE_DEPRECATED');
  const { kustomization } = parsed;
  if (isEmptyKustomization(kustomization)) throw failure('kustomization.yaml is empty');
  const problems = kindProblems(kustomization);
  if (problems.length > 0) {
    throw failure(
      `Failed to read kustomization file under ${loader.root}:\n${problems.join('\n')}`,
    );
  }
  return kustomization;
}

function parseKustomization(context: BuildContext, file: LoadedFile): ParsedKustomization {
  try {
    const value = yamlValue(decodeText(file.bytes), {
      limits: {
        depthMax: context.limits.yamlDepthMax,
        aliasNodesMax: context.limits.aliasNodesMax,
      },
    });
    const raw = decodeKustomization(value);
    return { kustomization: modernize(raw), warnings: deprecationWarnings(raw) };
  } catch (error) {
    const message = messageOf(error).replace(/^error converting YAML to JSON: /, '');
    throw failure(`invalid Kustomization: ${message}`);
  }
}

/** The resources that a kustomization makes, in every respect but their order. */
export function makeResources(target: Target): ResourceSet {
  const { context } = target.loader;
  chooseSchema(target, true);
  const gathered = accumulate(target, new Accumulator());
  const { resources, config } = gathered;
  addHashes(resources);
  fixNameReferences(resources, config, context);
  resolveVars(resources, gathered.vars, config, context);
  return dropLocal(resources);
}

function chooseSchema(target: Target, reset: boolean): void {
  const { loader, kustomization } = target;
  const field = kustomization.openapi ?? {};
  const path = field['path'];
  const schema = path === undefined ? undefined : decodeText(loader.load(path).bytes);
  loader.context.openApi.choose(field, schema, reset);
}

/** Leaves out what is only there to configure the build. */
function dropLocal(resources: ResourceSet): ResourceSet {
  const kept = new Set<string>();
  for (const resource of resources.list) {
    if (resource.isNilOrEmpty) continue;
    requireMetadata(resource.node!);
    const local = resource.annotation(LOCAL_CONFIG);
    if (local === undefined || local === 'false') kept.add(idKey(resource.curId));
  }
  return ResourceSet.ofDistinct(
    resources.list.filter((resource) => kept.has(idKey(resource.curId))),
  );
}

/** Runs one kustomization: resources, generators, components, transformers, validators, vars, in this order. */
function accumulate(target: Target, start: Accumulator): Accumulator {
  const { loader, kustomization } = target;
  const { context } = loader;
  let gathered = within(
    () => 'accumulating resources',
    () => addResources(target, start, kustomization.resources ?? []),
  );
  gathered.mergeConfig(configOf(target));
  const { crds: crdPaths = [] } = kustomization;
  const crds = within(
    () => `loading CRDs [${crdPaths.join(' ')}]`,
    () => crdConfig(loader, crdPaths),
  );
  if (crds !== undefined) gathered.mergeConfig(crds);
  runGenerators(target, gathered);
  gathered = within(
    () => 'accumulating components',
    () => addComponents(target, gathered, kustomization.components ?? []),
  );
  runTransformers(target, gathered);
  for (const plugin of loadPlugins(target, kustomization.validators ?? [], 'transformer')) {
    validateWith(gathered.resources, (resources) => {
      plugin.transformer!.transform(resources, context);
    });
  }
  mergeVars(target, gathered);
  context.countResources(gathered.resources.size);
  context.checkTime();
  return gathered;
}

function configOf({ loader, kustomization }: Target): TransformerConfig {
  let config = loader.context.cache.config;
  for (const path of kustomization.configurations ?? []) {
    config = mergeConfigs(config, parseConfig(decodeText(loader.load(path).bytes)));
  }
  return config;
}

function mergeVars(target: Target, gathered: Accumulator): void {
  const { vars = [] } = target.kustomization;
  if (vars.length === 0) return;
  const { sources } = target.loader.context;
  const read = vars.map((entry, i) =>
    readVar(entry, sources.statement(target.filePath, 'vars', i)),
  );
  try {
    markVarSources(read, gathered.resources);
    gathered.vars.add(read);
  } catch (error) {
    throw inVars(error, read);
  }
}

/** Adds what the entries mean: a file of resources, or else a folder or repository. */
function addResources(target: Target, start: Accumulator, paths: readonly string[]): Accumulator {
  for (const path of paths) {
    // A folder is not read as a file first, unless the message of that attempt is needed.
    const problem = target.loader.isFolder(path) ? undefined : tryFile(target, start, path);
    if (problem === 'none') continue;
    if (problem?.facts.http === true || problem?.facts.pending === true) throw problem;
    const asFile = () => (problem ?? folderProblem(target, path)).message;
    let loader: Loader;
    try {
      loader = target.loader.enter(path);
    } catch (error) {
      if (!(error instanceof BuildFailure)) throw error;
      if (problem?.facts.malformed === true && error.facts.timeout !== true) throw problem;
      throw withPrefix(error, `accumulation err='${asFile()}'`);
    }
    within(
      () => `accumulation err='${asFile()}'`,
      () => addFolder(target, { gathered: start, loader, path }),
    );
  }
  return start;
}

/** What reading a folder as a file would have said; saves the attempt. */
function folderProblem(target: Target, path: string): BuildFailure {
  try {
    target.loader.load(path);
  } catch (error) {
    if (error instanceof BuildFailure) {
      return failure(`accumulating resources from '${path}': ${error.message}`, error.facts);
    }
    throw error;
  }
  return failure(`accumulating resources from '${path}'`);
}

function tryFile(target: Target, gathered: Accumulator, path: string): BuildFailure | 'none' {
  const { loader, origin } = target;
  let found: ResourceSet;
  try {
    found = within(
      () => `accumulating resources from '${path}'`,
      () => new ResourceSet(resourcesFromFile(loader.context, loader.load(path), path)),
    );
    if (origin !== undefined) {
      const text = originText(appendOrigin(origin, path));
      for (const resource of found.list) setOrigin(resource, text);
    }
    within(
      () => `merging resources from '${path}'`,
      () => gathered.resources.appendAll(found),
    );
  } catch (error) {
    if (error instanceof BuildFailure) return error;
    throw error;
  }
  return 'none';
}

function setOrigin(resource: Resource, text: string): void {
  resource.setAnnotations((all) => all.set(ORIGIN, text));
}

function addComponents(target: Target, start: Accumulator, paths: readonly string[]): Accumulator {
  let gathered = start;
  for (const path of paths) {
    let loader: Loader;
    try {
      loader = target.loader.enter(path);
    } catch (error) {
      throw quoted(error, 'loader.New');
    }
    try {
      gathered = addFolder(target, { gathered, loader, path, isComponent: true });
    } catch (error) {
      throw quoted(error, 'accumulateDirectory:');
    }
  }
  return gathered;
}

function quoted(error: unknown, what: string): unknown {
  if (!(error instanceof BuildFailure)) return error;
  return failure(`${what} ${JSON.stringify(error.message)}`, error.facts);
}

interface Folder {
  readonly gathered: Accumulator;
  readonly loader: Loader;
  readonly path: string;
  readonly isComponent?: boolean;
}

/** A component works on what its parent has gathered; any other kustomization on its own, which is then added. */
function addFolder(parent: Target, { gathered, loader, path, isComponent }: Folder): Accumulator {
  const target = within(
    () => `couldn't make target for path '${loader.root}'`,
    () =>
      new Target(loader, {
        buildMetadata: parent.buildMetadata,
        origin: parent.origin && appendOrigin(parent.origin, path),
        helmNamespace: parent.kustomization.namespace || parent.helmNamespace,
      }),
  );
  chooseSchema(target, false);
  const { kind } = target.kustomization;
  if (isComponent === true && kind !== 'Component') {
    throw failure(`expected kind 'Component' for path '${loader.root}' but got '${kind}'`);
  }
  if (isComponent !== true && kind === 'Component') {
    throw failure(`expected kind != 'Component' for path '${loader.root}'`);
  }
  const inner = within(
    () => `recursed accumulation of path '${loader.root}'`,
    () => accumulate(target, isComponent === true ? gathered : new Accumulator()),
  );
  const result = isComponent === true ? new Accumulator() : gathered;
  result.absorb(inner, loader.root);
  return result;
}

function runGenerators(target: Target, gathered: Accumulator): void {
  const own = builtinGenerators(target);
  const external = within(
    () => 'loading generator plugins',
    () => loadPlugins(target, target.kustomization.generators ?? [], 'generator'),
  );
  for (const { generator, origin } of [...own, ...external]) {
    const made = generator!();
    if (origin !== undefined) {
      for (const resource of made.list) {
        if (resource.annotation(ORIGIN) === undefined) setOrigin(resource, originText(origin));
      }
    }
    within(
      () => 'merging from generator &{}',
      () => gathered.resources.absorbAll(made),
    );
  }
}

function runTransformers(target: Target, gathered: Accumulator): void {
  const { resources, config } = gathered;
  const all = [
    ...builtinTransformers(target, config),
    ...loadPlugins(target, target.kustomization.transformers ?? [], 'transformer'),
  ];
  for (const { transformer, origin } of all) {
    transformer!.transform(resources, target.loader.context);
    if (origin !== undefined) {
      for (const resource of resources.list) addTransformation(resource, origin);
    }
    resources.dropEmpties();
  }
}

/** The plugins that entries configure: each entry is YAML itself, a file, or a folder that makes configurations. */
function loadPlugins(
  target: Target,
  entries: readonly string[],
  kind: 'generator' | 'transformer',
): Plugin[] {
  if (entries.length === 0) return [];
  const gathered = new Accumulator();
  const paths: string[] = [];
  entries.forEach((entry, i) => {
    const inline = tryInline(target, entry, i);
    if (inline === undefined) paths.push(entry);
    else {
      within(
        () => `configuring external ${kind}`,
        () => gathered.resources.appendAll(inline),
      );
    }
  });
  const { resources } = addResources(target, gathered, paths);
  return resources.list.map((resource) => {
    const plugin = loadChecked(target, resource, kind);
    if (plugin[kind] === undefined) {
      const problem = `plugin ${pluginText(resource)} not a ${kind}`;
      throw failure(kind === 'generator' ? `failed to load generator: ${problem}` : problem);
    }
    return plugin;
  });
}

function loadChecked(
  target: Target,
  resource: Resource,
  kind: 'generator' | 'transformer',
): Plugin {
  try {
    return loadPlugin(target.loader, resource, resource.node?.file ?? 0);
  } catch (error) {
    throw kind === 'generator' ? withPrefix(error, 'failed to load generator') : error;
  }
}

function pluginText(resource: Resource): string {
  const { group, version, kind, name, namespace } = resource.orgId;
  return `${kind}.${version || '[noVer]'}.${group || '[noGrp]'}/${name}.${namespace || '[noNs]'}`;
}

function tryInline(target: Target, entry: string, index: number): ResourceSet | undefined {
  if (entry !== '' && !entry.includes(':')) return undefined;
  const { context } = target.loader;
  try {
    const file = context.sources.statement(target.filePath, 'inline plugin', index);
    const found = new ResourceSet(
      resourcesFromText(context, () => entry, { cacheKey: `inline ${entry}`, file }),
    );
    if (target.origin !== undefined) {
      const text = originText(appendOrigin(target.origin, target.fileName));
      for (const resource of found.list) setOrigin(resource, text);
    }
    return found;
  } catch (error) {
    if (error instanceof BuildFailure) return undefined;
    throw error;
  }
}
