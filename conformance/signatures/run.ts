import { runSuite } from '../tools/run-suite.ts';

process.exitCode = await runSuite(import.meta.dirname);
