import type { KubeObject } from '@capstan/kube-object';
import { ApiError, forbidden } from '../api-error.ts';
import { type Core, listBucket } from '../core.ts';
import { equalJson, listAt, objectAt, textAt } from '../json.ts';
import type { ServedResource } from '../served-resource.ts';
import { toVersion } from '../version-conversion.ts';
import { Activation, POLICY_COST_MAX } from './activation.ts';
import { type AdmissionAttributes, nameForErrors } from './attributes.ts';
import {
  type Condition,
  compileConditions,
  compileVariables,
  conditionsHold,
  prepareRequest,
  wholeNamespace,
} from './compiled-policy.ts';
import { ADMISSION_GROUP, bindingMatches, matchResources } from './match-request.ts';
import { compileMutator, MutationError, type Mutator, runMutator } from './mutators.ts';
import { ConfigurationError, collectParameters, parameterResource } from './parameters.ts';
import type { PolicyExpression } from './policy-expression.ts';
import { type Rounds, requireAgain } from './rounds.ts';

export const MUTATING_POLICIES = `${ADMISSION_GROUP}/mutatingadmissionpolicies`;
export const MUTATING_BINDINGS = `${ADMISSION_GROUP}/mutatingadmissionpolicybindings`;

interface CompiledPolicy {
  readonly conditions: readonly Condition[];
  readonly mutators: readonly Mutator[];
  readonly variables: ReadonlyMap<string, PolicyExpression>;
}

/** One policy with one of its bindings and one of its parameters. */
interface Invocation {
  readonly key: string;
  readonly policy: KubeObject;
  readonly binding: KubeObject;
  readonly params: KubeObject | undefined;
  readonly matched: ServedResource;
}

interface Problem {
  readonly policy: KubeObject;
  readonly binding: KubeObject | undefined;
  readonly message: string;
  readonly reason: string;
}

/** Brings a patched object into the form that decoding and defaulting give it. */
export type Settle = (object: KubeObject) => KubeObject;

/** Has every MutatingAdmissionPolicy that is bound change the object (k8s.io/apiserver's plugin policy/mutating). */
export class MutatingPolicies {
  readonly #compiled = new WeakMap<KubeObject, CompiledPolicy>();

  /** The object as the policies leave it; throws the answer when one of them cannot be applied. */
  mutate(
    core: Core,
    attributes: AdmissionAttributes,
    how: { readonly settle: Settle; readonly rounds: Rounds },
  ): KubeObject | undefined {
    const bindings = listBucket(core.store, MUTATING_BINDINGS);
    if (bindings.length === 0) return attributes.object;
    const { rounds } = how;
    if (rounds.isSecond && !equalJson(asJson(rounds.last), asJson(attributes.object))) {
      requireAgain(rounds);
    }
    const problems: Problem[] = [];
    const invocations = listBucket(core.store, MUTATING_POLICIES).flatMap((policy) =>
      invocationsOf(core, { policy, bindings }, attributes, problems),
    );
    let current = attributes.object;
    for (const invocation of invocations) {
      current = this.#invoke(
        core,
        invocation,
        { ...attributes, object: current },
        { ...how, problems },
      );
    }
    if (!equalJson(asJson(current), asJson(attributes.object))) {
      requireAgain(rounds);
      rounds.again = true;
    }
    rounds.last = current;
    const counted = problems.filter(
      ({ policy }) => textAt(policy, 'spec', 'failurePolicy') !== 'Ignore',
    );
    if (counted.length > 0) throw denied(counted, attributes);
    return current;
  }

  #invoke(
    core: Core,
    invocation: Invocation,
    attributes: AdmissionAttributes,
    how: {
      readonly settle: Settle;
      readonly rounds: Rounds;
      readonly problems: Problem[];
    },
  ): KubeObject | undefined {
    const { policy, binding, params, matched } = invocation;
    const { rounds, problems, settle } = how;
    const { conditions, mutators, variables } = this.#compile(policy);
    let { object } = attributes;
    const prepared = prepareRequest(core, attributes, { matched, params });
    const holds = conditionsHold(conditions, prepared, variables);
    if (holds === false) return object;
    if (holds !== true) {
      if (textAt(policy, 'spec', 'failurePolicy') === 'Ignore') return object;
      problems.push({ policy, binding, message: holds.error, reason: 'Invalid' });
      return object;
    }
    if (rounds.isSecond && !rounds.required.has(invocation.key)) return object;
    for (const mutator of object === undefined ? [] : mutators) {
      if (object === undefined) break;
      try {
        const shown = toVersion(object, matched);
        const given = {
          ...prepareRequest(core, { ...attributes, object }, { matched, params }).given,
          namespaceObject: wholeNamespace(prepared.namespace),
        };
        const activation = new Activation(given, variables, POLICY_COST_MAX);
        const patched = runMutator(mutator, shown, { activation, matched, core });
        object = settle(toVersion(patched, attributes.resource));
      } catch (error) {
        if (!(error instanceof MutationError)) throw error;
        problems.push({ policy, binding, message: error.message, reason: 'Invalid' });
      }
    }
    if (!equalJson(asJson(object), asJson(attributes.object))) {
      requireAgain(rounds);
      rounds.again = true;
    }
    if (textAt(policy, 'spec', 'reinvocationPolicy') === 'IfNeeded') {
      rounds.invoked.add(invocation.key);
    }
    return object;
  }

  #compile(policy: KubeObject): CompiledPolicy {
    const known = this.#compiled.get(policy);
    if (known !== undefined) return known;
    const { scope, variables } = compileVariables(policy);
    const made: CompiledPolicy = {
      variables,
      conditions: compileConditions(listAt(policy, 'spec', 'matchConditions'), scope),
      mutators: listAt(policy, 'spec', 'mutations').map((item) => compileMutator(item, scope)),
    };
    this.#compiled.set(policy, made);
    return made;
  }
}

