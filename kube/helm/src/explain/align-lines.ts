/** One line of a template that may print something. */
export interface TemplateLine {
  /** From 1. */
  readonly number: number;
  /** What a printed line that comes of it looks like; undefined when it has no text of its own. */
  readonly pattern: RegExp | undefined;
  /** Whether its action may print lines beyond the first. */
  readonly isBlock: boolean;
  /** Paths below .Values that it names, itself or through the named templates that it includes. */
  readonly values: readonly string[];
}

const CONTROL = /^-?\s*(?:if|else|end|range|with|define|block|break|continue|\/\*|\$\w*\s*:?=)/;
const ACTION = /\{\{-?([\s\S]*?)-?\}\}/g;
const INCLUDES_MAX = 3;

/** The lines of a template that print: those of control actions alone are left out. */
export function templateLines(
  text: string,
  helpers: ReadonlyMap<string, string>,
): readonly TemplateLine[] {
  // An action over several lines counts as its first line.
  const joined = text.replace(ACTION, (action) => action.replaceAll('\n', ' \u0000'));
  const lines: TemplateLine[] = [];
  let number = 1;
  for (const raw of joined.split('\n')) {
    const line = raw.replaceAll('\u0000', '');
    const actions = [...line.matchAll(ACTION)].map((match) => match[1] ?? '');
    const printing = actions.filter((action) => !CONTROL.test(action.trim()));
    const fixed = line.replace(ACTION, '').trim();
    if (fixed !== '' || printing.length > 0) {
      const isBlock = printsLines(printing);
      const pattern = fixed === '' && isBlock ? undefined : patternOf(line);
      lines.push({ number, pattern, isBlock, values: valuesIn(actions.join('\n'), helpers, 0) });
    }
    number += 1 + raw.split('\u0000').length - 1;
  }
  return lines;
}

function printsLines(actions: readonly string[]): boolean {
  return actions.some((action) => /\b(?:include|template|toYaml|tpl|n?indent)\b/.test(action));
}

function patternOf(line: string): RegExp {
  const source = line
    .replace(/\s*(\{\{-)/g, '$1')
    .replace(/(-\}\})\s*/g, '$1')
    .replace(ACTION, (_action, inner: string) => (CONTROL.test(inner.trim()) ? '\u0001' : '\u0002'))
    .replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
    .replaceAll('\u0001', '')
    .replaceAll('\u0002', '.*');
  return new RegExp(`^${source.trimEnd()}\\s*$`);
}

function valuesIn(
  text: string,
  helpers: ReadonlyMap<string, string>,
  depth: number,
): readonly string[] {
  const own = [...text.matchAll(/\.Values\.([A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*)/g)].map(
    (match) => match[1] ?? '',
  );
  const included =
    depth >= INCLUDES_MAX
      ? []
      : [...text.matchAll(/\b(?:include|template)\s+"([^"]+)"/g)].flatMap((match) =>
          valuesIn(helpers.get(match[1] ?? '') ?? '', helpers, depth + 1),
        );
  return [...new Set([...own, ...included])];
}

/**
 * For each printed line the template line that it comes of: the nearest after the one before that fits, else the nearest
 * before it (a loop); what fits none comes of the action that prints whole lines. Cost: printed lines × template lines.
 */
export function alignLines(
  printed: readonly string[],
  lines: readonly TemplateLine[],
): readonly (TemplateLine | undefined)[] {
  let at = -1;
  return printed.map((line) => {
    if (line.trim() === '') return undefined;
    const fits = (one: TemplateLine): boolean => one.pattern?.test(line) === true;
    const ahead = lines.findIndex((one, i) => i > at && fits(one));
    const found = ahead >= 0 ? ahead : lines.findLastIndex((one, i) => i <= at && fits(one));
    if (found >= 0) {
      at = found;
      return lines[found];
    }
    if (lines[at]?.isBlock !== true) {
      const block = lines.findIndex((one, i) => i > at && one.isBlock);
      if (block >= 0) at = block;
    }
    return lines[at];
  });
}
