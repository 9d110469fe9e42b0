import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import {
  type Capabilities,
  type Chart,
  ChartError,
  defaultCapabilities,
  type Hook,
  missingDependencies,
  parseKubeVersion,
  type RenderedChart,
  type RenderOptions,
  releaseNameOf,
  renderChart,
  splitManifests,
  UnreadableManifestError,
  updateDependencies,
} from '@capstan/kube-helm';
import { kindAt } from '../chart-path.ts';
import { keepDependencies } from '../dependency/dependency.ts';
import { type ParsedFlags, parseFlags } from '../flags.ts';
import { helmFlavor } from '../helm-version.ts';
import { checkInstallable } from '../installable-chart.ts';
import type { Command, Io } from '../io.ts';
import { findChart, locateChart } from '../locate-chart.ts';
import { renderForCluster } from './cluster-render.ts';
import { clusterUse } from './cluster-use.ts';
import { postRendererOf } from './post-renderer.ts';
import { TEMPLATE_FLAGS, TEMPLATE_HELP } from './template-flags.ts';
import { mergeValueFlags } from './value-flags.ts';

/** `capstan template [NAME] CHART`, with the flags, output and errors of `helm template`. */
export const run: Command = async (args, io) => {
  const flags = parseFlags(args, TEMPLATE_FLAGS);
  if (flags.flag('help')) {
    io.out(TEMPLATE_HELP);
    return 0;
  }
  const flavor = helmFlavor(flags);
  const use = clusterUse(flags, flavor);
  const capabilities = capabilitiesOf(flags);
  const { name, chartPath } = nameAndChart(flags);
  const read = await findChart(chartPath, flags, io);
  const values = await mergeValueFlags(flags, io);
  const chart = await installable(read(), chartPath, { flags, io });
  const options: RenderOptions = {
    release: {
      name,
      namespace: flags.text('namespace') ?? io.env['HELM_NAMESPACE'] ?? 'default',
      isUpgrade: flags.flag('is-upgrade'),
    },
    capabilities,
    flavor,
    includeCrds: flags.flag('include-crds'),
    skipSchemaValidation: flags.flag('skip-schema-validation'),
    now: Date.now,
    warn: (message) => io.err(`${message}\n`),
    ...postRendererOf(flags, flavor, io),
  };
  const explain = (run: () => Promise<RenderedChart>): Promise<RenderedChart> =>
    renderOrExplain(run, { flags, io });
  const rendered =
    use === undefined
      ? await explain(async () => renderChart(chart, values, options))
      : await renderForCluster(chart, values, options, { use, flags, io, explain });
  print(rendered, flags, { io, name });
  return 0;
};

/** The chart, when it can be installed; its dependencies are fetched first when that is asked for. */
async function installable(
  chart: Chart,
  given: string,
  { flags, io }: { readonly flags: ParsedFlags; readonly io: Io },
): Promise<Chart> {
  const folder = resolve(io.cwd, given);
  const isLacking = missingDependencies(chart).length > 0;
  const isUpdated = isLacking && flags.flag('dependency-update') && kindAt(folder) === 'directory';
  if (isUpdated) await keepDependencies(folder, updateDependencies, { flags, io });
  const complete = isUpdated ? await locateChart(given, flags, io) : chart;
  checkInstallable(complete, helmFlavor(flags));
  return complete;
}

function nameAndChart(flags: ParsedFlags): { readonly name: string; readonly chartPath: string } {
  const [first, second, third] = flags.positionals;
  if (first === undefined) {
    throw new ChartError(
      'FLAGS',
      '"capstan template" requires at least 1 argument\n\nUsage:  capstan template [NAME] [CHART] [flags]',
    );
  }
  if (third !== undefined) {
    throw new ChartError(
      'FLAGS',
      `expected at most two arguments, unexpected arguments: ${flags.positionals.slice(2).join(', ')}`,
    );
  }
  if (second === undefined) {
    const template = flags.text('name-template') ?? '';
    return { name: template === '' ? 'release-name' : releaseNameOf(template), chartPath: first };
  }
  if (flags.flag('generate-name')) {
    throw new ChartError('FLAGS', 'cannot set --generate-name and also specify a name');
  }
  if (flags.text('name-template') !== undefined) {
    throw new ChartError('FLAGS', 'cannot set --name-template and also specify a name');
  }
  return { name: first, chartPath: second };
}

