import type { KubeObject } from '@capstan/kube-object';
import type { Core } from '../core.ts';
import type { AdmissionAttributes } from './attributes.ts';
import { isExempt } from './match-request.ts';
import {
  MUTATING_BINDINGS,
  MutatingPolicies,
  newPolicyRounds,
  type Settle,
} from './mutating-policies.ts';
import { VALIDATING_BINDINGS, ValidatingPolicies } from './validating-policies.ts';

/** What a cluster's own configuration has to say of a request, beside the plugins that every server has. */
export class Admission {
  readonly #mutating = new MutatingPolicies();
  readonly #validating = new ValidatingPolicies();

  /**
   * The object as policies change it, undefined when nothing does. `settle` decodes and defaults what they have made, and
   * has the server's own plugins look at it again.
   */
  mutate(core: Core, attributes: AdmissionAttributes, settle: Settle): KubeObject | undefined {
    if (isExempt(attributes.resource, attributes.subresource)) return undefined;
    if (core.store.view(MUTATING_BINDINGS).size === 0) return undefined;
    const rounds = newPolicyRounds();
    const first = this.#mutating.mutate(core, attributes, { settle, rounds });
    if (!rounds.again || first === undefined) return undefined;
    rounds.isSecond = true;
    return this.#mutating.mutate(core, { ...attributes, object: first }, { settle, rounds });
  }

  /** Throws the answer to a request that is denied. */
  validate(core: Core, attributes: AdmissionAttributes, warn: (text: string) => void): void {
    if (isExempt(attributes.resource, attributes.subresource)) return;
    if (core.store.view(VALIDATING_BINDINGS).size === 0) return;
    this.#validating.validate(core, attributes, warn);
  }
}
