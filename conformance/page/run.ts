/** The web page in a real headless Chromium, on top of a real quick start: `node conformance/page/run.ts`. */
import { runSuite } from '../tools/run-suite.ts';

process.exitCode = await runSuite(import.meta.dirname);
