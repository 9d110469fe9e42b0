import type { KubeObject } from '@capstan/kube-object';
import { type OutputOf, ProcessOutput } from '@capstan/kube-sandbox';
import type { Clock } from '@capstan/lib-std';
import type { ControlPlaneOptions } from '../control-plane.ts';
import { eventLine, messageLine } from '../log-lines.ts';

const NAMESPACE = 'flux-system';
const NAME = 'capstan';
const LABELS = { 'app.kubernetes.io/component': NAME, 'app.kubernetes.io/part-of': 'flux' };

/**
 * The control plane of the quick start as clients of its cluster see it: a Deployment where `flux logs`, `flux check` and
 * `flux version` look for controllers, whose Pod's log is what this process logs.
 */
export interface OwnPod extends Required<Pick<ControlPlaneOptions, 'log' | 'onEvent'>> {
  readonly outputOf: OutputOf;
  readonly deployment: KubeObject;
}

export function createOwnPod(
  { version, log }: { readonly version: string; readonly log: ControlPlaneOptions['log'] },
  clock: Clock,
): OwnPod {
  const output = new ProcessOutput();
  const encoded = () => ({ encoding: 'json' as const, nowMs: clock.now() });
  return {
    outputOf: ({ metadata: { namespace, labels } }) =>
      namespace === NAMESPACE && labels?.['app.kubernetes.io/component'] === NAME
        ? output
        : undefined,
    deployment: deployment(version),
    log: (message, keys = {}) => {
      output.write(messageLine(message, keys, encoded()), clock.now());
      log(message, keys);
    },
    onEvent: (event) => output.write(eventLine(event, encoded()), clock.now()),
  };
}

function deployment(version: string): KubeObject {
  const description =
    'Stands for the process of the quick start: it logs here, and is not stopped by deleting this.';
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: {
      name: NAME,
      namespace: NAMESPACE,
      labels: { ...LABELS, 'app.kubernetes.io/version': `v${version}` },
      annotations: { 'kubernetes.io/description': description },
    },
    spec: {
      replicas: 1,
      selector: { matchLabels: LABELS },
      template: {
        metadata: { labels: LABELS },
        spec: { containers: [{ name: NAME, image: `${NAME}:v${version}` }] },
      },
    },
  };
}
