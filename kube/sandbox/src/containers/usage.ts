import { listAt, objectAt, textAt } from '@capstan/kube-apiserver';
import { formatQuantity, type KubeObject, parseQuantity } from '@capstan/kube-object';

/** On a pod (or its template): what each of its containers uses, e.g. `usage.sandbox.capstan.dev/cpu: 250m`. */
const USAGE = 'usage.sandbox.capstan.dev/';
const IDLE = { cpu: '1m', memory: '16Mi' } as const;
/** Of what a container asks for. */
const SHARE = { numerator: 1n, denominator: 2n };

/** What an annotation says, else half of what the container asks for, else next to nothing. */
export function usageOf(
  pod: KubeObject,
  container: string,
): { readonly cpu: string; readonly memory: string } {
  const spec = listAt(pod, 'spec', 'containers').find((item) => textAt(item, 'name') === container);
  const requests = objectAt(spec, 'resources', 'requests');
  const used = (name: 'cpu' | 'memory'): string => {
    const said = pod.metadata.annotations?.[USAGE + name] ?? '';
    if (parseQuantity(said) !== undefined) return said;
    const asked = parseQuantity(textAt(requests, name));
    if (asked === undefined) return IDLE[name];
    const nanos = (asked.nanos * SHARE.numerator) / SHARE.denominator;
    return formatQuantity({ nanos, format: asked.format });
  };
  return { cpu: used('cpu'), memory: used('memory') };
}
