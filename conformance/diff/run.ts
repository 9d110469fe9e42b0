// No false OutOfSync, and no true one missed: every built-in kind and popular custom ones. `node conformance/diff/run.ts`
import { runSuite } from '../tools/run-suite.ts';

process.exitCode = await runSuite(import.meta.dirname);
