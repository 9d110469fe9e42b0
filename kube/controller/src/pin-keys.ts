import type { ControllerRuntime } from './create-controller.ts';

/** All keys of these controllers go to one replica together: for those that share what lies on its disk. */
export function pinKeys(runtime: ControllerRuntime, name: string): ControllerRuntime {
  const { gate } = runtime;
  if (gate === undefined) return runtime;
  return { ...runtime, gate: { owns: () => gate.owns(name), join: (tenant) => gate.join(tenant) } };
}
