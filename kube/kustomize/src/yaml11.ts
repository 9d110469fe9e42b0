import { parseYaml } from '@capstan/lib-yaml';

// Letters that no boolean, null or number word is made of, and no indicator anywhere: a string in every YAML.
const SURELY_STRING = /^[A-Za-z_/][A-Za-z0-9_/.-]*$/;
const WORDS = /^(?:y|n|yes|no|on|off|true|false|null|nan|inf)$/i;

/**
 * Whether YAML 1.1 reads the text as something else than a string (`yes`, `1.0`, `a: b`, `~`). Text over several
 * lines, and text that cannot be read, counts as string.
 */
export function isNonStringInYaml11(value: string): boolean {
  if (value === '') return false;
  if (SURELY_STRING.test(value)) return WORDS.test(value) && isOther(value);
  if (value.includes('\n')) return false;
  return isOther(value);
}

function isOther(value: string): boolean {
  try {
    return typeof parseYaml(value) !== 'string';
  } catch {
    return false;
  }
}
