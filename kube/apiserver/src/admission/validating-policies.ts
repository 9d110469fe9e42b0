import type { KubeObject } from '@capstan/kube-object';
import { ApiError, forbidden } from '../api-error.ts';
import { type Core, listBucket } from '../core.ts';
import { listAt, objectAt, textAt } from '../json.ts';
import type { ServedResource } from '../served-resource.ts';
import { Activation, type Evaluation, OutOfBudget, POLICY_COST_MAX } from './activation.ts';
import { type AdmissionAttributes, nameForErrors } from './attributes.ts';
import {
  type Condition,
  compileConditions,
  compileVariables,
  conditionsHold,
  type PreparedRequest,
  prepareRequest,
  wholeNamespace,
} from './compiled-policy.ts';
import { ADMISSION_GROUP, bindingMatches, matchResources } from './match-request.ts';
import { ConfigurationError, collectParameters, parameterResource } from './parameters.ts';
import { compileExpression, type PolicyExpression } from './policy-expression.ts';

export const VALIDATING_POLICIES = `${ADMISSION_GROUP}/validatingadmissionpolicies`;
export const VALIDATING_BINDINGS = `${ADMISSION_GROUP}/validatingadmissionpolicybindings`;

const MESSAGE_BYTES_MAX = 5 * 1024;

interface Validation {
  readonly expression: PolicyExpression;
  readonly message: string;
  readonly messageExpression: PolicyExpression | undefined;
  readonly reason: string;
}

interface CompiledPolicy {
  readonly conditions: readonly Condition[];
  readonly validations: readonly Validation[];
  readonly annotations: readonly PolicyExpression[];
  readonly variables: ReadonlyMap<string, PolicyExpression>;
}

interface Denial {
  readonly policy: KubeObject;
  readonly binding: KubeObject | undefined;
  readonly message: string;
  readonly reason: string;
}

/** What one policy says of a request. */
interface Verdict {
  readonly message: string;
  readonly reason: string;
  /** Audit annotations that cannot be computed deny whatever the binding says. */
  readonly always?: boolean;
}

/** Asks every ValidatingAdmissionPolicy that is bound (k8s.io/apiserver's plugin policy/validating). */
export class ValidatingPolicies {
  readonly #compiled = new WeakMap<KubeObject, CompiledPolicy>();

  /** Throws the answer to a request that a policy denies; warnings go to `warn`. */
  validate(core: Core, attributes: AdmissionAttributes, warn: (text: string) => void): void {
    const bindings = listBucket(core.store, VALIDATING_BINDINGS);
    if (bindings.length === 0) return;
    const denials: Denial[] = [];
    for (const policy of listBucket(core.store, VALIDATING_POLICIES)) {
      const own = bindings.filter(
        (binding) => textAt(binding, 'spec', 'policyName') === policy.metadata.name,
      );
      if (own.length > 0)
        denials.push(...this.#ask(core, { policy, bindings: own }, attributes, warn));
    }
    const [first] = denials;
    if (first !== undefined) throw denied(first, attributes);
  }

  #ask(
    core: Core,
    { policy, bindings }: { readonly policy: KubeObject; readonly bindings: readonly KubeObject[] },
    attributes: AdmissionAttributes,
    warn: (text: string) => void,
  ): readonly Denial[] {
    const constraints = objectAt(policy, 'spec', 'matchConstraints');
    const matched = matchResources(core, constraints, attributes);
    if (matched === undefined) return [];
    let parameters: ServedResource | undefined;
    try {
      parameters = parameterResource(core, policy);
    } catch (error) {
      return configurationDenial(error, policy, undefined);
    }
    return bindings
      .filter((binding) => bindingMatches(core, binding, attributes))
      .flatMap((binding) => {
        try {
          const found = collectParameters(core, binding, parameters, attributes);
          return found.flatMap((params) =>
            this.#evaluate(core, { policy, matched, params }, attributes).flatMap((verdict) =>
              enforce(verdict, policy, binding, warn),
            ),
          );
        } catch (error) {
          return configurationDenial(error, policy, binding);
        }
      });
  }

  #evaluate(
    core: Core,
    how: {
      readonly policy: KubeObject;
      readonly matched: ServedResource;
      readonly params: KubeObject | undefined;
    },
    attributes: AdmissionAttributes,
  ): readonly Verdict[] {
    const { policy, matched, params } = how;
    const compiled = this.#compile(policy);
    const fails = textAt(policy, 'spec', 'failurePolicy') !== 'Ignore';
    const prepared = prepareRequest(core, attributes, { matched, params });
    const holds = conditionsHold(compiled.conditions, prepared, compiled.variables);
    if (holds === false) return [];
    if (holds !== true) return fails ? [{ message: holds.error, reason: '' }] : [];
    try {
      return [
        ...validationVerdicts(compiled, prepared, fails),
        ...annotationVerdicts(compiled, prepared, fails),
      ];
    } catch (error) {
      if (!(error instanceof OutOfBudget)) throw error;
      return fails ? [{ message: error.message, reason: '' }] : [];
    }
  }

  #compile(policy: KubeObject): CompiledPolicy {
    const known = this.#compiled.get(policy);
    if (known !== undefined) return known;
    const { scope, variables } = compileVariables(policy);
    const messages = { ...scope, hasAuthorizer: false };
    const made: CompiledPolicy = {
      variables,
      conditions: compileConditions(listAt(policy, 'spec', 'matchConditions'), scope),
      validations: listAt(policy, 'spec', 'validations').map((item) => ({
        expression: compileExpression(textAt(item, 'expression'), scope, ['bool']),
        message: textAt(item, 'message').trim(),
        messageExpression:
          textAt(item, 'messageExpression') === ''
            ? undefined
            : compileExpression(textAt(item, 'messageExpression'), messages, ['string']),
        reason: textAt(item, 'reason') || 'Invalid',
      })),
      annotations: listAt(policy, 'spec', 'auditAnnotations').map((item) =>
        compileExpression(textAt(item, 'valueExpression'), scope, ['string', 'null_type']),
      ),
    };
    this.#compiled.set(policy, made);
    return made;
  }
}

