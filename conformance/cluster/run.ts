// The client and the controllers against a real control plane. `node conformance/cluster/run.ts [file patterns]`
import { runSuite } from '../tools/run-suite.ts';

process.exitCode = await runSuite(import.meta.dirname);
