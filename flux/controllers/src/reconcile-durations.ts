import type { ControllerOptions, ControllerRuntime } from '@capstan/kube-controller';
import type { NamedKey } from './control-state.ts';
import { forgetTokenEvents } from './identity/token-cache.ts';

/** Ten bounds from 10 ms to half an hour, each as much larger than the one before. */
const BOUNDS = Array.from({ length: 10 }, (_, at) => 0.01 * (1800 / 0.01) ** (at / 9));

/**
 * `gotk_reconcile_duration_seconds` of each object, as Flux's controllers publish it for the dashboards of its users; an
 * object that is gone takes its series with it, and those of the tokens that were asked for it.
 */
export function reconcileDurations(
  kind: string,
  { registry }: ControllerRuntime = {},
  exists: (key: NamedKey) => boolean,
): Pick<ControllerOptions<NamedKey>, 'onResult'> {
  if (registry === undefined) return {};
  const histogram = registry.histogram(
    'gotk_reconcile_duration_seconds',
    'The duration in seconds of a GitOps Toolkit resource reconciliation.',
    BOUNDS,
  );
  return {
    onResult: (key, _result, durationMs) => {
      const labels = { kind, name: key.name, namespace: key.namespace };
      if (exists(key)) histogram.observe(labels, durationMs / 1000);
      else {
        histogram.remove(labels);
        forgetTokenEvents(registry, labels);
      }
    },
  };
}
