import type { ReleasePorts } from './cluster-port.ts';
import { Operation, type OperationOptions } from './operation.ts';
import type { Release } from './release.ts';
import { checkReleaseName } from './release-name.ts';
import { notFound, releaseStore } from './release-store.ts';
import { runHooks } from './run-hooks.ts';

export interface TestOptions extends OperationOptions {
  readonly namespace: string;
  /** Only the tests of these names; all by default. */
  readonly only?: readonly string[];
  readonly except?: readonly string[];
}

/** Runs the test hooks of the last revision and records how they went (helm test 4.3.1). Throws at the first that fails. */
export async function testRelease(
  name: string,
  options: TestOptions,
  ports: ReleasePorts,
): Promise<Release> {
  checkReleaseName(name, () => `releaseTest: Release name is invalid: ${name}`);
  const store = releaseStore(ports, options.storageNamespace ?? options.namespace);
  const last = (await store.history(name)).at(-1)?.release;
  if (last === undefined) throw notFound();
  const isSkipped = (hook: { readonly name: string }): boolean =>
    (options.except ?? []).includes(hook.name) ||
    (options.only !== undefined && !options.only.includes(hook.name));
  const skipped = last.hooks.filter(isSkipped);
  const chosen = { ...last, hooks: last.hooks.filter((hook) => !isSkipped(hook)) };
  const operation = new Operation(chosen, { ports, store, signal: options.signal });
  try {
    const serverSide = last.applyMethod === 'ssa';
    await runHooks('test', { operation, options, ports, serverSide });
  } finally {
    operation.set({ hooks: [...skipped, ...operation.release.hooks] });
    await operation.record();
  }
  return operation.release;
}
