import { CapstanError } from '@capstan/lib-std';

export interface FieldRequirement {
  readonly field: string;
  readonly isEqual: boolean;
  readonly value: string;
}

/** All must hold; none at all matches everything. */
export type FieldSelector = readonly FieldRequirement[];

/**
 * Reads a field selector as in `kubectl get --field-selector` (`metadata.name=web,status.phase!=Running`; `\,`, `\=` and
 * `\\` are escapes). Which fields a kind can be selected by is the server's affair. Throws CapstanError.
 */
export function parseFieldSelector(text: string): FieldSelector {
  return splitTerms(text)
    .sort()
    .filter((term) => term !== '')
    .map((term) => readTerm(text, term))
    .filter(({ field, value }) => field !== '' || value !== '');
}

function splitTerms(text: string): string[] {
  const terms: string[] = [];
  let start = 0;
  let isEscaped = false;
  for (let i = 0; i < text.length; i++) {
    if (isEscaped) isEscaped = false;
    else if (text[i] === '\\') isEscaped = true;
    else if (text[i] === ',') {
      terms.push(text.slice(start, i));
      start = i + 1;
    }
  }
  return [...terms, text.slice(start)];
}

function readTerm(text: string, term: string): FieldRequirement {
  const match = /^(.*?)(!=|==|=)(.*)$/s.exec(term);
  if (match === null) throw fail(`invalid selector: '${text}'; can't understand '${term}'`);
  return { field: match[1]!, isEqual: match[2] !== '!=', value: unescapeValue(match[3]!) };
}

function unescapeValue(text: string): string {
  let out = '';
  for (let i = 0; i < text.length; i++) {
    const char = text[i]!;
    if (char === ',' || char === '=')
      throw fail(`invalid field selector: unescaped character in value: ${char.charCodeAt(0)}`);
    if (char !== '\\') {
      out += char;
      continue;
    }
    const next = text[++i];
    if (next !== '\\' && next !== ',' && next !== '=')
      throw fail(`invalid field selector: invalid escape sequence: \\${next ?? ''}`);
    out += next;
  }
  return out;
}

function fail(message: string): CapstanError {
  return new CapstanError('SELECTOR_INVALID', message, {
    hint: 'write it like metadata.name=web,status.phase!=Running',
  });
}

/** `read` gives a field's value; an absent field is ''. */
export function matchesFields(
  selector: FieldSelector,
  read: (field: string) => string | undefined,
): boolean {
  return selector.every(({ field, isEqual, value }) => ((read(field) ?? '') === value) === isEqual);
}

export function formatFieldSelector(selector: FieldSelector): string {
  return selector
    .map(({ field, isEqual, value }) => {
      const escaped = value.replace(/[\\,=]/g, (char) => `\\${char}`);
      return `${field}${isEqual ? '=' : '!='}${escaped}`;
    })
    .join(',');
}
