import { type JsonObject, labelKeyProblems, labelValueProblems } from '@capstan/kube-object';
import { CapstanError } from '@capstan/lib-std';

/**
 * A label selector whose values may be any text (URLs of clusters among them), as Argo CD reads the selectors of
 * generators; without `anyValue` only what labels may hold. An absent selector matches nothing, an empty one everything.
 */
export function compileSelector(
  selector: JsonObject | undefined,
  options: { readonly anyValue: boolean } = { anyValue: true },
): (labels: ReadonlyMap<string, string>) => boolean {
  if (selector === undefined || selector === null) return () => false;
  const tests: ((labels: ReadonlyMap<string, string>) => boolean)[] = [];
  const labels = selector['matchLabels'];
  if (typeof labels === 'object' && labels !== null) {
    for (const [key, value] of Object.entries(labels)) {
      checkKey(key);
      if (!options.anyValue) checkValue(key, String(value));
      tests.push((given) => given.get(key) === value);
    }
  }
  const expressions = selector['matchExpressions'];
  if (Array.isArray(expressions)) tests.push(...expressions.map(compileExpression));
  return (given) => tests.every((test) => test(given));
}

function compileExpression(
  expression: JsonObject,
): (labels: ReadonlyMap<string, string>) => boolean {
  const { key = '', operator = '', values } = expression;
  const name = String(key);
  checkKey(name);
  const list: readonly string[] = Array.isArray(values) ? values.map(String) : [];
  const isSet = operator === 'In' || operator === 'NotIn';
  if (isSet && list.length === 0)
    throw invalid(
      "values: Invalid value: []: for 'in', 'notin' operators, values set can't be empty",
    );
  if (!isSet && list.length > 0)
    throw invalid('values: Invalid value: values set must be empty for exists and does not exist');
  switch (operator) {
    case 'In':
      return (labels) => list.includes(labels.get(name) ?? '') && labels.has(name);
    case 'NotIn':
      return (labels) => !labels.has(name) || !list.includes(labels.get(name) ?? '');
    case 'Exists':
      return (labels) => labels.has(name);
    case 'DoesNotExist':
      return (labels) => !labels.has(name);
    default:
      throw invalid(`${JSON.stringify(operator)} is not a valid pod selector operator`);
  }
}

function checkValue(key: string, value: string): void {
  const problems = labelValueProblems(value);
  if (problems.length > 0)
    throw invalid(
      `values[0][${key}]: Invalid value: ${JSON.stringify(value)}: ${problems.join('; ')}`,
    );
}

function checkKey(key: string): void {
  const problems = labelKeyProblems(key);
  if (problems.length > 0)
    throw invalid(`key: Invalid value: ${JSON.stringify(key)}: ${problems.join('; ')}`);
}

function invalid(message: string): CapstanError {
  return new CapstanError('SELECTOR_INVALID', message, {
    hint: 'write matchLabels, or matchExpressions with In, NotIn, Exists or DoesNotExist',
  });
}
