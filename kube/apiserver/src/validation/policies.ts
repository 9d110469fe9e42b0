import {
  dns1035LabelProblems,
  type FieldError,
  type Json,
  type JsonObject,
  type KubeObject,
  labelKeyProblems,
  pathSegmentProblems,
  subdomainProblems,
} from '@capstan/kube-object';
import type { CelType } from '@capstan/lib-expressions';
import { compileExpression, type ExpressionScope } from '../admission/policy-expression.ts';
import { equalJson, isObject, listAt, objectAt, textAt } from '../json.ts';
import {
  type Check,
  duplicateAt,
  fields,
  forbiddenAt,
  given,
  invalidAt,
  isZero,
  items,
  notSupportedAt,
  oneOf,
  required,
  requiredAt,
  requiredPointer,
  text,
} from './checks.ts';
import { labelSelector } from './common.ts';
import { conditions, expressionErrors, problemErrors, ruleFields } from './webhooks.ts';

const failurePolicy = requiredPointer(oneOf('Fail', 'Ignore'));

const resourceNames: Check = (value, at) => {
  const names = (Array.isArray(value) ? value : []).map(String);
  return names.flatMap((name: string, i: number) => [
    ...text(pathSegmentProblems)(name, `${at}[${i}]`),
    ...(names.indexOf(name) < i ? [duplicateAt(`${at}[${i}]`, name)] : []),
  ]);
};

const namedRule = fields({ resourceNames, ...ruleFields });

const matchResources: Check = given(
  fields({
    matchPolicy: requiredPointer(oneOf('Equivalent', 'Exact')),
    namespaceSelector: requiredPointer(labelSelector),
    objectSelector: requiredPointer(labelSelector),
    resourceRules: items(namedRule),
    excludeResourceRules: items(namedRule),
  }),
);

const constraints: Check = requiredPointer((value, at) => [
  ...matchResources(value, at),
  ...required()(objectAt(value)['resourceRules'], `${at}.resourceRules`),
]);

const paramKind: Check = given((value, at) => {
  const apiVersion = textAt(value, 'apiVersion');
  const kind = textAt(value, 'kind');
  return [
    ...(apiVersion === ''
      ? [requiredAt(`${at}.apiVersion`)]
      : groupVersionErrors(apiVersion, `${at}.apiVersion`)),
    ...(kind === '' ? [requiredAt(`${at}.kind`)] : kindErrors(kind, `${at}.kind`)),
  ];
});

function groupVersionErrors(apiVersion: string, at: string): FieldError[] {
  const parts = apiVersion === '/' ? ['', ''] : apiVersion.split('/');
  if (parts.length > 2) {
    return [invalidAt(at, apiVersion, `unexpected GroupVersion string: ${apiVersion}`)];
  }
  const [group = '', version = ''] = parts.length === 2 ? parts : ['', parts[0]];
  const ofGroup = group === '' ? [] : subdomainProblems(group);
  const ofVersion = dns1035LabelProblems(version);
  return [
    ...(ofGroup.length === 0 ? [] : [invalidAt(at, group, ofGroup.join(','))]),
    ...(version === ''
      ? [invalidAt(at, apiVersion, 'version must be specified')]
      : ofVersion.length === 0
        ? []
        : [invalidAt(at, version, ofVersion.join(','))]),
  ];
}

function kindErrors(kind: string, at: string): FieldError[] {
  const problems = dns1035LabelProblems(kind.toLowerCase());
  if (problems.length === 0) return [];
  const detail = `may have mixed case, but should otherwise match: ${problems.join(',')}`;
  return [invalidAt(at, kind, detail)];
}

const IDENTIFIER = /^[_a-zA-Z][_a-zA-Z0-9]*$/;
const RESERVED = new Set(
  'true false null in as break const continue else for function if import let loop package namespace return var void while'.split(
    ' ',
  ),
);

