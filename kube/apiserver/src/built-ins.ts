import { type Catalogue, type RuleCompiler, readCustomResource } from '@capstan/kube-schema';
import { customStrategy } from './custom-strategy.ts';
import type { BuiltIns } from './registry.ts';
import { strategyFor } from './strategies/strategies.ts';

/** The built-in resources of a catalogue with the strategies of this package. */
export function builtInsFor(catalogue: Catalogue, compiler?: RuleCompiler): BuiltIns {
  return {
    groups: catalogue.groups,
    resources: catalogue.resources,
    schemaFor: (group, version, kind) => catalogue.kind({ group, version, kind }),
    strategyFor,
    readCustom: (definition) => readCustomResource(definition, catalogue),
    customStrategy: (version) => customStrategy(version, compiler),
  };
}
