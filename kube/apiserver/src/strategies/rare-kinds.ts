import {
  dns1035LabelProblems,
  type FieldError,
  type Json,
  type KubeObject,
  pathSegmentProblems,
  subdomainProblems,
} from '@capstan/kube-object';
import {
  childDraft,
  type Draft,
  type DraftObject,
  draftList,
  draftObjects,
  isDraftObject,
  numberAt,
  objectAt,
  setDefault,
  textAt,
} from '../json.ts';
import type { Strategy } from '../served-resource.ts';
import { invalidAt, requiredAt } from '../validation/checks.ts';
import { portNumber } from '../validation/common.ts';

function zeroDefault(parent: DraftObject, key: string, value: Draft): void {
  if (parent[key] === 0 || parent[key] === '') delete parent[key];
  setDefault(parent, key, value);
}

function defaultDevices(spec: DraftObject): void {
  for (const request of draftObjects(childDraft(spec, 'devices'), 'requests')) {
    const exactly = request['exactly'];
    const all = [
      ...(isDraftObject(exactly) ? [exactly] : []),
      ...draftObjects(request, 'firstAvailable'),
    ];
    for (const one of all) {
      zeroDefault(one, 'allocationMode', 'ExactCount');
      if (one['allocationMode'] === 'ExactCount') zeroDefault(one, 'count', 1);
    }
  }
}

export const resourceClaimStrategy: Strategy = {
  hasStatus: true,
  applyDefaults: (object) => defaultDevices(childDraft(object, 'spec')),
};

export const resourceClaimTemplateStrategy: Strategy = {
  applyDefaults: (object) => defaultDevices(childDraft(childDraft(object, 'spec'), 'spec')),
};

const PRECEDENCE_DEFAULT = 1000;

export const flowSchemaStrategy: Strategy = {
  hasStatus: true,
  hasGeneration: true,
  applyDefaults(object) {
    zeroDefault(childDraft(object, 'spec'), 'matchingPrecedence', PRECEDENCE_DEFAULT);
  },
};

export const priorityLevelStrategy: Strategy = {
  hasStatus: true,
  hasGeneration: true,
  applyDefaults(object) {
    const { exempt, limited } = childDraft(object, 'spec');
    if (isDraftObject(exempt)) {
      setDefault(exempt, 'nominalConcurrencyShares', 0);
      setDefault(exempt, 'lendablePercent', 0);
    }
    if (!isDraftObject(limited)) return;
    zeroDefault(limited, 'nominalConcurrencyShares', 30);
    setDefault(limited, 'lendablePercent', 0);
    const queuing = childDraft(limited, 'limitResponse')['queuing'];
    if (!isDraftObject(queuing)) return;
    zeroDefault(queuing, 'handSize', 8);
    zeroDefault(queuing, 'queues', 64);
    zeroDefault(queuing, 'queueLengthLimit', 50);
  },
};

export const volumeAttachmentStrategy: Strategy = {
  hasStatus: true,
  needsVersionOnUpdate: true,
  prepareCreate(object) {
    object['status'] = { attached: false };
  },
};

const ATTRIBUTES_FINALIZER = 'kubernetes.io/vac-protection';

export const attributesClassStrategy: Strategy = {
  prepareCreate(object) {
    const metadata = childDraft(object, 'metadata');
    const finalizers = draftList(metadata, 'finalizers');
    if (finalizers.includes(ATTRIBUTES_FINALIZER)) return;
    metadata['finalizers'] = [...finalizers, ATTRIBUTES_FINALIZER];
  },
};

export const apiServiceStrategy: Strategy = {
  hasStatus: true,
  nameRule: 'any',
  applyDefaults(object) {
    const service = childDraft(object, 'spec')['service'];
    if (isDraftObject(service)) setDefault(service, 'port', 443);
  },
  validate: apiServiceErrors,
};

const GROUP_PRIORITY_MAX = 20_000;
const VERSION_PRIORITY_MAX = 1_000;

function apiServiceErrors(object: KubeObject): FieldError[] {
  const spec = objectAt(object, 'spec');
  const group = textAt(spec, 'group');
  const version = textAt(spec, 'version');
  const name = object.metadata.name ?? '';
  const errors: FieldError[] = [];
  const wanted = `${version}.${group}`;
  const problems = pathSegmentProblems(name);
  if (problems.length > 0) {
    errors.push(...problems.map((detail) => invalidAt('metadata.name', name, detail)));
  } else if (name !== wanted) {
    const detail = `must be \`spec.version+"."+spec.group\`: ${JSON.stringify(wanted)}`;
    errors.push(invalidAt('metadata.name', name, detail));
  }
  if (group === '' && version !== 'v1') {
    const detail = 'only v1 may have an empty group and it better be legacy kube';
    errors.push(requiredAt('spec.group', detail));
  }
  if (group !== '') {
    errors.push(
      ...subdomainProblems(group).map((detail) => invalidAt('spec.group', group, detail)),
    );
  }
  errors.push(
    ...dns1035LabelProblems(version).map((detail) => invalidAt('spec.version', version, detail)),
  );
  const within = (key: string, max: number): void => {
    const value = numberAt(spec, key) ?? 0;
    if (value > 0 && value <= max) return;
    errors.push(invalidAt(`spec.${key}`, value, `must be positive and less than ${max}`));
  };
  within('groupPriorityMinimum', GROUP_PRIORITY_MAX);
  within('versionPriority', VERSION_PRIORITY_MAX);
  return [...errors, ...apiServiceTarget(spec['service'], spec)];
}

function apiServiceTarget(service: Json | undefined, spec: object): FieldError[] {
  const bundle = textAt(spec, 'caBundle');
  const isInsecure = objectAt(spec)['insecureSkipTLSVerify'] === true;
  const at = 'spec.insecureSkipTLSVerify';
  if (service === undefined || service === null) {
    const bytes = `${Buffer.from(bundle, 'base64').length} bytes`;
    return [
      ...(bundle === ''
        ? []
        : [invalidAt('spec.caBundle', bytes, 'local APIServices may not have a caBundle')]),
      ...(isInsecure
        ? [invalidAt(at, true, 'local APIServices may not have insecureSkipTLSVerify')]
        : []),
    ];
  }
  return [
    ...(textAt(service, 'namespace') === '' ? [requiredAt('spec.service.namespace')] : []),
    ...(textAt(service, 'name') === '' ? [requiredAt('spec.service.name')] : []),
    ...portNumber(objectAt(service)['port'], 'spec.service.port').map((error) => ({
      ...error,
      detail: `port is not valid: ${error.detail}`,
    })),
    ...(isInsecure && bundle !== ''
      ? [invalidAt(at, true, 'may not be true if caBundle is present')]
      : []),
  ];
}
