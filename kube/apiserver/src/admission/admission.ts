import type { KubeObject } from '@capstan/kube-object';
import type { Core } from '../core.ts';
import type { AdmissionAttributes } from './attributes.ts';
import { isExempt } from './match-request.ts';
import { MUTATING_BINDINGS, MutatingPolicies, type Settle } from './mutating-policies.ts';
import { newRounds } from './rounds.ts';
import { Sessions } from './session.ts';
import { VALIDATING_BINDINGS, ValidatingPolicies } from './validating-policies.ts';
import { MUTATING_WEBHOOKS, VALIDATING_WEBHOOKS, Webhooks } from './webhooks.ts';

/** What a cluster's own configuration has to say of a request, beside the plugins that every server has. */
export class Admission {
  /** Lets requests wait for webhooks. */
  readonly sessions = new Sessions();
  readonly #mutating = new MutatingPolicies();
  readonly #validating = new ValidatingPolicies();
  readonly #webhooks: Webhooks;

  constructor(options: { readonly asksOutside: boolean }) {
    this.#webhooks = new Webhooks(this.sessions, options.asksOutside);
  }

  /**
   * The object as policies and webhooks change it, undefined when nothing does. `settle` decodes and defaults what they have
   * made, and has the server's own plugins look at it again. A change in the first round leads to a second one, for those
   * who ask to see what others have done.
   */
  mutate(
    core: Core,
    attributes: AdmissionAttributes,
    how: { readonly settle: Settle; readonly warn: (text: string) => void },
  ): KubeObject | undefined {
    if (isExempt(attributes.resource, attributes.subresource)) return undefined;
    const isBare = [MUTATING_BINDINGS, MUTATING_WEBHOOKS].every(
      (bucket) => core.store.view(bucket).size === 0,
    );
    if (isBare) return undefined;
    const policies = newRounds();
    const webhooks = newRounds();
    const round = (given: KubeObject | undefined): KubeObject | undefined => {
      const shaped = this.#mutating.mutate(
        core,
        { ...attributes, object: given },
        { ...how, rounds: policies },
      );
      return this.#webhooks.mutate(
        core,
        { ...attributes, object: shaped },
        { ...how, rounds: webhooks },
      );
    };
    const first = round(attributes.object);
    if (first === undefined || !(policies.again || webhooks.again)) return undefined;
    policies.isSecond = true;
    webhooks.isSecond = true;
    return round(first);
  }

  /** Throws the answer to a request that is denied. */
  validate(core: Core, attributes: AdmissionAttributes, warn: (text: string) => void): void {
    if (isExempt(attributes.resource, attributes.subresource)) return;
    if (core.store.view(VALIDATING_BINDINGS).size > 0) {
      this.#validating.validate(core, attributes, warn);
    }
    if (core.store.view(VALIDATING_WEBHOOKS).size > 0) {
      this.#webhooks.validate(core, attributes, warn);
    }
  }
}
