import type { ApplicationSetRolloutStep } from '@capstan/argocd-api';
import type { KubeObject } from '@capstan/kube-object';

/** Which applications belong to which step, and what is wrong with the steps. */
export interface AssignedSteps {
  readonly steps: readonly (readonly string[])[];
  /** From 0; the first step that selects an application has it. */
  readonly stepOf: ReadonlyMap<string, number>;
  readonly wrongOperators: readonly { readonly step: number; readonly operator: string }[];
  readonly selectedTwice: ReadonlyMap<string, readonly number[]>;
}

/** Sorts applications into steps by their labels. */
export function assignSteps(
  steps: readonly ApplicationSetRolloutStep[],
  applications: readonly KubeObject[],
): AssignedSteps {
  const names: string[][] = steps.map(() => []);
  const stepOf = new Map<string, number>();
  const wrongOperators: { step: number; operator: string }[] = [];
  const selectedTwice = new Map<string, number[]>();
  for (const { metadata } of applications) {
    const name = metadata.name ?? '';
    for (const [index, { matchExpressions = [] }] of steps.entries()) {
      const verdict = selects(matchExpressions, metadata.labels ?? {});
      const { wrong } = verdict;
      if (
        wrong !== undefined &&
        !wrongOperators.some((one) => one.step === index && one.operator === wrong)
      )
        wrongOperators.push({ step: index, operator: wrong });
      if (!verdict.selected) continue;
      names[index]?.push(name);
      const first = stepOf.get(name);
      if (first === undefined) stepOf.set(name, index);
      else selectedTwice.set(name, [...(selectedTwice.get(name) ?? [first]), index]);
    }
  }
  return { steps: names, stepOf, wrongOperators, selectedTwice };
}

type Expressions = NonNullable<ApplicationSetRolloutStep['matchExpressions']>;

/** A label that is missing is only wrong where `In` asks for it. */
function selects(
  expressions: Expressions,
  labels: { readonly [key: string]: string },
): { readonly selected: boolean; readonly wrong?: string } {
  for (const { key = '', operator = '', values = [] } of expressions) {
    const value = labels[key];
    if (value === undefined) {
      if (operator === 'In') return { selected: false };
      continue;
    }
    if (operator !== 'In' && operator !== 'NotIn') return { selected: false, wrong: operator };
    if (values.includes(value) !== (operator === 'In')) return { selected: false };
  }
  return { selected: true };
}

/** The gravest of what is wrong with the steps; undefined: nothing. */
export function describeIssues(
  { steps: names, wrongOperators, selectedTwice }: AssignedSteps,
  steps: readonly ApplicationSetRolloutStep[],
  invalidMaxUpdates: readonly number[],
): string | undefined {
  if (wrongOperators.length > 0) {
    const where = wrongOperators.map(({ step }) => step + 1).join(', ');
    const operators = wrongOperators.map(({ operator }) => operator).join(', ');
    const [noun, verb] = wrongOperators.length === 1 ? ['Step', 'has'] : ['Steps', 'have'];
    return `${noun} ${where} ${verb} invalid matchExpression operators: ${operators}. Supported Operators are 'In' and 'NotIn'`;
  }
  if (selectedTwice.size > 0) {
    const found = [...selectedTwice].sort(([a], [b]) => (a < b ? -1 : 1));
    const lists = found.map(([, list]) => list.map((step) => step + 1).join('-'));
    if (found.length === 1)
      return `Application '${found[0]?.[0]}' is selected by multiple steps: (${lists[0]})`;
    const applications = found.map(([name]) => name).join("', '");
    return `Applications '${applications}' are selected by multiple steps: [(${lists.join('), (')})]`;
  }
  if (invalidMaxUpdates.length > 0) {
    const where = invalidMaxUpdates.map((step) => step + 1).join(', ');
    const values = invalidMaxUpdates.map((step) => String(steps[step]?.maxUpdate)).join(', ');
    return invalidMaxUpdates.length === 1
      ? `Step ${where} has an invalid maxUpdate value: ${values}`
      : `Steps ${where} have invalid maxUpdate values: [${values}]`;
  }
  const empty = names.flatMap((list, index) => (list.length === 0 ? [index + 1] : []));
  if (empty.length === 0) return undefined;
  return `Steps [${empty.join(' ')}] have no applications matching their criteria`;
}