/** The errors of a policy's variables, and the scope of what comes after them. */
function variableErrors(
  spec: JsonObject,
  base: ExpressionScope,
  withNone: boolean,
): { readonly errors: readonly FieldError[]; readonly scope: ExpressionScope } {
  const errors: FieldError[] = [];
  const types = new Map<string, CelType>();
  for (const [i, variable] of listAt(spec, 'variables').entries()) {
    const at = `spec.variables[${i}]`;
    const name = textAt(variable, 'name');
    const source = textAt(variable, 'expression');
    if (name.trim() === '') errors.push(requiredAt(`${at}.name`, 'name is not specified'));
    else if (!IDENTIFIER.test(name) || RESERVED.has(name)) {
      errors.push(invalidAt(`${at}.name`, name, 'must be a valid CEL identifier'));
    }
    if (source.trim() === '') {
      errors.push(requiredAt(`${at}.expression`, 'expression is not specified'));
      continue;
    }
    const compiled = compileExpression(source, { ...base, variables: new Map(types) }, []);
    errors.push(...problemErrors(compiled, `${at}.expression`));
    types.set(name, compiled.type);
  }
  const variables = types.size > 0 || withNone ? types : undefined;
  return { errors, scope: { ...base, variables } };
}

function baseScope(spec: JsonObject): ExpressionScope {
  const kind = spec['paramKind'];
  return {
    hasParams: kind !== undefined && kind !== null,
    hasAuthorizer: true,
    hasPatchTypes: false,
    variables: undefined,
  };
}

/** Conditions are looked at again only when they, or what they may use, change. */
function conditionErrors(spec: JsonObject, old: KubeObject | undefined): readonly FieldError[] {
  const before = objectAt(old, 'spec');
  const same = (key: string): boolean => equalJson(spec[key], before[key]);
  if (old !== undefined && same('paramKind') && same('matchConditions')) return [];
  return conditions(baseScope(spec))(spec['matchConditions'], 'spec.matchConditions');
}

function sharedErrors(spec: JsonObject): readonly FieldError[] {
  return [
    ...failurePolicy(spec['failurePolicy'], 'spec.failurePolicy'),
    ...paramKind(spec['paramKind'], 'spec.paramKind'),
    ...constraints(spec['matchConstraints'], 'spec.matchConstraints'),
  ];
}

const AT_LEAST_ONE = 'validations or auditAnnotations must contain at least one item';
const ANNOTATIONS_MAX = 20;

export function validatingPolicyErrors(
  policy: KubeObject,
  old: KubeObject | undefined,
): readonly FieldError[] {
  const spec = objectAt(policy, 'spec');
  const variables = variableErrors(spec, baseScope(spec), false);
  const { scope } = variables;
  const validations = listAt(spec, 'validations');
  const annotations = listAt(spec, 'auditAnnotations');
  const errors = [...sharedErrors(spec), ...conditionErrors(spec, old), ...variables.errors];
  if (validations.length === 0 && annotations.length === 0) {
    return [
      ...errors,
      requiredAt('spec.validations', AT_LEAST_ONE),
      requiredAt('spec.auditAnnotations', AT_LEAST_ONE),
    ];
  }
  const keys = annotations.map((item) => textAt(item, 'key'));
  return [
    ...errors,
    ...validations.flatMap((item, i) => validationErrors(item, `spec.validations[${i}]`, scope)),
    ...(annotations.length > ANNOTATIONS_MAX
      ? [
          invalidAt(
            'spec.auditAnnotations',
            annotations as Json,
            `must not have more than ${ANNOTATIONS_MAX} auditAnnotations`,
          ),
        ]
      : []),
    ...annotations.flatMap((item, i) => {
      const at = `spec.auditAnnotations[${i}]`;
      const key = keys[i] ?? '';
      return [
        ...annotationErrors(item, { at, scope, name: policy.metadata.name ?? '' }),
        ...(keys.indexOf(key) < i ? [duplicateAt(`${at}.key`, key)] : []),
      ];
    }),
  ];
}

