export { type OutputOf, ProcessOutput } from './containers/process-output.ts';
export { importObjects } from './import-objects.ts';
export { type Sandbox, type SandboxOptions, startSandbox } from './start-sandbox.ts';
