// Our side: a sandbox in a process of its own. Prints {kubeconfig, readyMs} as a line; ends with its standard input.
import { startSandbox } from '@capstan/kube-sandbox';

const sandbox = await startSandbox();
console.log(
  JSON.stringify({ kubeconfig: sandbox.kubeconfigPath, readyMs: Math.round(performance.now()) }),
);
process.stdin.on('end', () => void sandbox.close());
process.stdin.resume();
