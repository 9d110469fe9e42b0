import type { Quantity } from '@capstan/kube-object';
import { addQuantities, compareQuantities } from '@capstan/kube-object';
import { listAt, objectAt, textAt } from './json.ts';
import { quantityOf } from './validation/common.ts';

/** Amounts by the name of what they are amounts of. */
export type Amounts = ReadonlyMap<string, Quantity>;

const NONE: Amounts = new Map();

export function amountsOf(list: object): Amounts {
  return new Map(Object.entries(list).map(([name, amount]) => [name, quantityOf(amount)]));
}

export function addAmounts(a: Amounts, b: Amounts): Amounts {
  return combine(a, b, addQuantities);
}

function greaterAmounts(a: Amounts, b: Amounts): Amounts {
  return combine(a, b, (x, y) => (compareQuantities(x, y) < 0 ? y : x));
}

function combine(a: Amounts, b: Amounts, join: (x: Quantity, y: Quantity) => Quantity): Amounts {
  const sum = new Map(a);
  for (const [name, amount] of b) {
    const other = sum.get(name);
    sum.set(name, other === undefined ? amount : join(other, amount));
  }
  return sum;
}

/**
 * What a pod takes: its containers and sidecars together, or one init container with the sidecars before it, whichever is more; what
 * is said for the whole pod comes first; and its overhead.
 */
export function podAmounts(pod: object, section: 'requests' | 'limits'): Amounts {
  const own = (container: unknown): Amounts => amountsOf(objectAt(container, 'resources', section));
  let sidecars = NONE;
  let starting = NONE;
  for (const container of listAt(pod, 'spec', 'initContainers')) {
    const together = addAmounts(own(container), sidecars);
    if (textAt(container, 'restartPolicy') === 'Always') sidecars = together;
    starting = greaterAmounts(starting, together);
  }
  const running = listAt(pod, 'spec', 'containers').map(own).reduce(addAmounts, sidecars);
  const whole = amountsOf(objectAt(pod, 'spec', 'resources', section));
  const amounts = new Map([...greaterAmounts(running, starting), ...whole]);
  for (const [name, extra] of amountsOf(objectAt(pod, 'spec', 'overhead'))) {
    const amount = amounts.get(name);
    if (amount !== undefined) amounts.set(name, addQuantities(amount, extra));
    else if (section === 'requests') amounts.set(name, extra);
  }
  return amounts;
}

export function isBestEffort(pod: object): boolean {
  const given = (resources: object): boolean =>
    ['requests', 'limits'].some((section) =>
      ['cpu', 'memory'].some((name) => name in objectAt(resources, section)),
    );
  return ![
    objectAt(pod, 'spec'),
    ...listAt(pod, 'spec', 'containers'),
    ...listAt(pod, 'spec', 'initContainers'),
  ].some((part) => given(objectAt(part, 'resources')));
}
