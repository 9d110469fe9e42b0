// Argo CD's door on a real control plane. `node conformance/argocd/run.ts [file patterns]`
import { runSuite } from '../tools/run-suite.ts';

process.exitCode = await runSuite(import.meta.dirname);
