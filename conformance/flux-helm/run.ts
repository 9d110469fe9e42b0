// Flux's Helm resources on a real control plane, beside the official helm. `node conformance/flux-helm/run.ts [file patterns]`
import { runSuite } from '../tools/run-suite.ts';

process.exitCode = await runSuite(import.meta.dirname);
