import type { Json, JsonObject } from '@capstan/kube-object';
import { toYaml } from '@capstan/lib-yaml';
import type { Chart, ChartDependency, ChartFile, ChartMetadata, Values } from '../chart.ts';
import { type PlainValue, plainValue } from '../plain-value.ts';

const NO_TIME = '0001-01-01T00:00:00Z';

/** A chart as release records hold it: what Go writes of chart/v2's Chart, subcharts left out. */
export function chartToRecord(chart: Chart): JsonObject {
  const { metadata, lock, schema } = chart;
  return {
    metadata: metadataRecord(metadata),
    lock:
      lock === null
        ? null
        : {
            generated: lock.generated === '' ? NO_TIME : lock.generated,
            digest: lock.digest,
            dependencies: lock.dependencies.map(dependencyRecord),
          },
    templates: chart.templates.map(fileRecord),
    values: valuesToJson(chart.values),
    schema: schema === null ? null : Buffer.from(schema).toString('base64'),
    schemamodtime: NO_TIME,
    files: chart.files.map(fileRecord),
  };
}

/** Chart.yaml as helm prints it: fields in the order of their names. */
export function chartYaml(metadata: ChartMetadata): string {
  return toYaml(metadataRecord(metadata));
}

/** Values as JSON holds them; a null stays. */
export function valuesToJson(values: Values): JsonObject {
  const plain = plainValue(values);
  return isPlainDict(plain) ? plain : {};
}

/** The default values of a recorded chart. */
export function recordedDefaults(chart: JsonObject): Values {
  const values = chart['values'];
  return isDict(values) ? (structuredClone(values) as Values) : {};
}

/** A field of the recorded Chart.yaml; '' when it is not there. */
export function recordedMetadata(chart: JsonObject, field: string): string {
  const metadata = chart['metadata'];
  const value = isDict(metadata) ? metadata[field] : undefined;
  return typeof value === 'string' ? value : '';
}

function isDict(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isPlainDict(value: PlainValue): value is { [key: string]: PlainValue } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function fileRecord({ name, data }: ChartFile): JsonObject {
  return { name, data: Buffer.from(data).toString('base64') };
}

function metadataRecord(metadata: ChartMetadata): JsonObject {
  const { maintainers, dependencies, annotations, ...plain } = metadata;
  return withoutEmpty({
    ...plain,
    maintainers: maintainers.map((maintainer) => withoutEmpty({ ...maintainer })),
    dependencies: dependencies.map(dependencyRecord),
    annotations: annotations ?? {},
  });
}

function dependencyRecord(dependency: ChartDependency): JsonObject {
  const { name, repository, importValues, ...rest } = dependency;
  return { name, repository, ...withoutEmpty({ ...rest, 'import-values': importValues }) };
}

function withoutEmpty(fields: JsonObject): JsonObject {
  return Object.fromEntries(
    Object.entries(fields).filter(([, value]) => {
      if (value === '' || value === false) return false;
      if (Array.isArray(value)) return value.length > 0;
      return !isDict(value) || Object.keys(value).length > 0;
    }),
  );
}
