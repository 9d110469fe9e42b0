// Git over SSH against a real sshd, when the machine has one. `node conformance/git/run.ts`
import { runSuite } from '../tools/run-suite.ts';

process.exitCode = await runSuite(import.meta.dirname);
