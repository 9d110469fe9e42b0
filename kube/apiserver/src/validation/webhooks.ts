import {
  dns1035LabelProblems,
  type FieldError,
  type Json,
  subdomainProblems,
} from '@capstan/kube-object';
import {
  compileExpression,
  type ExpressionScope,
  type PolicyExpression,
} from '../admission/policy-expression.ts';
import { listAt, objectAt, textAt } from '../json.ts';
import {
  type Check,
  duplicateAt,
  fields,
  given,
  integer,
  invalidAt,
  items,
  oneOf,
  required,
  requiredAt,
  requiredPointer,
  text,
} from './checks.ts';
import { labelKey, labelSelector, portNumber } from './common.ts';

const NAME_SEGMENTS_MIN = 3;

const qualifiedName: Check = required((value, at) => {
  const name = String(value);
  const problems = subdomainProblems(name);
  if (problems.length > 0) return [invalidAt(at, name, problems.join(','))];
  if (name.split('.').length >= NAME_SEGMENTS_MIN) return [];
  const detail = 'should be a domain with at least three segments separated by dots';
  return [invalidAt(at, name, detail)];
});

const ACCEPTED = ['v1', 'v1beta1'];

const reviewVersions: Check = (value, at) => {
  const versions = (Array.isArray(value) ? value : []).map(String);
  const accepted = ACCEPTED.join(', ');
  if (versions.length === 0) return [requiredAt(at, `must specify one of ${accepted}`)];
  const errors = versions.flatMap((version: string, i: number) =>
    versions.indexOf(version) < i
      ? [invalidAt(`${at}[${i}]`, version, 'duplicate version')]
      : [...text(dns1035LabelProblems)(version, `${at}[${i}]`)],
  );
  if (!versions.some((version: string) => ACCEPTED.includes(version))) {
    errors.push(invalidAt(at, value, `must include at least one of ${accepted}`));
  }
  return errors;
};

/** A list in which a star stands alone. */
function starAlone(what: string): Check {
  return (value, at) => {
    const list = Array.isArray(value) ? value : [];
    if (list.length <= 1 || !list.includes('*')) return [];
    return [invalidAt(at, value, `if '*' is present, must not specify other ${what}`)];
  };
}

// A star on one side of the slash leaves no room for more of the same; alone, none for other resources.
const resources: Check = (value, at) => {
  const list = (Array.isArray(value) ? value : []).map(String);
  if (list.length === 0) return [requiredAt(at)];
  const errors: FieldError[] = [];
  const all = new Set<string>();
  const everywhere = new Set<string>();
  for (const [i, item] of list.entries()) {
    if (item === '') errors.push(requiredAt(`${at}[${i}]`));
    const slash = item.indexOf('/');
    if (slash < 0) continue;
    const [of, sub] = [item.slice(0, slash), item.slice(slash + 1)];
    const clash = (pattern: string): void => {
      const detail = `if '${pattern}' is present, must not specify ${item}`;
      errors.push(invalidAt(`${at}[${i}]`, item, detail));
    };
    if (all.has(of)) clash(`${of}/*`);
    if (everywhere.has(sub)) clash(`*/${sub}`);
    if (sub === '*') all.add(of);
    if (of === '*') everywhere.add(sub);
  }
  if (list.length > 1 && list.includes('*/*')) {
    errors.push(invalidAt(at, list, "if '*/*' is present, must not specify other resources"));
  }
  if (
    list.includes('*') &&
    list.some((item) => item !== '' && item !== '*' && !item.includes('/'))
  ) {
    const detail = "if '*' is present, must not specify other resources without subresources";
    errors.push(invalidAt(at, list, detail));
  }
  return errors;
};

const OPERATIONS = ['*', 'CONNECT', 'CREATE', 'DELETE', 'UPDATE'] as const;

const operations: Check = (value, at) => [
  ...required()(value, at),
  ...starAlone('operations')(value, at),
  ...items(oneOf(...OPERATIONS))(value, at),
];

/** What a webhook or a policy is asked about. */
export const ruleFields: Readonly<Record<string, Check>> = {
  operations,
  apiGroups: (value, at) => [...required()(value, at), ...starAlone('API groups')(value, at)],
  apiVersions: (value, at) => [
    ...required()(value, at),
    ...starAlone('API versions')(value, at),
    ...items(required())(value, at),
  ],
  resources,
  scope: given(oneOf('*', 'Cluster', 'Namespaced')),
};

const URL_FORM = '; desired format: https://host[/path]';

