/** For tests: an Application, and the last operation of one. */
import type { DeliveryStatus } from '@capstan/engine-delivery';

type Operation = NonNullable<DeliveryStatus['operation']>;

export const REPO = 'https://git.example.com/org/repo.git';

/** The Application `web` of the folder `app` of `REPO`, with what its automation says. */
export function webApplication(automated: string): string {
  return `
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: {name: web, namespace: argocd}
spec:
  project: default
  source: {repoURL: ${REPO}, targetRevision: HEAD, path: app}
  destination: {server: https://kubernetes.default.svc, namespace: default}
  syncPolicy: {automated: ${automated}}
`;
}

/** Begun by the automation; `healAttempt` is of its request, the rest its own. */
export function operationOf({
  healAttempt = 0,
  ...own
}: Partial<Operation> & { readonly healAttempt?: number }): Operation {
  return {
    request: {
      id: 'a',
      initiatedBy: { kind: 'automation' },
      policy: {},
      retry: { limit: 0, backoff: { baseMs: 1, factor: 1, maxMs: 1, jitter: 0 } },
      healAttempt,
    },
    phase: 'Succeeded',
    message: '',
    startedAtMs: 0,
    retryCount: 0,
    revisions: [],
    desiredDigest: 'd',
    results: [],
    ...own,
  };
}
