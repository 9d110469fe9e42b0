import { GoError, sprigFunctions, TemplateLanguage, TemplateSet } from '@capstan/lib-gotemplate';
import { ChartError } from './chart-error.ts';

/** The name that a template makes of nothing but Sprig's functions (--name-template). */
export function releaseNameOf(template: string): string {
  const set = new TemplateSet(new TemplateLanguage(sprigFunctions()));
  try {
    set.parse('name-template', template);
    return set.execute('name-template', null, { now: Date.now });
  } catch (error) {
    if (!(error instanceof GoError)) throw error;
    throw new ChartError('FLAGS', error.message, error);
  }
}
