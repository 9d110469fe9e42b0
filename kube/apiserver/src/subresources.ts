import type { JsonObject, KubeObject } from '@capstan/kube-object';
import { attributesOf, mutateDraft } from './admission/admit-write.ts';
import type { AdmissionAttributes } from './admission/attributes.ts';
import {
  ApiError,
  badRequest,
  conflict,
  internalError,
  invalid,
  noSuchResource,
  notFound,
  tooManyRequests,
} from './api-error.ts';
import { ISSUER } from './auth/tokens.ts';
import { bodyText, requireObject } from './body.ts';
import { type Core, keyFor, listBucket, timestamp } from './core.ts';
import { encodeObject, encodeValue, withWarnings } from './encode.ts';
import { type Call, readDraft, targetOf, writeOptionsOf } from './handle-request.ts';
import type { ApiResponse } from './http-types.ts';
import { bindPod, finalizeNamespace } from './internal-writes.ts';
import { type DraftObject, listAt, numberAt, objectAt, textAt, valueAt } from './json.ts';
import { representationFor } from './negotiation.ts';
import { proxyToNode } from './node-proxy.ts';
import { patchObject } from './patch-object.ts';
import { proxyToPod } from './pod-proxy.ts';
import { readObject } from './read-object.ts';
import { removeObject } from './remove-object.ts';
import { isTrue } from './request-info.ts';
import { runScale } from './scale.ts';
import { fromSelectorObject, matchesLabels } from './selectors.ts';
import { prepareStreams } from './streams/stream-call.ts';
import { subjectOf, updateObject } from './write-object.ts';

/** Answers a request below an object: `/status`, `/scale` and so on. */
export function runSubresource(core: Core, call: Call): ApiResponse | Promise<ApiResponse> {
  const { info, resource } = call;
  const known = resource.subresources.find((sub) => sub.name === info.subresource);
  if (known === undefined) throw noSuchResource();
  if (info.subresource === 'log') return log(core, call);
  if (!known.verbs.includes(info.verb)) throw noSuchResource();
  switch (info.subresource) {
    case 'status':
    case 'approval':
    case 'ephemeralcontainers':
    case 'resize':
      return partOf(core, call);
    case 'scale':
      return runScale(core, call);
    case 'finalize':
      return finalize(core, call);
    case 'binding':
      return binding(core, call);
    case 'eviction':
      return evict(core, call);
    case 'token':
      return token(core, call);
    case 'exec':
    case 'attach':
    case 'portforward':
      // Whoever comes with an upgrade is met by `listen`; what is wrong beside the missing one is told first.
      prepareStreams(core, call.user, call.request);
      throw badRequest('Upgrade request required');
    case 'proxy':
      return resource.name === 'nodes' ? proxyToNode(core, call) : proxyToPod(core, call);
    default:
  }
  throw new ApiError(
    501,
    'NotImplemented',
    `${resource.name}/${info.subresource} is not served by the sandbox`,
  );
}

/** Reads or writes one part of an object; the rest stays as it is. */
function partOf(core: Core, call: Call): ApiResponse {
  const representation = representationFor(call);
  const answer = (object: KubeObject): ApiResponse =>
    withWarnings(encodeObject(core, { status: 200, object, representation, call }), call.warnings);
  if (call.info.verb === 'get') return answer(readObject(core, targetOf(call)));
  const options = writeOptionsOf(call);
  const subresource = call.info.subresource;
  if (call.info.verb === 'patch') {
    const request = {
      contentType: call.request.headers['content-type'],
      text: bodyText(call.request.body),
      force: isTrue(call.query.get('force')),
      subresource,
      parseYaml: core.parseYaml,
      hasFieldManager: (call.query.get('fieldManager') ?? '') !== '',
    };
    return answer(patchObject(core, targetOf(call), request, options).object);
  }
  const body = readDraft(core, call);
  const { value } = body;
  const draft = requireObject(value);
  return answer(
    updateObject(core, targetOf(call), draft, { ...options, body, subresource }).object,
  );
}

function finalize(core: Core, call: Call): ApiResponse {
  const representation = representationFor(call);
  const target = targetOf(call);
  const old = readObject(core, target);
  const draft = requireObject(readDraft(core, call).value);
  const finalizers = listAt(draft, 'spec', 'finalizers');
  if (finalizers.length === 0 && isGoing(old)) finalizeNamespace(core, target.name);
  else {
    const spec: JsonObject = finalizers.length === 0 ? {} : { finalizers };
    core.store.put(call.resource.bucket, target.name, { ...old, spec });
  }
  const left = core.store.get(call.resource.bucket, target.name);
  const object = left ?? { ...old, spec: {} };
  return encodeObject(core, { status: 200, object, representation, call });
}

