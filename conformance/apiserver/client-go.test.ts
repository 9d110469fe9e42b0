import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { startSandbox } from '@capstan/kube-sandbox';
import { startCluster, whyNoCluster } from '../cluster/cluster.ts';
import { oracleProgram } from '../tools/official.ts';

const PROTOBUF = 'application/vnd.kubernetes.protobuf';

interface Step {
  readonly name: string;
  readonly result: readonly string[];
}

/** What a program over client-go sees of a cluster: `client-go/` says what it does. */
async function probe(kubeconfig: string, contentType: string): Promise<readonly Step[]> {
  const program = oracleProgram('client-go-probe', join(import.meta.dirname, 'client-go'));
  const child = spawn(program, ['-kubeconfig', kubeconfig, '-content-type', contentType], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  let errors = '';
  child.stdout.on('data', (chunk: Buffer) => {
    output += chunk.toString();
  });
  child.stderr.on('data', (chunk: Buffer) => {
    errors += chunk.toString();
  });
  const code = await new Promise((resolve) => child.once('close', resolve));
  assert.equal(code, 0, errors);
  return JSON.parse(output) as Step[];
}

function differences(real: readonly Step[], ours: readonly Step[]): string[] {
  const found: string[] = [];
  for (const [i, { name, result }] of real.entries()) {
    const other = ours[i];
    if (other?.name === name && JSON.stringify(other.result) === JSON.stringify(result)) continue;
    found.push(
      `${name}: real ${result.join(' ')}\n   ours ${other?.name}: ${other?.result.join(' ')}`,
    );
  }
  if (ours.length > real.length) found.push(`ours has ${ours.length - real.length} steps more`);
  return found;
}

/** kwok runs commands on the machine itself, and connects a port with an address. */
const kwok = (port: number): string => `apiVersion: kwok.x-k8s.io/v1alpha1
kind: ClusterExec
metadata: {name: all}
spec:
  execs:
  - local: {workDir: /tmp}
---
apiVersion: kwok.x-k8s.io/v1alpha1
kind: ClusterPortForward
metadata: {name: all}
spec:
  forwards:
  - target: {address: 127.0.0.1, port: ${port}}
`;

test('programs over client-go see the same cluster, in JSON and in protobuf', {
  skip: whyNoCluster(),
}, async () => {
  const backend = createServer((_request, response) => response.end('a container'));
  await new Promise<void>((resolve) => backend.listen(0, '127.0.0.1', resolve));
  try {
    await using cluster = await startCluster({
      kwok: kwok((backend.address() as AddressInfo).port),
    });
    await using sandbox = await startSandbox();
    for (const contentType of ['', PROTOBUF]) {
      const real = await probe(cluster.kubeconfig, contentType);
      const ours = await probe(sandbox.kubeconfigPath, contentType);
      assert.ok(real.length > 200);
      assert.deepEqual(differences(real, ours), []);
    }
  } finally {
    backend.closeAllConnections();
    backend.close();
  }
});
