// From a push to the cluster, on a real control plane. `node conformance/slice/run.ts [file patterns]`
import { runSuite } from '../tools/run-suite.ts';

process.exitCode = await runSuite(import.meta.dirname);