/** Asks admission about an object that is handed to a subresource and kept nowhere; it may be changed. */
function admitPart(core: Core, call: Call, draft: DraftObject): void {
  const { info, resource, user } = call;
  const kind = resource.subresources.find((sub) => sub.name === info.subresource)?.kind;
  const options = writeOptionsOf(call);
  const object = (): KubeObject => draft as unknown as KubeObject;
  const attributes = (): AdmissionAttributes =>
    attributesOf({ ...targetOf(call), ...options, user, subresource: info.subresource }, 'CREATE', {
      ...(kind === undefined ? {} : { kind }),
      object: object(),
      oldObject: undefined,
    });
  mutateDraft(core, draft, attributes(), { warn: options.warn, settle: () => undefined });
  core.admission.validate(core, attributes(), options.warn);
}

function binding(core: Core, call: Call): ApiResponse {
  const draft = requireObject(readDraft(core, call).value);
  admitPart(core, call, draft);
  bindPod(core, call.info.namespace, call.info.name, textAt(draft, 'target', 'name'));
  return encodeValue(core, 201, SUCCESS, representationFor(call));
}

const SUCCESS: JsonObject = {
  kind: 'Status',
  apiVersion: 'v1',
  metadata: {},
  status: 'Success',
  code: 201,
};

/** Deletes a pod unless a PodDisruptionBudget says that it is needed. */
function evict(core: Core, call: Call): ApiResponse {
  const target = targetOf(call);
  const pod = readObject(core, target);
  const draft = requireObject(readDraft(core, call).value);
  const dryRun =
    call.query.getAll('dryRun').includes('All') ||
    listAt(draft, 'deleteOptions', 'dryRun').includes('All');
  admitPart(core, call, draft);
  const budgets = listBucket(core.store, 'policy/poddisruptionbudgets', target.namespace).filter(
    (budget) => {
      const selector = fromSelectorObject(valueAt(budget, 'spec', 'selector'));
      return selector !== undefined && matchesLabels(selector, pod.metadata.labels);
    },
  );
  const phase = textAt(pod, 'status', 'phase');
  const isFree = ['Succeeded', 'Failed', 'Pending'].includes(phase) || isGoing(pod);
  const [budget, ...more] = isFree ? [] : budgets;
  if (more.length > 0) {
    throw internalError(
      'This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.',
    );
  }
  if (budget !== undefined && !mayGoUnready(budget, pod)) spendBudget(core, budget, dryRun);
  const grace = numberAt(draft, 'deleteOptions', 'gracePeriodSeconds');
  removeObject(core, target, {
    user: call.user,
    dryRun,
    warn: () => undefined,
    admitted: 'already',
    ...(grace === undefined ? {} : { gracePeriodSeconds: grace }),
  });
  return encodeValue(core, 201, SUCCESS, representationFor(call));
}

function isGoing({ metadata }: KubeObject): boolean {
  return metadata.deletionTimestamp !== undefined;
}

/** A pod that is not ready is no loss, where the budget says so or has as many that are ready as it wants. */
function mayGoUnready(budget: KubeObject, pod: KubeObject): boolean {
  const isReady = listAt(pod, 'status', 'conditions').some(
    (condition) => textAt(condition, 'type') === 'Ready' && textAt(condition, 'status') === 'True',
  );
  if (isReady) return false;
  if (textAt(budget, 'spec', 'unhealthyPodEvictionPolicy') === 'AlwaysAllow') return true;
  const wanted = numberAt(budget, 'status', 'desiredHealthy') ?? 0;
  return wanted > 0 && (numberAt(budget, 'status', 'currentHealthy') ?? 0) >= wanted;
}

function spendBudget(core: Core, budget: KubeObject, dryRun: boolean): void {
  const allowed = numberAt(budget, 'status', 'disruptionsAllowed') ?? 0;
  const name = budget.metadata.name ?? '';
  if (allowed <= 0) {
    const error = tooManyRequests(
      "Cannot evict pod as it would violate the pod's disruption budget.",
      0,
    );
    throw new ApiError(error.code, error.reason, error.message, {
      details: {
        causes: [
          {
            reason: 'DisruptionBudget',
            message: `The disruption budget ${name} needs ${numberAt(budget, 'status', 'desiredHealthy') ?? 0} healthy pods and has ${numberAt(budget, 'status', 'currentHealthy') ?? 0} currently`,
          },
        ],
      },
    });
  }
  if (dryRun) return;
  core.store.put('policy/poddisruptionbudgets', `${budget.metadata.namespace}/${name}`, {
    ...budget,
    status: { ...objectAt(budget, 'status'), disruptionsAllowed: allowed - 1 },
  });
}

