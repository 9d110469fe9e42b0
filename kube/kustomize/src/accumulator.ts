import { within } from './failure.ts';
import { ResourceSet } from './resource-set.ts';
import { emptyConfig, mergeConfigs, type TransformerConfig } from './transformer-config.ts';
import { VarSet } from './vars.ts';

/** What one kustomization has gathered so far: resources, field specs, vars. */
export class Accumulator {
  readonly resources = new ResourceSet();
  readonly vars = new VarSet();
  config: TransformerConfig = emptyConfig();

  mergeConfig(config: TransformerConfig): void {
    this.config = mergeConfigs(this.config, config);
  }

  /** Takes over all of another one. */
  absorb(other: Accumulator, root: string): void {
    within(
      () => `recursed merging from path '${root}'`,
      () => {
        this.resources.appendAll(other.resources);
        this.mergeConfig(other.config);
        this.vars.add(other.vars.list);
      },
    );
  }
}
