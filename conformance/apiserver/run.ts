// Our API server against the real one, request by request. `node conformance/apiserver/run.ts`
import { runSuite } from '../tools/run-suite.ts';

process.exitCode = await runSuite(import.meta.dirname);
