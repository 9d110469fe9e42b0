import type { CertificateAuthority } from '@capstan/kube-apiserver';
import type { Controller } from './control-loop.ts';
import { apiServiceController } from './controllers/api-services.ts';
import { autoscalerController } from './controllers/autoscaler.ts';
import { createCertificateSigner } from './controllers/certificate-signer.ts';
import { cronJobController } from './controllers/cron-job.ts';
import { daemonSetController } from './controllers/daemon-set.ts';
import { deploymentController } from './controllers/deployment.ts';
import { disruptionController } from './controllers/disruption.ts';
import { endpointsController } from './controllers/endpoints.ts';
import { endpointsMirrorController } from './controllers/endpoints-mirror.ts';
import { exposureController } from './controllers/exposure.ts';
import { garbageCollector } from './controllers/garbage-collector.ts';
import { jobController } from './controllers/job.ts';
import { kubelet } from './controllers/kubelet.ts';
import { createNamespaceController } from './controllers/namespace.ts';
import { policyStatusController } from './controllers/policy-status.ts';
import { quotaController } from './controllers/quota.ts';
import { replicaSetController, replicationController } from './controllers/replica-set.ts';
import { statefulSetController } from './controllers/stateful-set.ts';
import { volumeController } from './controllers/volumes.ts';

/** Everything that lives in a cluster beside its API server. None keeps anything but the cluster's objects. */
export function createControllers(authority: CertificateAuthority): readonly Controller[] {
  return [
    createNamespaceController(() => authority.certificate),
    createCertificateSigner(authority),
    garbageCollector,
    deploymentController,
    replicaSetController,
    replicationController,
    statefulSetController,
    daemonSetController,
    jobController,
    cronJobController,
    kubelet,
    endpointsController,
    endpointsMirrorController,
    volumeController,
    disruptionController,
    autoscalerController,
    exposureController,
    quotaController,
    policyStatusController,
    apiServiceController,
  ];
}