/** Errors of the rendering itself carry helm's last line too, as scripts look for it; --debug shows what was rendered. */
async function renderOrExplain(
  render: () => Promise<RenderedChart>,
  { flags, io }: { readonly flags: ParsedFlags; readonly io: Io },
): Promise<RenderedChart> {
  try {
    return await render();
  } catch (error) {
    const rendering = ['CHART_TEMPLATE', 'CHART_MANIFEST', 'CHART_KUBE_VERSION'];
    if (!(error instanceof ChartError) || !rendering.includes(error.code)) throw error;
    if (flags.flag('debug')) {
      const text = error instanceof UnreadableManifestError ? error.rendered.trim() : '';
      const only = flags.texts('show-only');
      io.out(only.length === 0 ? `${text}\n` : chosen(text, only, helmFlavor(flags), error));
      throw error;
    }
    const message = `${error.message}\n\nUse --debug flag to render out invalid YAML`;
    throw new ChartError(error.code, message, error);
  }
}

function capabilitiesOf(flags: ParsedFlags): Capabilities {
  const base = defaultCapabilities(helmFlavor(flags));
  const given = flags.text('kube-version');
  const parsed = given === undefined ? undefined : parseKubeVersion(given);
  if (parsed === null) {
    throw new ChartError(
      'FLAGS',
      `invalid kube version '${given}': could not parse ${JSON.stringify(given)} as version`,
    );
  }
  return {
    ...base,
    kubeVersion: parsed?.version ?? base.kubeVersion,
    apiVersions: [...base.apiVersions, ...flags.texts('api-versions')],
  };
}

interface Output {
  readonly io: Io;
  readonly name: string;
}

function print(rendered: RenderedChart, flags: ParsedFlags, output: Output): void {
  const hooks = flags.flag('no-hooks')
    ? []
    : rendered.hooks.filter((hook) => !isSkipped(hook, flags));
  const folder = flags.text('output-dir');
  if (folder !== undefined) {
    const root = flags.flag('release-name') ? join(folder, output.name) : folder;
    writeFiles(rendered, hooks, resolve(output.io.cwd, root), { io: output.io, shown: root });
    return;
  }
  const text = `${rendered.yaml.trim()}\n${hooks.map(hookText).join('')}`;
  const only = flags.texts('show-only');
  output.io.out(only.length === 0 ? text : chosen(text, only, helmFlavor(flags)));
}

function isSkipped(hook: Hook, flags: ParsedFlags): boolean {
  return flags.flag('skip-tests') && hook.events.includes('test');
}

function hookText({ path, content }: Hook): string {
  return `---\n# Source: ${path}\n${content}\n`;
}

/** The documents of the named templates, in the order in which they were named. */
function chosen(
  text: string,
  names: readonly string[],
  flavor: 3 | 4,
  renderError?: Error,
): string {
  const documents = splitManifests(text, flavor);
  return names
    .map((name) => {
      const found = documents.filter((document) => {
        const source = /# Source: [^/]+\/(.+)/.exec(document)?.[1];
        return source !== undefined && matches(name, source);
      });
      if (found.length === 0)
        throw renderError ?? new ChartError('FLAGS', `could not find template ${name} in chart`);
      return found.map((document) => `---\n${document}\n`).join('');
    })
    .join('');
}

function matches(pattern: string, name: string): boolean {
  const source = pattern
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll('*', '[^/]*')
    .replaceAll('?', '[^/]');
  return new RegExp(`^${source}$`).test(name);
}

function writeFiles(
  rendered: RenderedChart,
  hooks: readonly Hook[],
  root: string,
  { io, shown }: { readonly io: Io; readonly shown: string },
): void {
  const written = new Map<string, string>();
  const crds = rendered.crds.map(({ fileName, data }) => ({
    path: fileName,
    content: new TextDecoder().decode(data),
  }));
  for (const { path, content } of [...crds, ...rendered.manifests, ...hooks]) {
    written.set(path, `${written.get(path) ?? ''}---\n# Source: ${path}\n${content}\n`);
    io.out(`wrote ${shown}/${path}\n`);
  }
  for (const [path, content] of written) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), content);
  }
}
