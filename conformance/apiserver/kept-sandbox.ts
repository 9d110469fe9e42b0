// A sandbox that keeps its data in the directory given as argument; prints its kubeconfig's path. For kill.test.ts.
import { startSandbox } from '@capstan/kube-sandbox';

const [dataDir = ''] = process.argv.slice(2);
const sandbox = await startSandbox({ dataDir });
console.log(sandbox.kubeconfigPath);
