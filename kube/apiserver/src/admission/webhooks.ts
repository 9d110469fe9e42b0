import { randomUUID } from 'node:crypto';
import { applyJsonPatch, PatchError } from '@capstan/kube-merge';
import type { Json, JsonObject, KubeObject } from '@capstan/kube-object';
import { ApiError, badRequest, forbidden, internalError } from '../api-error.ts';
import { type Core, listBucket } from '../core.ts';
import { equalJson, listAt, objectAt, textAt } from '../json.ts';
import type { ServedResource } from '../served-resource.ts';
import { toVersion } from '../version-conversion.ts';
import type { AdmissionAttributes } from './attributes.ts';
import {
  type Condition,
  compileConditions,
  conditionsHold,
  prepareRequest,
  requestFor,
} from './compiled-policy.ts';
import { ADMISSION_GROUP, matchRules, selects } from './match-request.ts';
import type { Settle } from './mutating-policies.ts';
import { type Rounds, requireAgain } from './rounds.ts';
import { type Question, type Sessions, WebhookPending } from './session.ts';
import { callWebhook, type WebhookAnswer } from './webhook-call.ts';
import { webhookTarget } from './webhook-target.ts';

export const VALIDATING_WEBHOOKS = `${ADMISSION_GROUP}/validatingwebhookconfigurations`;
export const MUTATING_WEBHOOKS = `${ADMISSION_GROUP}/mutatingwebhookconfigurations`;

interface Hook {
  readonly uid: string;
  readonly webhook: Json;
  readonly name: string;
}

/** Asks the webhooks of the cluster (k8s.io/apiserver's plugins webhook/mutating and webhook/validating). */
export class Webhooks {
  readonly #compiled = new WeakMap<object, readonly Condition[]>();
  readonly #sessions: Sessions;
  /** In a copy of a cluster nobody outside is asked. */
  readonly #asksOutside: boolean;

  constructor(sessions: Sessions, asksOutside: boolean) {
    this.#sessions = sessions;
    this.#asksOutside = asksOutside;
  }

  /** All at once; the first that refuses is told. */
  validate(core: Core, attributes: AdmissionAttributes, warn: (text: string) => void): void {
    const asked = hooksOf(core, VALIDATING_WEBHOOKS).flatMap((hook) => {
      const matched = this.#matches(core, hook, attributes);
      return matched === undefined ? [] : [{ hook, matched }];
    });
    const answers = asked.map(({ hook, matched }) => ({
      hook,
      answer: this.#answer(core, hook, matched, { attributes, isMutating: false }),
    }));
    const open = answers.flatMap(({ answer }) => ('ask' in answer ? [answer] : []));
    if (open.length > 0) throw new WebhookPending(open);
    for (const { hook, answer } of answers) {
      if (!('ask' in answer)) obey(hook, answer, warn);
    }
  }

  /** One after the other, each on what the one before has left. */
  mutate(
    core: Core,
    attributes: AdmissionAttributes,
    how: {
      readonly settle: Settle;
      readonly rounds: Rounds;
      readonly warn: (text: string) => void;
    },
  ): KubeObject | undefined {
    const { rounds, settle, warn } = how;
    if (rounds.isSecond && !sameObject(rounds.last, attributes.object)) requireAgain(rounds);
    let current = attributes;
    for (const hook of hooksOf(core, MUTATING_WEBHOOKS)) {
      const matched = this.#matches(core, hook, current);
      if (matched === undefined) continue;
      if (rounds.isSecond && !rounds.required.has(hook.uid)) continue;
      const answer = this.#answer(core, hook, matched, { attributes: current, isMutating: true });
      if ('ask' in answer) throw new WebhookPending([answer]);
      const patch = obey(hook, answer, warn);
      const object = patched(hook, patch, current.object, matched, settle);
      if (!sameObject(object, current.object)) {
        requireAgain(rounds);
        rounds.again = true;
      }
      current = { ...current, object };
      if (textAt(hook.webhook, 'reinvocationPolicy') === 'IfNeeded') rounds.invoked.add(hook.uid);
    }
    rounds.last = current.object;
    return current.object;
  }