const REASONS = ['Forbidden', 'Invalid', 'RequestEntityTooLarge'];

function validationErrors(item: Json, at: string, scope: ExpressionScope): readonly FieldError[] {
  const source = textAt(item, 'expression');
  const computed = textAt(item, 'messageExpression');
  const message = textAt(item, 'message');
  const errors: FieldError[] = [];
  if (source.trim() === '') {
    errors.push(requiredAt(`${at}.expression`, 'expression is not specified'));
  } else
    errors.push(...expressionErrors(source, scope, { at: `${at}.expression`, returns: ['bool'] }));
  if (computed !== '' && computed.trim() === '') {
    errors.push(invalidAt(`${at}.messageExpression`, computed, 'must be non-empty if specified'));
  } else if (computed !== '') {
    const own = { ...scope, hasAuthorizer: false };
    const where = { at: `${at}.messageExpression`, returns: ['string'] };
    errors.push(...expressionErrors(computed, own, where));
  }
  if (message !== '' && message.trim() === '') {
    errors.push(invalidAt(`${at}.message`, message, 'must be non-empty if specified'));
  } else if (/[\n\r]/.test(message.trim())) {
    errors.push(invalidAt(`${at}.message`, message, 'must not contain line breaks'));
  }
  const reason = objectAt(item)['reason'];
  return [...errors, ...given(oneOf(...REASONS))(reason, `${at}.reason`)];
}

const ANNOTATION_EXPRESSION_MAX = 5 * 1024;

function annotationErrors(
  item: Json,
  {
    at,
    scope,
    name,
  }: { readonly at: string; readonly scope: ExpressionScope; readonly name: string },
): readonly FieldError[] {
  const key = textAt(item, 'key');
  const source = textAt(item, 'valueExpression').trim();
  const qualified = `${name}/${key}`;
  const where = `${at}.valueExpression`;
  return [
    ...(name === ''
      ? [invalidAt(`${at}.key`, key, 'requires metadata.name be non-empty')]
      : labelKeyProblems(qualified).map((detail) => invalidAt(`${at}.key`, qualified, detail))),
    ...(source === ''
      ? [requiredAt(where, 'valueExpression is not specified')]
      : source.length > ANNOTATION_EXPRESSION_MAX
        ? [requiredAt(where, `must not exceed ${ANNOTATION_EXPRESSION_MAX} bytes in length`)]
        : expressionErrors(source, scope, { at: where, returns: ['string', 'null_type'] })),
  ];
}

const MUTABLE = ['*', 'CONNECT', 'CREATE', 'UPDATE'];

/** Nothing is left to change of what is deleted. */
function mutableErrors(resources: Json | undefined, at: string): readonly FieldError[] {
  return listAt(resources, 'resourceRules').flatMap((rule) =>
    listAt(rule, 'operations')
      .filter((operation) => !MUTABLE.includes(String(operation)))
      .map((operation) =>
        notSupportedAt(
          `${at}.resourceRules.operations`,
          operation,
          `supported values: ${MUTABLE.map((text) => JSON.stringify(text)).join(', ')}`,
        ),
      ),
  );
}

export function mutatingPolicyErrors(
  policy: KubeObject,
  old: KubeObject | undefined,
): readonly FieldError[] {
  const spec = objectAt(policy, 'spec');
  const variables = variableErrors(spec, baseScope(spec), true);
  const scope = { ...variables.scope, hasPatchTypes: true };
  const mutations = listAt(spec, 'mutations');
  return [
    ...sharedErrors(spec),
    ...mutableErrors(spec['matchConstraints'], 'spec.matchConstraints'),
    ...conditionErrors(spec, old),
    ...variables.errors,
    ...(mutations.length === 0
      ? [requiredAt('spec.mutations', 'mutations must contain at least one item')]
      : mutations.flatMap((item, i) => mutationErrors(item, `spec.mutations[${i}]`, scope))),
    ...required(oneOf('IfNeeded', 'Never'))(spec['reinvocationPolicy'], 'spec.reinvocationPolicy'),
  ];
}