const url: Check = (value, at) => {
  const given = String(value);
  const scheme = /^([a-zA-Z][a-zA-Z0-9+.-]*):/.exec(given)?.[1]?.toLowerCase() ?? '';
  const authority = /^[^:/?#]*:?\/\/([^/?#]*)/.exec(given)?.[1] ?? '';
  const [user, host] = authority.includes('@')
    ? [
        authority.slice(0, authority.lastIndexOf('@')),
        authority.slice(authority.lastIndexOf('@') + 1),
      ]
    : ['', authority];
  const fragment = given.includes('#') ? given.slice(given.indexOf('#') + 1) : '';
  const query = /\?([^#]*)/.exec(given)?.[1] ?? '';
  const errors: FieldError[] = [];
  if (scheme !== 'https') {
    errors.push(invalidAt(at, scheme, `'https' is the only allowed URL scheme${URL_FORM}`));
  }
  if (host === '') errors.push(invalidAt(at, host, `host must be specified${URL_FORM}`));
  if (user !== '') {
    errors.push(invalidAt(at, user, 'user information is not permitted in the URL'));
  }
  if (fragment !== '') {
    errors.push(invalidAt(at, fragment, 'fragments are not permitted in the URL'));
  }
  if (query !== '') {
    errors.push(invalidAt(at, query, 'query parameters are not permitted in the URL'));
  }
  return errors;
};

const servicePath: Check = given((value, at) => {
  const path = String(value);
  if (path === '' || path === '/') return [];
  if (path === '//') return [invalidAt(at, path, 'segment[0] may not be empty')];
  const errors: FieldError[] = [];
  if (!path.startsWith('/')) errors.push(invalidAt(at, path, "must start with a '/'"));
  const steps = path.slice(1).replace(/\/$/, '').split('/');
  for (const [i, step] of steps.entries()) {
    if (step === '') errors.push(invalidAt(at, path, `segment[${i}] may not be empty`));
    else {
      for (const problem of subdomainProblems(step)) {
        errors.push(invalidAt(at, path, `segment[${i}]: ${problem}`));
      }
    }
  }
  return errors;
});

// The original gives the two names to its check in the wrong order, so that a missing one is told of the other.
const service: Check = (value, at) => [
  ...required()(objectAt(value)['namespace'], `${at}.name`),
  ...required()(objectAt(value)['name'], `${at}.namespace`),
  ...address(value, at),
];

const address = fields({
  port: (value, at) =>
    portNumber(value, at).map((error) => ({
      ...error,
      detail: `port is not valid: ${error.detail}`,
    })),
  path: servicePath,
});

export const clientConfig: Check = (value, at) => {
  const { url: link, service: target } = objectAt(value);
  if ((link === undefined) === (target === undefined)) {
    return [requiredAt(at, 'exactly one of url or service is required')];
  }
  return target === undefined ? url(link, `${at}.url`) : service(target, `${at}.service`);
};

const CONDITIONS_MAX = 64;

/** Match conditions: named, and expressions that compile to a bool. */
export function conditions(scope: ExpressionScope): Check {
  return (value, at) => {
    const list = Array.isArray(value) ? value : [];
    const names = list.map((item: Json) => textAt(item, 'name'));
    const tooMany: FieldError[] =
      list.length > CONDITIONS_MAX
        ? [
            {
              reason: 'FieldValueTooMany',
              field: at,
              value: list.length,
              detail: `must have at most ${CONDITIONS_MAX} items`,
            },
          ]
        : [];
    return [
      ...tooMany,
      ...list.flatMap((item: Json, i) => {
        const where = `${at}[${i}]`;
        const name = names[i] ?? '';
        const source = textAt(item, 'expression').trim();
        return [
          ...(source === ''
            ? [requiredAt(`${where}.expression`)]
            : expressionErrors(source, scope, { at: `${where}.expression`, returns: ['bool'] })),
          ...required(labelKey)(name, `${where}.name`),
          ...(name !== '' && names.indexOf(name) < i ? [duplicateAt(`${where}.name`, name)] : []),
        ];
      }),
    ];
  };
}

/** Why an expression does not compile to what it must give. */
export function expressionErrors(
  source: string,
  scope: ExpressionScope,
  { at, returns }: { readonly at: string; readonly returns: readonly string[] },
): readonly FieldError[] {
  return problemErrors(compileExpression(source, scope, returns), at);
}

export function problemErrors(
  { source, problem, isInternal }: PolicyExpression,
  at: string,
): readonly FieldError[] {
  if (problem === undefined) return [];
  if (isInternal !== true) return [invalidAt(at, source, problem)];
  return [{ reason: 'InternalError', field: at, detail: problem }];
}

const NO_PARAMS: ExpressionScope = {
  hasParams: false,
  hasAuthorizer: true,
  hasPatchTypes: false,
  variables: undefined,
};

const webhook = fields({
  name: qualifiedName,
  rules: items(fields(ruleFields)),
  failurePolicy: given(oneOf('Fail', 'Ignore')),
  matchPolicy: given(oneOf('Equivalent', 'Exact')),
  sideEffects: requiredPointer(
    oneOf('None', 'NoneOnDryRun'),
    'must specify one of None, NoneOnDryRun',
  ),
  timeoutSeconds: given(integer(1, 30, 'the timeout value must be between 1 and 30 seconds')),
  namespaceSelector: labelSelector,
  objectSelector: labelSelector,
  reinvocationPolicy: given(oneOf('IfNeeded', 'Never')),
  clientConfig,
  matchConditions: conditions(NO_PARAMS),
  admissionReviewVersions: reviewVersions,
});

/** The webhooks of a ValidatingWebhookConfiguration or a MutatingWebhookConfiguration. */
export const webhooks: Check = (value, at) => {
  const names = listAt({ webhooks: value ?? [] }, 'webhooks').map((item) => textAt(item, 'name'));
  return [
    ...items(webhook)(value, at),
    ...names.flatMap((name, i) =>
      name !== '' && names.indexOf(name) < i ? [duplicateAt(`${at}[${i}].name`, name)] : [],
    ),
  ];
};
