import type { GoValue } from '@capstan/lib-gotemplate';
import type { Chart, Values } from './chart.ts';
import { ChartError } from './chart-error.ts';
import { formatSchemaErrors } from './json-schema/schema-error.ts';
import { type JsonSchema, SchemaFault, validateSchema } from './json-schema/validate.ts';
import { plainValue } from './plain-value.ts';
import { isTable } from './values.ts';

/** Throws when the values break the values.schema.json of the chart or of one of its subcharts; names each place. */
export function validateValues(chart: Chart, values: Values): void {
  const text = failuresOf(chart, values);
  if (text === '') return;
  throw new ChartError(
    'CHART_SCHEMA',
    `values don't meet the specifications of the schema(s) in the following chart(s):\n${text}`,
  );
}

function failuresOf(chart: Chart, values: Values): string {
  const name = chart.metadata.name;
  let text = chart.schema === null ? '' : failuresOfOne(name, chart.schema, values);
  for (const child of chart.dependencies) {
    const given: GoValue = values[child.metadata.name];
    if (given === undefined || given === null) continue;
    if (isTable(given)) text += failuresOf(child, given);
    else
      text += `${child.metadata.name}:\ninvalid type for values: expected object (map), got ${typeof given}\n`;
  }
  return text;
}

function failuresOfOne(name: string, schemaBytes: Uint8Array, values: Values): string {
  const text = schemaProblem(schemaBytes, values);
  if (text === '') return '';
  return `${name}:\n${text}${text.startsWith('unable') || text.startsWith('-') ? '\n' : ''}`;
}

/** What the values break of one schema, as text of several lines; '' when they meet it. */
export function schemaProblem(schemaBytes: Uint8Array, values: Values): string {
  let schema: JsonSchema;
  try {
    schema = JSON.parse(new TextDecoder().decode(schemaBytes));
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
  try {
    const errors = validateSchema(schema, plainValue(values));
    return errors.length === 0 ? '' : formatSchemaErrors(errors);
  } catch (error) {
    if (error instanceof SchemaFault) return `unable to validate schema: ${error.message}`;
    throw error;
  }
}
