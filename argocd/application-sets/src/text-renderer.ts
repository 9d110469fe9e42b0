import {
  LimitError,
  type Limits,
  type MissingKey,
  renderText,
  type TemplateLanguage,
} from '@capstan/lib-gotemplate';
import { CapstanError, messageOf } from '@capstan/lib-std';
import type { Parameters } from './parameters.ts';

/** Fills in the texts of one ApplicationSet. */
export interface TextRenderer {
  readonly isGoTemplate: boolean;
  render(text: string, params: Parameters): string;
  /** The same, but a key that is missing is an error whatever the options say; undefined then. */
  renderKnown(text: string, params: Parameters): string | undefined;
}

export interface RendererOptions {
  readonly goTemplate: boolean;
  readonly goTemplateOptions: readonly string[];
  readonly language: TemplateLanguage;
  readonly now: () => number;
}

/** One text of a template; all texts of one generation may take `TOTAL_MS` together. */
const LIMITS: Partial<Limits> = { outputMax: 1024 * 1024, depthMax: 100, stepsMax: 1_000_000 };
const TEXT_MS = 2_000;
const TOTAL_MS = 20_000;

export function createTextRenderer(options: RendererOptions): TextRenderer {
  if (!options.goTemplate) {
    const render = (text: string, params: Parameters) => renderFast(text, params);
    return { isGoTemplate: false, render, renderKnown: render };
  }
  const missingKey = readMissingKey(options.goTemplateOptions);
  const budget = { leftMs: TOTAL_MS };
  const render = (text: string, params: Parameters, missing: MissingKey) => {
    if (!text.includes('{{')) return text;
    const startedMs = options.now();
    try {
      return renderGo(text, params, { ...options, missing, budget });
    } finally {
      budget.leftMs -= options.now() - startedMs;
    }
  };
  return {
    isGoTemplate: true,
    render: (text, params) => render(text, params, missingKey),
    renderKnown: (text, params) => {
      try {
        return render(text, params, 'error');
      } catch (error) {
        if (/map has no entry for key|can't evaluate field/.test(messageOf(error)))
          return undefined;
        throw error;
      }
    },
  };
}

/**
 * `{{ name }}` by valyala/fasttemplate as Argo CD calls it: a tag whose trimmed name is no parameter stays as it was, as
 * does a text without a complete tag on one line. A tag that is not closed is an error only beside a complete one.
 */
export function renderFast(text: string, params: Parameters): string {
  if (!/\{\{.*\}\}/.test(text)) return text;
  let result = '';
  let from = 0;
  for (;;) {
    const start = text.indexOf('{{', from);
    if (start < 0) return result + text.slice(from);
    const end = text.indexOf('}}', start + 2);
    if (end < 0) {
      throw new CapstanError(
        'TEMPLATE_INVALID',
        `invalid template: Cannot find end tag="}}" in the template=${JSON.stringify(text)} starting from ${JSON.stringify(text.slice(start + 2))}`,
        { hint: 'close each {{ with }}' },
      );
    }
    const tag = text.slice(start + 2, end);
    const name = tag.trim();
    const value = name !== '' && Object.hasOwn(params, name) ? params[name] : undefined;
    result += text.slice(from, start) + (typeof value === 'string' ? value : `{{${tag}}}`);
    if (result.length > (LIMITS.outputMax ?? 0)) throw tooLong();
    from = end + 2;
  }
}

function tooLong(): CapstanError {
  return new CapstanError(
    'TEMPLATE_LIMIT',
    `a rendered text is longer than ${LIMITS.outputMax} characters`,
    {
      hint: 'shorten the parameters or the template',
    },
  );
}

interface GoRun extends RendererOptions {
  readonly missing: MissingKey;
  readonly budget: { leftMs: number };
}

function renderGo(text: string, params: Parameters, run: GoRun): string {
  const { language, now, missing, budget } = run;
  try {
    const timeMaxMs = Math.max(1, Math.min(TEXT_MS, budget.leftMs));
    const limits = { ...LIMITS, timeMaxMs };
    if (budget.leftMs <= 0) throw new LimitError(`all templates together took over ${TOTAL_MS} ms`);
    return renderText(language, 'base', text, params, { limits, now, missingKey: missing });
  } catch (error) {
    const code = error instanceof LimitError ? 'TEMPLATE_LIMIT' : 'TEMPLATE_INVALID';
    const phase = isParseError(error) ? 'parse template' : 'execute go template';
    throw new CapstanError(code, `failed to ${phase} ${text}: ${messageOf(error)}`, {
      cause: error,
      hint:
        code === 'TEMPLATE_LIMIT'
          ? 'make the template do less: loops, repetitions and texts are bounded'
          : 'correct the template, or the parameters that it asks for',
    });
  }
}

function isParseError(error: unknown): boolean {
  return !messageOf(error).includes('executing ') && !(error instanceof LimitError);
}

const MISSING_KEY: ReadonlyMap<string, MissingKey> = new Map([
  ['missingkey=default', 'default'],
  ['missingkey=invalid', 'default'],
  ['missingkey=zero', 'zero'],
  ['missingkey=error', 'error'],
]);

/** The last of the options counts, as with template.Option. */
function readMissingKey(options: readonly string[]): MissingKey {
  let found: MissingKey = 'default';
  for (const option of options) {
    const value = MISSING_KEY.get(option);
    if (value === undefined) {
      throw new CapstanError(
        'SPEC_INVALID',
        `spec.goTemplateOptions: unrecognized option: ${option}`,
        {
          hint: `use one of ${[...MISSING_KEY.keys()].join(', ')}`,
        },
      );
    }
    found = value;
  }
  return found;
}
