import type { BuildContext } from '../context.ts';
import type { ResourceSet } from '../resource-set.ts';

/** Changes the resources of one accumulation. */
export interface Transformer {
  transform(resources: ResourceSet, context: BuildContext): void;
}
