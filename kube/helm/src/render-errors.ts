import { ExecError } from '@capstan/lib-gotemplate';
import type { HelmFlavor } from './capabilities.ts';
import { ChartError } from './chart-error.ts';
import { warningIn } from './helm-functions.ts';

/** The error of a template that does not parse, as helm words it. */
export function parseError(fileName: string, error: Error): ChartError {
  const tokens = error.message.split(': ');
  const text =
    tokens.length === 1
      ? `parse error in (${fileName}): ${error.message}`
      : `parse error at (${tokens[1]}): ${tokens.at(-1)}`;
  return new ChartError('CHART_TEMPLATE', text, error);
}

/**
 * The error of a template that failed, as helm words it: what `required` and `fail` say stands alone; a chain of includes
 * is shown a step a line (Helm 4); anything else is left as Go says it.
 */
export function executionError(error: Error, flavor: HelmFlavor): ChartError {
  const { message } = error;
  if (!(error instanceof ExecError)) return new ChartError('CHART_TEMPLATE', message, error);
  const [, location, rest] = splitThree(message);
  if (rest === undefined) {
    return new ChartError(
      'CHART_TEMPLATE',
      `execution error in (${location ?? ''}): ${message}`,
      error,
    );
  }
  const warning = warningIn(rest);
  if (warning !== undefined) {
    return new ChartError('CHART_TEMPLATE', `execution error at (${location}): ${warning}`, error);
  }
  const steps = flavor === 4 ? traceOf(message) : null;
  return new ChartError('CHART_TEMPLATE', steps ?? message, error);
}

function splitThree(text: string): readonly [string, string | undefined, string | undefined] {
  const first = text.indexOf(': ');
  if (first < 0) return [text, undefined, undefined];
  const second = text.indexOf(': ', first + 2);
  if (second < 0) return [text.slice(0, first), text.slice(first + 2), undefined];
  return [text.slice(0, first), text.slice(first + 2, second), text.slice(second + 2)];
}

/** One step a level of the chain; null when a level is not an error of the template engine itself. */
function traceOf(message: string): string | null {
  const steps: string[] = [];
  for (const level of levelsOf(message)) {
    const step = stepOf(level);
    if (step === null) return null;
    if (step !== steps.at(-1)) steps.push(step);
  }
  return steps.join('').trim();
}

function levelsOf(message: string): readonly string[] {
  return message.split(/(?<= )(?=template: )/).map((level) => level.trimEnd());
}

function stepOf(level: string): string | null {
  if (!level.startsWith('template: ')) return null;
  const rest = level.slice('template: '.length);
  if (rest.startsWith('no template ')) return `${level}\n`;
  const located = /^(.*?): executing ("(?:[^"\\]|\\.)*") at <(.*?)>: (.*)$/s.exec(rest);
  if (located === null) {
    const colon = rest.lastIndexOf(': ');
    return colon < 0 ? null : `${rest.slice(0, colon)}\n  ${rest.slice(colon + 2)}\n`;
  }
  const [, location, name, place, text = ''] = located;
  // A function's own error ends the chain: Go can say no more of it than its text.
  if (/^error calling [^:]+: ./s.test(text)) return null;
  return `${location}\n  executing ${name} at <${place}>:\n    ${text}\n`;
}