function validationVerdicts(
  { validations, variables }: CompiledPolicy,
  { given }: PreparedRequest,
  fails: boolean,
): readonly Verdict[] {
  const activation = new Activation(given, variables, POLICY_COST_MAX);
  const found = validations.map(({ expression }) => activation.evaluate(expression));
  const texts = { ...given, authorizer: undefined, requestResource: undefined };
  const messages = computeMessages(
    validations,
    new Activation(texts, variables, activation.budget),
  );
  return validations.flatMap((validation, i) => {
    const evaluation = found[i] as Evaluation;
    const error = evaluation.kind === 'error' ? evaluation.message : messages.error;
    if (error !== undefined) return fails ? [{ message: error, reason: '' }] : [];
    if (evaluation.kind === 'value' && evaluation.value === true) return [];
    const message =
      messages.of(i) ||
      validation.message ||
      `failed expression: ${validation.expression.source.trim()}`;
    return [{ message, reason: validation.reason }];
  });
}

/** Messages are computed for all validations, also those that hold: what that costs is a matter of the whole policy. */
function computeMessages(
  validations: readonly Validation[],
  activation: Activation,
): { readonly error: string | undefined; of(index: number): string } {
  try {
    const found = validations.map(({ messageExpression }) =>
      messageExpression === undefined ? undefined : activation.evaluate(messageExpression),
    );
    return { error: undefined, of: (index) => messageText(found[index]) };
  } catch (error) {
    if (!(error instanceof OutOfBudget)) throw error;
    return { error: `failed messageExpression: ${error.message}`, of: () => '' };
  }
}

/** The text that a messageExpression gives, unless it is none, empty, too long, or several lines. */
function messageText(found: Evaluation | undefined): string {
  if (found?.kind !== 'value' || typeof found.value !== 'string') return '';
  const text = found.value.trim();
  return Buffer.byteLength(text) > MESSAGE_BYTES_MAX || text.includes('\n') ? '' : text;
}

/** The values go to an audit log, which is not kept here; that they can be computed is still a condition. */
function annotationVerdicts(
  { annotations, variables }: CompiledPolicy,
  { given, namespace }: PreparedRequest,
  fails: boolean,
): readonly Verdict[] {
  const seen = {
    ...given,
    namespaceObject: wholeNamespace(namespace),
    authorizer: undefined,
    requestResource: undefined,
  };
  const activation = new Activation(seen, variables, POLICY_COST_MAX);
  return annotations
    .map((annotation) => activation.evaluate(annotation))
    .flatMap((found) =>
      found.kind === 'value' || !fails
        ? []
        : [{ message: found.message, reason: '', always: true }],
    );
}

/** A verdict as the binding has it count. */
function enforce(
  { message, reason, always }: Verdict,
  policy: KubeObject,
  binding: KubeObject,
  warn: (text: string) => void,
): readonly Denial[] {
  const denial: Denial = { policy, binding, message, reason };
  if (always === true) return [denial];
  return listAt(binding, 'spec', 'validationActions').flatMap((action) => {
    if (action === 'Deny') return [denial];
    if (action === 'Warn') {
      warn(
        `Validation failed for ValidatingAdmissionPolicy '${policy.metadata.name}' with binding '${binding.metadata.name}': ${message}`,
      );
    }
    return [];
  });
}

function configurationDenial(
  error: unknown,
  policy: KubeObject,
  binding: KubeObject | undefined,
): readonly Denial[] {
  if (!(error instanceof ConfigurationError)) throw error;
  if (textAt(policy, 'spec', 'failurePolicy') === 'Ignore') return [];
  const what = binding === undefined ? 'policy' : 'binding';
  return [
    { policy, binding, message: `failed to configure ${what}: ${error.message}`, reason: '' },
  ];
}

const CODES: Readonly<Record<string, number>> = {
  Forbidden: 403,
  Unauthorized: 401,
  RequestEntityTooLarge: 413,
};

function denied(denial: Denial, attributes: AdmissionAttributes): ApiError {
  const { policy, binding, message } = denial;
  const by = binding === undefined ? '' : ` with binding '${binding.metadata.name}'`;
  const text = `ValidatingAdmissionPolicy '${policy.metadata.name}'${by} denied request: ${message}`;
  const { resource } = attributes;
  const subject = {
    group: resource.group,
    resource: resource.name,
    name: nameForErrors(attributes),
  };
  const error = forbidden(subject, text);
  const reason = denial.reason || 'Invalid';
  return new ApiError(CODES[reason] ?? 422, reason, error.message, {
    details: { ...error.details, causes: [{ message: text }] },
  });
}
