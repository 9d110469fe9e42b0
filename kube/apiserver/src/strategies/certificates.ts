import type { FieldError, Json, KubeObject } from '@capstan/kube-object';
import {
  childDraft,
  cloneJson,
  type Draft,
  type DraftObject,
  draftObjects,
  equalJson,
  listAt,
  numberAt,
  objectAt,
  textAt,
} from '../json.ts';
import type { Strategy, StrategyContext } from '../served-resource.ts';
import {
  duplicateAt,
  forbiddenAt,
  invalidAt,
  notSupportedAt,
  oneOf,
  requiredAt,
} from '../validation/checks.ts';

const USAGES = [
  'any',
  'cert sign',
  'client auth',
  'code signing',
  'content commitment',
  'crl sign',
  'data encipherment',
  'decipher only',
  'digital signature',
  'email protection',
  'encipher only',
  'ipsec end system',
  'ipsec tunnel',
  'ipsec user',
  'key agreement',
  'key encipherment',
  'microsoft sgc',
  'netscape sgc',
  'ocsp signing',
  's/mime',
  'server auth',
  'signing',
  'timestamping',
] as const;
const LIFE_SECONDS_MIN = 600;
/** Conditions that stay once they are there. */
const LASTING = ['Approved', 'Denied', 'Failed'];
const DECISIONS = ['Approved', 'Denied'];

/** CertificateSigningRequests: what somebody asks for, in his own name, and how it was decided. */
export const certificateRequestStrategy: Strategy = {
  hasStatus: true,
  nameRule: 'any',
  resets: {
    '': [['f:spec'], ['f:status']],
    status: [['f:spec'], ['f:status', 'f:conditions']],
    approval: [['f:spec'], ['f:status', 'f:certificate']],
  },
  prepareCreate(object, { user }) {
    const spec = childDraft(object, 'spec');
    for (const key of ['username', 'uid', 'groups', 'extra']) delete spec[key];
    spec['username'] = user.username;
    if (user.uid !== undefined && user.uid !== '') spec['uid'] = user.uid;
    if (user.groups.length > 0) spec['groups'] = [...user.groups];
    const extra = Object.entries(user.extra ?? {});
    if (extra.length > 0) {
      spec['extra'] = Object.fromEntries(extra.map(([key, values]) => [key, [...values]]));
    }
    object['status'] = {};
  },
  prepareUpdate(object, old) {
    object['spec'] = cloneJson(objectAt(old, 'spec'));
    object['status'] = cloneJson(objectAt(old, 'status'));
  },
  prepareStatus(object, old, context, subresource) {
    const status = childDraft(object, 'status');
    if (subresource === 'approval') {
      const before = objectAt(old, 'status')['certificate'];
      if (before === undefined) delete status['certificate'];
      else status['certificate'] = before as Draft;
    } else keepDecisions(status, old);
    stampConditions(status, old, context);
  },
  validate: (object) => requestErrors(object),
  validateStatus: (object, old, subresource) => [
    ...requestErrors(object),
    ...changeErrors(object, old, subresource),
  ],
};

/** A decision is not for those who write the status. */
function keepDecisions(status: DraftObject, old: KubeObject): void {
  for (const type of DECISIONS) {
    const of = (conditions: readonly Json[]): readonly Json[] =>
      conditions.filter((condition) => textAt(condition, 'type') === type);
    const before = of(listAt(old, 'status', 'conditions'));
    const now = draftObjects(status, 'conditions').filter((item) => item['type'] === type);
    if (before.length !== now.length) continue;
    for (const [i, condition] of now.entries())
      Object.assign(condition, cloneJson(before[i] ?? {}));
  }
}

function stampConditions(status: DraftObject, old: KubeObject, context: StrategyContext): void {
  for (const condition of draftObjects(status, 'conditions')) {
    condition['lastUpdateTime'] ??= context.now();
    const same = listAt(old, 'status', 'conditions').find(
      (before) =>
        textAt(before, 'type') === condition['type'] &&
        textAt(before, 'status') === condition['status'],
    );
    condition['lastTransitionTime'] ??= textAt(same, 'lastTransitionTime') || context.now();
  }
}

