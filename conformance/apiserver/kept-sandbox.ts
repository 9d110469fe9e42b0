// A sandbox that keeps its data in the directory given as argument; prints its kubeconfig's path. For durability.ts.
import { startSandbox } from '@capstan/kube-sandbox';

const [dataDir = '', snapshotEveryBytes = ''] = process.argv.slice(2);
const sandbox = await startSandbox({ dataDir, snapshotEveryBytes: Number(snapshotEveryBytes) });
console.log(sandbox.kubeconfigPath);
