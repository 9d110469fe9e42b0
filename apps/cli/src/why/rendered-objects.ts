import { readFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import {
  defaultCapabilities,
  fieldOrigins,
  nearestOrigin,
  renderChart,
  type ValuesLayer,
} from '@capstan/kube-helm';
import { build } from '@capstan/kube-kustomize';
import type { KubeObject } from '@capstan/kube-object';
import { diskTree } from '@capstan/lib-files/disk';
import { CapstanError } from '@capstan/lib-std';
import { parseYaml } from '@capstan/lib-yaml';
import type { ParsedFlags } from '../flags.ts';
import type { Io } from '../io.ts';
import { locateChart } from '../locate-chart.ts';
import { mergeValueFlags } from '../template/value-flags.ts';
import type { FieldSource, SourceObject } from './source-object.ts';

/** The objects of a kustomization, and the lines of resources, patches and statements that made their fields. */
export function readKustomization(root: string): readonly SourceObject[] {
  const result = build(diskTree('/'), root, {
    wholeFileSystem: true,
    loadRestrictor: 'none',
    now: Date.now,
    workingDirectory: root,
  });
  if (result.kind === 'failed') throw result.error;
  if (result.kind === 'pending') {
    throw new CapstanError('BUILD_REMOTE', `${root} needs content from elsewhere`, {
      hint: 'run the command in a folder whose resources are all local',
    });
  }
  return result.objects.map((object, index) => ({
    object,
    sourcesOf: (path): readonly FieldSource[] => {
      const origin = result.origins.ofField(index, path);
      if (origin === undefined) return [];
      const file = relative(root, resolve('/', origin.file));
      const { statement, line = 1 } = origin;
      return [{ file, line, ...(statement === undefined ? {} : { role: statement }) }];
    },
  }));
}

/** The objects of a chart, the template lines that printed their fields, and the values that these lines name. */
export async function readChart(
  root: string,
  flags: ParsedFlags,
  io: Io,
): Promise<readonly SourceObject[]> {
  const chart = await locateChart(root, flags, io);
  const values = await mergeValueFlags(flags, io);
  const rendered = renderChart(chart, values, {
    release: {
      name: flags.text('release') ?? 'release-name',
      namespace: flags.text('namespace') ?? 'default',
      isUpgrade: false,
    },
    capabilities: defaultCapabilities(),
    flavor: 4,
    includeCrds: false,
    skipSchemaValidation: true,
    now: Date.now,
    warn: () => undefined,
  });
  const layers = flags
    .texts('values')
    .flatMap((item) => item.split(','))
    .map((name): ValuesLayer => ({ name, text: readFileSync(resolve(io.cwd, name), 'utf8') }));
  return rendered.manifests.flatMap((manifest) => {
    const object = parseYaml(manifest.content) as unknown as KubeObject | null;
    if (object === null) return [];
    const sourcesOf = (path: readonly (string | number)[]): readonly FieldSource[] => {
      const origin = nearestOrigin(fieldOrigins(manifest, chart, layers), path);
      if (origin === undefined) return [];
      const inChart = (file: string) => file.split('/').slice(1).join('/');
      return [
        { file: inChart(origin.template), line: origin.line, role: 'template' },
        ...origin.values.flatMap((value): readonly FieldSource[] => {
          if (value.file === undefined) return [];
          const file = value.isDefault
            ? inChart(`/${value.file}`.replace(/^\/+/, `${chart.metadata.name}/`))
            : relative(root, resolve(io.cwd, value.file));
          const role = `value ${value.path}${value.isDefault ? ' (default)' : ''}`;
          return [{ file, line: value.line, role }];
        }),
      ];
    };
    return [{ object, sourcesOf }];
  });
}

export function pathOf(root: string, { file }: FieldSource): string {
  return join(root, file);
}