function asJson(object: KubeObject | undefined): KubeObject | null {
  return object ?? null;
}

function invocationsOf(
  core: Core,
  { policy, bindings }: { readonly policy: KubeObject; readonly bindings: readonly KubeObject[] },
  attributes: AdmissionAttributes,
  problems: Problem[],
): readonly Invocation[] {
  const own = bindings.filter(
    (binding) => textAt(binding, 'spec', 'policyName') === policy.metadata.name,
  );
  if (own.length === 0) return [];
  const matched = matchResources(core, objectAt(policy, 'spec', 'matchConstraints'), attributes);
  if (matched === undefined) return [];
  const configured = <T>(
    binding: KubeObject | undefined,
    run: () => readonly T[],
  ): readonly T[] => {
    try {
      return run();
    } catch (error) {
      if (!(error instanceof ConfigurationError)) throw error;
      const what = binding === undefined ? 'policy' : 'binding';
      const message = `failed to configure ${what}: ${error.message}`;
      problems.push({ policy, binding, message, reason: '' });
      return [];
    }
  };
  return configured(undefined, () => {
    const parameters = parameterResource(core, policy);
    return own
      .filter((binding) => bindingMatches(core, binding, attributes))
      .flatMap((binding) =>
        configured(binding, () =>
          collectParameters(core, binding, parameters, attributes).map((params) => ({
            key: JSON.stringify([
              policy.metadata.name,
              binding.metadata.name,
              params?.metadata.namespace,
              params?.metadata.name,
            ]),
            policy,
            binding,
            params,
            matched,
          })),
        ),
      );
  });
}

/** A 403 whose message and reason are the first problem's; all are among the causes. */
function denied(problems: readonly Problem[], attributes: AdmissionAttributes): ApiError {
  const { resource } = attributes;
  const subject = {
    group: resource.group,
    resource: resource.name,
    name: nameForErrors(attributes),
  };
  const error = forbidden(subject, '');
  const messages = problems.map(({ policy, binding, message }) =>
    binding === undefined
      ? `policy ${JSON.stringify(policy.metadata.name)} denied request: ${message}`
      : `policy '${policy.metadata.name}' with binding '${binding.metadata.name}' denied request: ${message}`,
  );
  return new ApiError(403, problems[0]?.reason || 'Forbidden', messages[0] ?? '', {
    details: { ...error.details, causes: messages.map((message) => ({ message })) },
  });
}