const TOKEN_SECONDS_MIN = 600;
const TOKEN_SECONDS_DEFAULT = 3600;

function token(core: Core, call: Call): ApiResponse {
  const representation = representationFor(call);
  const account = readObject(core, targetOf(call));
  const draft = requireObject(readDraft(core, call).value);
  admitPart(core, call, draft);
  const seconds = numberAt(draft, 'spec', 'expirationSeconds') ?? TOKEN_SECONDS_DEFAULT;
  if (seconds < TOKEN_SECONDS_MIN) {
    throw invalid({ group: 'authentication.k8s.io', kind: 'TokenRequest', name: '' }, [
      {
        reason: 'FieldValueInvalid',
        field: 'spec.expirationSeconds',
        value: seconds,
        detail: 'may not specify a duration less than 10 minutes',
      },
    ]);
  }
  const given = listAt(draft, 'spec', 'audiences').map(String);
  const audiences = given.length === 0 ? [ISSUER] : given;
  const reference = objectAt(draft, 'spec', 'boundObjectRef');
  const bound = boundPod(core, call, reference);
  const { namespace = '', name = '', uid = '' } = account.metadata;
  const issued = core.signer.issue(core, {
    namespace,
    name,
    uid,
    audiences,
    expirationSeconds: seconds,
    ...(bound === undefined ? {} : { bound }),
  });
  const answer: DraftObject = {
    kind: 'TokenRequest',
    apiVersion: 'authentication.k8s.io/v1',
    metadata: { name, namespace, creationTimestamp: timestamp(core.clock) },
    spec: {
      audiences: [...audiences],
      expirationSeconds: seconds,
      boundObjectRef: Object.keys(reference).length === 0 ? null : (reference as DraftObject),
    },
    status: { ...issued },
  };
  const object = answer as unknown as KubeObject;
  return encodeObject(core, { status: 201, object, representation, call });
}

function boundPod(core: Core, call: Call, reference: JsonObject): JsonObject | undefined {
  if (textAt(reference, 'kind') !== 'Pod') return undefined;
  const name = textAt(reference, 'name');
  const pod = core.store.get('/pods', `${call.info.namespace}/${name}`);
  if (pod === undefined) throw notFound({ group: '', resource: 'pods', name });
  const uid = textAt(reference, 'uid');
  if (uid !== '' && uid !== pod.metadata.uid) {
    throw conflict(
      { group: '', resource: 'pods', name },
      `the UID in the bound object reference (${uid}) does not match the UID in record. The object might have been deleted and then recreated`,
    );
  }
  return { name, uid: pod.metadata.uid ?? '' };
}

/** The simulated output of a container, from whoever simulates it. */
function log(core: Core, call: Call): ApiResponse {
  const target = targetOf(call);
  const pod = core.store.get('/pods', keyFor(call.resource, target.namespace, target.name));
  if (pod === undefined) throw notFound(subjectOf(target));
  const names = ['containers', 'initContainers'].flatMap((key) =>
    listAt(pod, 'spec', key).map((container) => textAt(container, 'name')),
  );
  const wanted = call.query.get('container') ?? '';
  const containers = listAt(pod, 'spec', 'containers').length;
  if (wanted === '' && containers > 1) {
    throw badRequest(
      `a container name must be specified for pod ${target.name}, choose one of: [${names.join(' ')}]`,
    );
  }
  const container = wanted === '' ? (names[0] ?? '') : wanted;
  if (!names.includes(container)) {
    throw badRequest(`container ${container} is not valid for pod ${target.name}`);
  }
  return {
    status: 200,
    headers: { 'content-type': 'text/plain' },
    body: core.runtime.logs(core, pod, {
      container,
      follow: isTrue(call.query.get('follow')),
      previous: isTrue(call.query.get('previous')),
      timestamps: isTrue(call.query.get('timestamps')),
      tailLines: numberParameter(call.query, 'tailLines'),
      sinceMs: logsSince(core, call.query),
      limitBytes: numberParameter(call.query, 'limitBytes'),
      signal: call.request.signal,
    }),
  };
}

function logsSince(core: Core, query: URLSearchParams): number | undefined {
  const seconds = numberParameter(query, 'sinceSeconds');
  if (seconds !== undefined) return core.clock.now() - seconds * 1000;
  const time = Date.parse(query.get('sinceTime') ?? '');
  return Number.isNaN(time) ? undefined : time;
}

function numberParameter(query: URLSearchParams, name: string): number | undefined {
  const text = query.get(name);
  return text === null || text === '' || Number.isNaN(Number(text)) ? undefined : Number(text);
}