const PATCH_PARTS = [
  { type: 'JSONPatch', own: 'jsonPatch', other: 'applyConfiguration', returns: 'list(JSONPatch)' },
  { type: 'ApplyConfiguration', own: 'applyConfiguration', other: 'jsonPatch', returns: 'Object' },
] as const;

function mutationErrors(item: Json, at: string, scope: ExpressionScope): readonly FieldError[] {
  const type = textAt(item, 'patchType');
  if (type === '') return [requiredAt(`${at}.patchType`)];
  const part = PATCH_PARTS.find((one) => one.type === type);
  if (part === undefined) {
    return oneOf('ApplyConfiguration', 'JSONPatch')(type, `${at}.patchType`);
  }
  const own = objectAt(item)[part.own];
  const other = objectAt(item)[part.other];
  const where = `${at}.${part.own}`;
  const source = textAt(own, 'expression').trim();
  return [
    ...(!isObject(own)
      ? [requiredAt(where, `must be specified when patchType is ${type}`)]
      : source === ''
        ? [requiredAt(`${where}.expression`)]
        : expressionErrors(source, scope, { at: `${where}.expression`, returns: [part.returns] })),
    ...(isObject(other)
      ? [
          invalidAt(
            `${at}.${part.other}`,
            `{${part.other}}`,
            `must not be specified when patchType is ${type}`,
          ),
        ]
      : []),
  ];
}

const EXCLUSIVE = 'name and selector are mutually exclusive';

const paramRef: Check = given((value, at) => {
  const name = textAt(value, 'name');
  const selector = objectAt(value)['selector'];
  const hasSelector = isObject(selector);
  const errors: FieldError[] = [];
  if (name !== '') {
    errors.push(...text(pathSegmentProblems)(name, `${at}.name`));
    if (hasSelector) errors.push(forbiddenAt(`${at}.name`, EXCLUSIVE));
  }
  if (hasSelector) {
    errors.push(...labelSelector(selector, `${at}.selector`));
    if (name !== '') errors.push(forbiddenAt(`${at}.selector`, EXCLUSIVE));
  }
  if (name === '' && !hasSelector) {
    errors.push(requiredAt(at, 'one of name or selector must be specified'));
  }
  const action = objectAt(value)['parameterNotFoundAction'];
  const where = `${at}.parameterNotFoundAction`;
  return [...errors, ...required(oneOf('Deny', 'Allow'))(action, where)];
});

const ACTIONS = ['Audit', 'Deny', 'Warn'];

const validationActions: Check = (value, at) => {
  const actions = (Array.isArray(value) ? value : []).map(String);
  const errors = actions.flatMap((action: string, i: number) => [
    ...oneOf(...ACTIONS)(action, `${at}[${i}]`),
    ...(actions.indexOf(action) < i ? [duplicateAt(`${at}[${i}]`, action)] : []),
  ]);
  if (actions.includes('Deny') && actions.includes('Warn')) {
    const detail =
      'must not contain both Deny and Warn (repeating the same validation failure information in the API response and headers serves no purpose)';
    errors.push(invalidAt(at, value, detail));
  }
  if (actions.length === 0) {
    errors.push(requiredAt(at, 'at least one validation action is required'));
  }
  return errors;
};

const bindingFields = {
  policyName: required(text(subdomainProblems)),
  paramRef,
  matchResources,
};

export const validatingBinding: Check = fields({ ...bindingFields, validationActions });

export const mutatingBinding: Check = (value, at) => [
  ...fields(bindingFields)(value, at),
  ...(isZero(objectAt(value)['matchResources'])
    ? []
    : mutableErrors(objectAt(value)['matchResources'], `${at}.matchResources`)),
];
