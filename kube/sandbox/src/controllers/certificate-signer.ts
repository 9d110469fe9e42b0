import {
  type CertificateAuthority,
  cloneJson,
  type DraftObject,
  listAt,
  numberAt,
  objectAt,
  textAt,
  timestamp,
} from '@capstan/kube-apiserver';
import type { KubeObject } from '@capstan/kube-object';
import type { Controller } from '../control-loop.ts';

const REQUESTS = 'certificates.k8s.io/v1/certificatesigningrequests';
const SIGNER = 'kubernetes.io/kube-apiserver-client';
const SECONDS_DEFAULT = 365 * 24 * 3600;
const SECONDS_MIN = 600;

/** Approved requests for certificates of clients of the API server. Those of kubelets are nobody's here. */
export function createCertificateSigner(authority: CertificateAuthority): Controller {
  return {
    name: 'csrsigning-controller',
    keysFor: ({ bucket, key, removed }) =>
      bucket === 'certificates.k8s.io/certificatesigningrequests' && !removed ? [key] : [],
    reconcile(key, { client, clock }) {
      const found = client.get(REQUESTS, '', key);
      if (found === undefined || !isWaiting(found)) return;
      const problem = usageProblem(found);
      const status = cloneJson(objectAt(found, 'status'));
      if (problem === undefined) {
        const pem = authority.signRequest(decoded(textAt(found, 'spec', 'request')), {
          nowMs: clock.now(),
          seconds: secondsOf(found),
          usages: usagesOf(found),
        });
        status['certificate'] = Buffer.from(pem).toString('base64');
      } else {
        const failed: DraftObject = {
          type: 'Failed',
          status: 'True',
          reason: 'SignerValidationFailure',
          message: problem,
          lastUpdateTime: timestamp(clock),
        };
        status['conditions'] = [...listAt(status, 'conditions').map((c) => cloneJson(c)), failed];
      }
      client.updateStatus(REQUESTS, { ...cloneJson(found), status });
    },
  };
}

/** Approved, and nothing has come of it yet. */
function isWaiting(request: KubeObject): boolean {
  if (textAt(request, 'spec', 'signerName') !== SIGNER) return false;
  if (textAt(request, 'status', 'certificate') !== '') return false;
  const is = (type: string): boolean =>
    listAt(request, 'status', 'conditions').some(
      (condition) => textAt(condition, 'type') === type && textAt(condition, 'status') === 'True',
    );
  return is('Approved') && !is('Denied') && !is('Failed');
}

function usageProblem(request: KubeObject): string | undefined {
  const usages = listAt(request, 'spec', 'usages').map(String);
  const allowed = ['digital signature', 'key encipherment', 'client auth'];
  const wrong = usages.find((usage) => !allowed.includes(usage));
  if (wrong !== undefined) return `invalid usage for client certificate: ${wrong}`;
  if (usages.includes('client auth')) return undefined;
  return 'missing required usage for client certificate: client auth';
}

function usagesOf(request: KubeObject): ('digitalSignature' | 'keyEncipherment')[] {
  const usages = listAt(request, 'spec', 'usages').map(String);
  return [
    ...(usages.includes('digital signature') ? (['digitalSignature'] as const) : []),
    ...(usages.includes('key encipherment') ? (['keyEncipherment'] as const) : []),
  ];
}

function secondsOf(request: KubeObject): number {
  const asked = numberAt(request, 'spec', 'expirationSeconds') ?? SECONDS_DEFAULT;
  return Math.min(SECONDS_DEFAULT, Math.max(SECONDS_MIN, asked));
}

function decoded(base64: string): string {
  return Buffer.from(base64, 'base64').toString();
}
