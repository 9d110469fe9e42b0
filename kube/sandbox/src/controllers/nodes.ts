import {
  ApiError,
  type Core,
  type DraftObject,
  type LocalClient,
  timestamp,
} from '@capstan/kube-apiserver';

type NodeFacts = Pick<Core, 'clock' | 'catalogue'>;

/** Nodes that are ready from the start, and a storage class that provisions. Those that exist already are left alone. */
export function furnishCluster(client: LocalClient, core: NodeFacts, nodeCount: number): void {
  for (let i = 0; i < nodeCount; i++) furnishNode(client, core, `sandbox-${i}`);
  if (client.list('storage.k8s.io/v1/storageclasses').length > 0) return;
  ignoreExisting(() =>
    client.create('storage.k8s.io/v1/storageclasses', {
      apiVersion: 'storage.k8s.io/v1',
      kind: 'StorageClass',
      metadata: {
        name: 'standard',
        annotations: { 'storageclass.kubernetes.io/is-default-class': 'true' },
      },
      provisioner: 'sandbox.capstan.dev/volumes',
    }),
  );
}

function ignoreExisting(run: () => unknown): void {
  try {
    run();
  } catch (error) {
    if (!(error instanceof ApiError && error.code === 409)) throw error;
  }
}

function furnishNode(client: LocalClient, core: NodeFacts, name: string): void {
  if (client.get('v1/nodes', '', name) !== undefined) return;
  const now = timestamp(core.clock);
  const node = client.create('v1/nodes', {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: {
      name,
      labels: {
        'kubernetes.io/arch': 'amd64',
        'kubernetes.io/hostname': name,
        'kubernetes.io/os': 'linux',
      },
    },
    spec: {},
  });
  const capacity = { cpu: '32', memory: '256Gi', pods: '1000', 'ephemeral-storage': '1Ti' };
  client.updateStatus('v1/nodes', {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name, resourceVersion: node.metadata.resourceVersion ?? '' },
    spec: {},
    status: {
      capacity,
      allocatable: capacity,
      conditions: nodeConditions(now),
      addresses: [
        { type: 'InternalIP', address: '10.0.0.1' },
        { type: 'Hostname', address: name },
      ],
      daemonEndpoints: { kubeletEndpoint: { Port: 10_250 } },
      nodeInfo: {
        machineID: '',
        systemUUID: '',
        bootID: '',
        kernelVersion: 'simulated',
        osImage: 'Capstan sandbox',
        containerRuntimeVersion: 'sandbox://1.0',
        kubeletVersion: core.catalogue.gitVersion,
        kubeProxyVersion: '',
        operatingSystem: 'linux',
        architecture: 'amd64',
      },
    },
  });
}

function nodeConditions(now: string): DraftObject[] {
  const condition = (type: string, status: string, reason: string, message: string) => ({
    type,
    status,
    lastHeartbeatTime: now,
    lastTransitionTime: now,
    reason,
    message,
  });
  return [
    condition(
      'MemoryPressure',
      'False',
      'KubeletHasSufficientMemory',
      'kubelet has sufficient memory available',
    ),
    condition('DiskPressure', 'False', 'KubeletHasNoDiskPressure', 'kubelet has no disk pressure'),
    condition(
      'PIDPressure',
      'False',
      'KubeletHasSufficientPID',
      'kubelet has sufficient PID available',
    ),
    condition('Ready', 'True', 'KubeletReady', 'kubelet is posting ready status'),
  ];
}