function requestErrors(object: KubeObject): readonly FieldError[] {
  const spec = objectAt(object, 'spec');
  const errors: FieldError[] = [];
  const request = textAt(spec, 'request');
  const problem = requestProblem(Buffer.from(request, 'base64').toString('latin1'));
  if (problem !== undefined) errors.push(invalidAt('spec.request', request, problem));
  const usages = listAt(spec, 'usages').map(String);
  if (usages.length === 0) errors.push(requiredAt('spec.usages'));
  for (const [i, usage] of usages.entries())
    errors.push(...oneOf(...USAGES)(usage, `spec.usages[${i}]`));
  for (const [i, usage] of usages.entries()) {
    if (usages.indexOf(usage) < i) errors.push(duplicateAt(`spec.usages[${i}]`, usage));
  }
  errors.push(...signerErrors(textAt(spec, 'signerName')));
  const life = numberAt(spec, 'expirationSeconds');
  if (life !== undefined && life < LIFE_SECONDS_MIN) {
    const detail = 'may not specify a duration less than 600 seconds (10 minutes)';
    errors.push(invalidAt('spec.expirationSeconds', life, detail));
  }
  return [...errors, ...conditionErrors(object)];
}

const HEADER = '-----BEGIN CERTIFICATE REQUEST-----';

/** What is read of PKCS #10 here is its frame; nobody signs it. */
function requestProblem(pem: string): string | undefined {
  if (!pem.includes(HEADER)) return 'PEM block type must be CERTIFICATE REQUEST';
  const body =
    /-----BEGIN CERTIFICATE REQUEST-----([\s\S]*?)-----END CERTIFICATE REQUEST-----/.exec(pem);
  if (body === null) return 'PEM block type must be CERTIFICATE REQUEST';
  return undefined;
}

function signerErrors(name: string): readonly FieldError[] {
  const at = 'spec.signerName';
  if (name === '') return [requiredAt(at)];
  if (name === 'kubernetes.io/legacy-unknown') {
    return [invalidAt(at, name, 'the legacy signerName is not allowed via this API version')];
  }
  const form = "must be a fully qualified domain and path of the form 'example.com/signer-name'";
  const [domain = '', path = ''] = name.split('/');
  if (name.split('/').length !== 2 || !domain.includes('.') || path === '') {
    return [invalidAt(at, name, form)];
  }
  return [];
}

function conditionErrors(object: KubeObject): readonly FieldError[] {
  const at = 'status.conditions';
  const seen = new Set<string>();
  const errors: FieldError[] = [];
  for (const [i, condition] of listAt(object, 'status', 'conditions').entries()) {
    const type = textAt(condition, 'type');
    const status = textAt(condition, 'status');
    if (type === '') errors.push(requiredAt(`${at}[${i}].type`));
    const allowed = LASTING.includes(type) ? ['True'] : ['False', 'True', 'Unknown'];
    if (status === '') errors.push(requiredAt(`${at}[${i}].status`));
    else if (!allowed.includes(status)) {
      const detail = `supported values: ${allowed.map((text) => JSON.stringify(text)).join(', ')}`;
      errors.push(notSupportedAt(`${at}[${i}].status`, status, detail));
    }
    const other = DECISIONS.find((decision) => decision !== type);
    if (DECISIONS.includes(type) && other !== undefined && seen.has(other)) {
      errors.push(invalidAt(at, type, 'Approved and Denied conditions are mutually exclusive'));
    }
    if (seen.has(type)) errors.push(duplicateAt(`${at}[${i}].type`, type));
    seen.add(type);
  }
  return errors;
}

function changeErrors(
  object: KubeObject,
  old: KubeObject,
  subresource: string,
): readonly FieldError[] {
  const at = 'status.conditions';
  const of = (holder: KubeObject, type: string): readonly Json[] =>
    listAt(holder, 'status', 'conditions').filter((item) => textAt(item, 'type') === type);
  const removed = LASTING.filter((type) => of(object, type).length < of(old, type).length).map(
    (type) => forbiddenAt(at, `updates may not remove a condition of type ${JSON.stringify(type)}`),
  );
  if (subresource === 'approval') return removed;
  const changed = DECISIONS.flatMap((type) => {
    const [now, before] = [of(object, type), of(old, type)];
    if (now.length > before.length) {
      return [forbiddenAt(at, `updates may not add a condition of type ${JSON.stringify(type)}`)];
    }
    if (now.length < before.length || equalJson([...now], [...before])) return [];
    return [forbiddenAt(at, `updates may not modify a condition of type ${JSON.stringify(type)}`)];
  });
  return [...removed, ...changed];
}
