// Files that the real sops encrypted, for keys of age and PGP. `node conformance/sops/run.ts`
import { runSuite } from '../tools/run-suite.ts';

process.exitCode = await runSuite(import.meta.dirname);
