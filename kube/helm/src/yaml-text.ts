import { messageOf } from '@capstan/lib-std';
import { decodeYamlText } from '@capstan/lib-yaml';
import { ChartError } from './chart-error.ts';

/** The text of a YAML file of a chart. What is no text is an error in the original's words. */
export function yamlText(octets: Uint8Array): string {
  try {
    return decodeYamlText(octets);
  } catch (error) {
    const reason = `error converting YAML to JSON: ${messageOf(error)}`;
    throw new ChartError('CHART_YAML', reason, error);
  }
}