  #matches(core: Core, hook: Hook, attributes: AdmissionAttributes): ServedResource | undefined {
    const webhook = objectAt(hook.webhook);
    if (!selects(core, webhook, attributes)) return undefined;
    const exact = textAt(webhook, 'matchPolicy') === 'Exact';
    const matched = matchRules(core, listAt(webhook, 'rules'), attributes, exact);
    const conditions = this.#conditions(webhook);
    if (matched === undefined || conditions.length === 0) return matched;
    const prepared = prepareRequest(core, attributes, { matched, params: undefined });
    const holds = conditionsHold(conditions, prepared, new Map());
    if (holds === true) return matched;
    if (holds === false || textAt(webhook, 'failurePolicy') === 'Ignore') return undefined;
    const { resource, name } = attributes;
    throw forbidden({ group: resource.group, resource: resource.name, name }, holds.error);
  }

  #conditions(webhook: JsonObject): readonly Condition[] {
    const known = this.#compiled.get(webhook);
    if (known !== undefined) return known;
    const made = compileConditions(listAt(webhook, 'matchConditions'), {
      hasParams: false,
      hasAuthorizer: true,
      hasPatchTypes: false,
      variables: undefined,
    });
    this.#compiled.set(webhook, made);
    return made;
  }

  /** The answer if it is known, else the question. */
  #answer(
    core: Core,
    hook: Hook,
    matched: ServedResource,
    how: { readonly attributes: AdmissionAttributes; readonly isMutating: boolean },
  ): WebhookAnswer | Question {
    const { attributes, isMutating } = how;
    const allowed: WebhookAnswer = { kind: 'allowed', patch: undefined, warnings: [] };
    const sideEffects = textAt(hook.webhook, 'sideEffects');
    if (attributes.dryRun && sideEffects !== 'None' && sideEffects !== 'NoneOnDryRun') {
      throw badRequest(`admission webhook ${JSON.stringify(hook.name)} does not support dry run`);
    }
    const target = webhookTarget(core, hook.webhook);
    if (target.kind === 'unreachable') return { kind: 'failed', message: target.message };
    if (target.kind === 'simulated' || !this.#asksOutside) return allowed;
    const version = listAt(hook.webhook, 'admissionReviewVersions').find(
      (item) => item === 'v1' || item === 'v1beta1',
    );
    const request = reviewRequest(attributes, matched);
    const key = JSON.stringify([hook.uid, isMutating, request]);
    return (
      this.#sessions.answer(key) ?? {
        key,
        ask: () =>
          callWebhook(
            target.endpoint,
            {
              kind: 'AdmissionReview',
              apiVersion: `admission.k8s.io/${String(version ?? 'v1')}`,
              request: { uid: randomUUID(), ...request },
            },
            isMutating,
          ),
      }
    );
  }
}

function hooksOf(core: Core, bucket: string): readonly Hook[] {
  return listBucket(core.store, bucket).flatMap((configuration) => {
    const seen = new Map<string, number>();
    return listAt(configuration, 'webhooks').map((webhook) => {
      const name = textAt(webhook, 'name');
      const count = seen.get(name) ?? 0;
      seen.set(name, count + 1);
      return { webhook, name, uid: `${configuration.metadata.name}/${name}/${count}` };
    });
  });
}

function reviewRequest(attributes: AdmissionAttributes, matched: ServedResource): JsonObject {
  const { dryRun, options, ...request } = requestFor(attributes, matched) as {
    readonly [key: string]: Json;
  };
  const shown = (object: KubeObject | undefined): Json =>
    object === undefined
      ? null
      : ((object.kind === attributes.resource.kind ? toVersion(object, matched) : object) as Json);
  return {
    ...request,
    object: shown(attributes.object),
    oldObject: shown(attributes.oldObject),
    dryRun: dryRun ?? false,
    options: options ?? null,
  };
}

function sameObject(a: KubeObject | undefined, b: KubeObject | undefined): boolean {
  return equalJson(a ?? null, b ?? null);
}

/** The patch of an answer; throws when it refuses, or when it failed and that counts. */
function obey(hook: Hook, answer: WebhookAnswer, warn: (text: string) => void): Json | undefined {
  if (answer.kind === 'failed') {
    if (textAt(hook.webhook, 'failurePolicy') === 'Ignore') return undefined;
    throw internalError(`failed calling webhook ${JSON.stringify(hook.name)}: ${answer.message}`);
  }
  for (const warning of answer.warnings) warn(warning);
  if (answer.kind === 'denied') throw rejection(hook.name, answer.status);
  return answer.patch;
}

const FAILURE_MIN = 400;

/** The status that a webhook gave, with who it is from. */
function rejection(name: string, status: JsonObject): ApiError {
  const code = typeof status['code'] === 'number' ? status['code'] : 0;
  const reason = textAt(status, 'reason');
  const deniedBy = `admission webhook ${JSON.stringify(name)} denied the request`;
  const why = textAt(status, 'message') || reason;
  const message = why === '' ? `${deniedBy} without explanation` : `${deniedBy}: ${why}`;
  const details = status['details'];
  return new ApiError(Math.max(code, FAILURE_MIN), reason, message, {
    ...(details === undefined || details === null ? {} : { details: objectAt(details) }),
  });
}

function patched(
  hook: Hook,
  patch: Json | undefined,
  object: KubeObject | undefined,
  matched: ServedResource,
  settle: Settle,
): KubeObject | undefined {
  if (patch === undefined || (Array.isArray(patch) && patch.length === 0)) return object;
  if (object === undefined) {
    throw internalError(
      `admission webhook ${JSON.stringify(hook.name)} attempted to modify the object, which is not supported for this operation`,
    );
  }
  try {
    const result = applyJsonPatch(toVersion(object, matched), patch) as unknown as KubeObject;
    return settle(
      result.apiVersion === object.apiVersion
        ? result
        : { ...result, apiVersion: object.apiVersion },
    );
  } catch (error) {
    if (!(error instanceof PatchError)) throw error;
    throw internalError(error.message, error);
  }
}
