import { CapstanError } from '@capstan/lib-std';

/** Codes of the errors this package throws. */
export const YamlErrorCode = {
  /** The text is not YAML, or not the YAML that Go's libraries accept. */
  syntax: 'YAML_SYNTAX',
  /** The text is YAML, but a value in it cannot be what its tag or place asks for. */
  value: 'YAML_VALUE',
  /** One of Capstan's bounds: size, nesting, alias expansion. */
  limit: 'YAML_LIMIT',
} as const;

const HINTS: Readonly<Record<string, string>> = {
  [YamlErrorCode.syntax]: 'correct the YAML at the line given, or at the one before it',
  [YamlErrorCode.value]: 'correct the value at the line given',
  [YamlErrorCode.limit]: 'split the document, nest it less, or repeat less of it by aliases',
};

/** An error whose message is what Go's library says: `yaml: line 3: …`. */
export function yamlError(
  problem: string,
  code: string = YamlErrorCode.syntax,
  cause?: unknown,
): CapstanError {
  const hint = HINTS[code] ?? '';
  return new CapstanError(
    code,
    `yaml: ${problem}`,
    cause === undefined ? { hint } : { hint, cause },
  );
}
