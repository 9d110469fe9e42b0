import type { Script, Step } from '@capstan/kube-apiserver/testing';
import { prepare } from './kinds.ts';

const GROUP = '/apis/admissionregistration.k8s.io/v1';
const MERGE = 'application/merge-patch+json';
const APPLY = 'application/apply-patch+yaml';
/** How long the real server's admission takes to see what was written. */
const SETTLE = 2500;

type Fields = Readonly<Record<string, unknown>>;

const CONFIG_MAPS = {
  apiGroups: [''],
  apiVersions: ['v1'],
  resources: ['configmaps'],
  operations: ['CREATE', 'UPDATE', 'DELETE'],
};
const DEPLOYMENTS = {
  apiGroups: ['apps'],
  apiVersions: ['v1'],
  resources: ['deployments', 'deployments/scale', 'deployments/status'],
  operations: ['CREATE', 'UPDATE'],
};

/** Only what one script makes in its own namespace: scripts share the real cluster. */
function inNamespace(namespace: string): Fields {
  return { matchLabels: { 'kubernetes.io/metadata.name': namespace } };
}

function object(kind: string, name: string, spec: Fields): object {
  return { apiVersion: 'admissionregistration.k8s.io/v1', kind, metadata: { name }, spec };
}

function create(kind: string, name: string, spec: Fields): Step {
  return { method: 'POST', path: `${GROUP}/${RESOURCES[kind]}`, body: object(kind, name, spec) };
}

const RESOURCES: Readonly<Record<string, string>> = {
  ValidatingAdmissionPolicy: 'validatingadmissionpolicies',
  ValidatingAdmissionPolicyBinding: 'validatingadmissionpolicybindings',
  MutatingAdmissionPolicy: 'mutatingadmissionpolicies',
  MutatingAdmissionPolicyBinding: 'mutatingadmissionpolicybindings',
};

/** Creates are followed by a pause until the policy is in force. */
function settled(steps: readonly Step[]): readonly Step[] {
  return steps.map((step, i) => (i === steps.length - 1 ? { ...step, settleMs: SETTLE } : step));
}

function configMap(name: string, data: Fields, labels: Fields = {}): object {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, labels }, data };
}

function deployment(name: string, replicas: number): object {
  const labels = { app: name };
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name },
    spec: {
      replicas,
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { containers: [{ name: 'c', image: 'i:1' }] } },
    },
  };
}

interface PolicyScript {
  readonly name: string;
  readonly rule?: Fields;
  readonly constraints?: Fields;
  readonly policy: Fields;
  readonly binding?: Fields;
  /** Before the policy. */
  readonly given?: (base: string) => readonly Step[];
  readonly requests: (base: string) => readonly Step[];
}

const core = (namespace: string): string => `/api/v1/namespaces/${namespace}`;
const apps = (namespace: string): string => `/apis/apps/v1/namespaces/${namespace}`;

function post(base: string, resource: string, body: object): Step {
  return { method: 'POST', path: `${base}/${resource}`, body };
}

function validating(script: PolicyScript): Script {
  return policyScript('Validating', script, { validationActions: ['Deny'] });
}

function mutating(script: PolicyScript): Script {
  return policyScript('Mutating', script, {}, { reinvocationPolicy: 'Never' });
}

function policyScript(
  kind: 'Validating' | 'Mutating',
  script: PolicyScript,
  binding: Fields,
  policy: Fields = {},
): Script {
  const { name, rule = CONFIG_MAPS } = script;
  const namespace = `adm-${name}`;
  const base = core(namespace);
  return {
    name: `admission-${name}`,
    steps: [
      ...prepare(namespace),
      ...(script.given?.(base) ?? []),
      ...settled([
        create(`${kind}AdmissionPolicy`, namespace, {
          matchConstraints: {
            resourceRules: [rule],
            namespaceSelector: inNamespace(namespace),
            ...script.constraints,
          },
          ...policy,
          ...script.policy,
        }),
        create(`${kind}AdmissionPolicyBinding`, namespace, {
          policyName: namespace,
          ...binding,
          ...script.binding,
        }),
      ]),
      ...script.requests(base),
    ],
  };
}

const CASES: readonly string[] = [
  'object.data.a == "good"',
  'has(object.data) && object.data.all(k, k.size() < 4)',
  'object.metadata.name.startsWith("x")',
  'object.metadata.?labels.?team.orValue("") == "red"',
  'object.data.missing == "x"',
  'oldObject == null || oldObject.data.a == "good"',
  'request.operation == "UPDATE"',
  'request.namespace == namespaceObject.metadata.name',
  'request.userInfo.username == "nobody"',
  'request.kind.kind == "ConfigMap" && request.resource.resource == "configmaps" && request.requestKind.version == "v1"',
  'request.name == object.metadata.name',
  'has(request.options.fieldManager)',
  'request.dryRun',
  'params == null',
  'authorizer.group("").resource("configmaps").namespace(request.namespace).check("create").allowed()',
  'authorizer.serviceAccount("default", "default").group("").resource("secrets").check("get").allowed()',
  'authorizer.requestResource.check("custom").allowed()',
  'authorizer.path("/healthz").check("get").allowed()',
  'int(object.data.number) > 3',
  'object.data.a.matches("^g.+d$")',
  'object.metadata.labels["a"] == "b"',
  'size(object.metadata.name) in [1, 2, 3]',
  'object.data.a < 3',
  'object.data.a.contains(1)',
  'type(object.data) == map',
];

/** One policy of one expression each, asked about the same requests. */
function expressionScripts(): Script[] {
  return CASES.filter((expression) => !expression.startsWith('params')).map((expression, i) =>
    validating({
      name: `expression-${i}`,
      policy: { validations: [{ expression }] },
      requests: (base) => [
        post(base, 'configmaps', configMap('xa', { a: 'good', number: '4' }, { team: 'red' })),
        post(base, 'configmaps', configMap('other', { a: 'bad' })),
        post(base, 'configmaps?dryRun=All&fieldManager=me', configMap('dry', { a: 'good' })),
        {
          method: 'PATCH',
          path: `${base}/configmaps/xa`,
          type: MERGE,
          body: { data: { a: 'worse' } },
        },
        { method: 'DELETE', path: `${base}/configmaps/xa` },
      ],
    }),
  );
}

const APPS = (base: string): string => apps(base.replace('/api/v1/namespaces/', ''));

function validatingScripts(): Script[] {
  const bad = (base: string): readonly Step[] => [
    post(base, 'configmaps', configMap('a', { a: 'b' })),
  ];
  return [
    validating({
      name: 'messages',
      policy: {
        validations: [
          { expression: 'object.data.k != "1"', message: 'must not be one' },
          { expression: 'object.data.k != "2"', messageExpression: '"got " + object.data.k' },
          { expression: 'object.data.k != "3"', reason: 'Forbidden', message: 'no threes' },
          { expression: 'object.data.k != "4"', reason: 'RequestEntityTooLarge' },
          {
            expression: 'object.data.k != "5"',
            messageExpression: 'object.data.none',
            message: 'fallback',
          },
          { expression: 'object.data.k != "6"', messageExpression: '"two\\nlines"' },
          { expression: '  object.data.k != "7"  ' },
          { expression: 'object.data.k != "8"', reason: 'Invalid' },
          { expression: 'object.data.none != "9"' },
        ],
      },
      requests: (base) =>
        ['1', '2', '3', '4', '5', '6', '7', '8', '9'].map((k) =>
          post(base, 'configmaps', configMap(`m${k}`, { k })),
        ),
    }),
    validating({
      name: 'several',
      policy: {
        validations: [
          { expression: 'object.data.a == "x"', message: 'first' },
          { expression: 'object.data.a == "y"', message: 'second' },
        ],
      },
      requests: bad,
    }),
    validating({
      name: 'warn',
      policy: {
        validations: [
          { expression: 'object.data.a == "x"', message: 'first' },
          { expression: 'object.data.a == "y"', message: 'second "quoted"' },
        ],
      },
      binding: { validationActions: ['Warn', 'Audit'] },
      requests: bad,
    }),
    validating({
      name: 'audit',
      policy: {
        validations: [{ expression: 'false' }],
        auditAnnotations: [
          { key: 'who', valueExpression: '"by " + request.userInfo.username' },
          { key: 'none', valueExpression: 'null' },
        ],
      },
      binding: { validationActions: ['Audit'] },
      requests: bad,
    }),
    validating({
      name: 'audit-error',
      policy: {
        auditAnnotations: [{ key: 'who', valueExpression: 'object.data.none' }].map((a) => ({
          ...a,
          valueExpression: 'string(object.data.none)',
        })),
      },
      binding: { validationActions: ['Audit'] },
      requests: bad,
    }),
    validating({
      name: 'ignore',
      policy: { failurePolicy: 'Ignore', validations: [{ expression: 'object.data.none == "x"' }] },
      requests: bad,
    }),
    validating({
      name: 'conditions',
      policy: {
        matchConditions: [
          { name: 'not-skipped', expression: '!(object.metadata.name.startsWith("skip"))' },
          { name: 'has-data', expression: 'object.data.size() > 0' },
        ],
        validations: [{ expression: 'false', message: 'asked' }],
      },
      requests: (base) => [
        post(base, 'configmaps', configMap('skip-1', { a: 'b' })),
        post(base, 'configmaps', configMap('asked', { a: 'b' })),
        post(base, 'configmaps', {
          apiVersion: 'v1',
          kind: 'ConfigMap',
          metadata: { name: 'none' },
        }),
      ],
    }),
    validating({
      name: 'conditions-ignore',
      policy: {
        failurePolicy: 'Ignore',
        matchConditions: [{ name: 'fails', expression: 'object.none.x == 1' }],
        validations: [{ expression: 'false' }],
      },
      requests: bad,
    }),
    validating({
      name: 'variables',
      policy: {
        variables: [
          { name: 'data', expression: 'has(object.data) ? object.data : {}' },
          { name: 'count', expression: 'variables.data.size()' },
          { name: 'broken', expression: 'object.none' },
        ],
        validations: [
          {
            expression: 'variables.count < 2',
            messageExpression: '"has " + string(variables.count)',
          },
          { expression: '!("use" in variables.data) || variables.broken == 1' },
        ],
      },
      requests: (base) => [
        post(base, 'configmaps', configMap('one', { a: 'b' })),
        post(base, 'configmaps', configMap('two', { a: 'b', c: 'd' })),
        post(base, 'configmaps', configMap('use', { use: 'x' })),
      ],
    }),
    validating({
      name: 'selectors',
      constraints: {
        objectSelector: { matchExpressions: [{ key: 'checked', operator: 'Exists' }] },
        excludeResourceRules: [{ ...CONFIG_MAPS, resourceNames: ['spared'] }],
      },
      policy: { validations: [{ expression: 'false', message: 'no' }] },
      binding: { matchResources: { resourceRules: [{ ...CONFIG_MAPS, operations: ['CREATE'] }] } },
      requests: (base) => [
        post(base, 'configmaps', configMap('plain', { a: 'b' })),
        post(base, 'configmaps', configMap('picked', { a: 'b' }, { checked: 'x' })),
        post(base, 'configmaps', configMap('spared', { a: 'b' }, { checked: 'x' })),
        {
          method: 'PATCH',
          path: `${base}/configmaps/plain`,
          type: MERGE,
          body: { metadata: { labels: { checked: 'y' } } },
        },
      ],
    }),
    validating({
      name: 'generated',
      policy: {
        validations: [
          {
            expression: 'false',
            messageExpression: '"name " + (has(request.name) ? "given" : "none")',
          },
        ],
      },
      requests: (base) =>
        [
          post(base, 'configmaps', {
            apiVersion: 'v1',
            kind: 'ConfigMap',
            metadata: { generateName: 'gen-' },
          }),
        ].map((step) => ({ ...step, ignore: ['message', 'details'] })),
    }),
    validating({
      name: 'apply',
      policy: { validations: [{ expression: 'object.data.a != "bad"', message: 'bad' }] },
      requests: (base) => [
        {
          method: 'PATCH',
          path: `${base}/configmaps/applied?fieldManager=m`,
          type: APPLY,
          body: configMap('applied', { a: 'bad' }),
        },
        {
          method: 'PATCH',
          path: `${base}/configmaps/applied?fieldManager=m`,
          type: APPLY,
          body: configMap('applied', { a: 'good' }),
        },
        {
          method: 'PATCH',
          path: `${base}/configmaps/applied?fieldManager=m&force=true`,
          type: APPLY,
          body: configMap('applied', { a: 'bad' }),
        },
      ],
    }),
    validating({
      name: 'scale',
      rule: DEPLOYMENTS,
      policy: {
        validations: [
          {
            expression: 'object.spec.replicas <= 5',
            messageExpression:
              '"too many: " + string(object.spec.replicas) + " " + request.kind.kind + " " + request.resource.resource + "/" + (has(request.subResource) ? request.subResource : "")',
          },
        ],
      },
      requests: (base) => [
        post(APPS(base), 'deployments', deployment('big', 9)),
        post(APPS(base), 'deployments', deployment('small', 1)),
        {
          method: 'PATCH',
          path: `${APPS(base)}/deployments/small/scale`,
          type: MERGE,
          body: { spec: { replicas: 7 } },
        },
        {
          method: 'PATCH',
          path: `${APPS(base)}/deployments/small/scale`,
          type: MERGE,
          body: { spec: { replicas: 2 } },
        },
        {
          method: 'PATCH',
          path: `${APPS(base)}/deployments/small`,
          type: MERGE,
          body: { spec: { replicas: 8 } },
        },
        {
          method: 'PATCH',
          path: `${APPS(base)}/deployments/small/status`,
          type: MERGE,
          body: { status: { replicas: 1 } },
        },
      ],
    }),
    validating({
      name: 'delete',
      rule: { ...CONFIG_MAPS, operations: ['DELETE'] },
      policy: {
        validations: [
          {
            expression: 'oldObject.data.keep != "yes"',
            messageExpression: '"kept, object is " + (object == null ? "null" : "set")',
          },
        ],
      },
      given: (base) => [
        post(base, 'configmaps', configMap('kept', { keep: 'yes' })),
        post(base, 'configmaps', configMap('free', { keep: 'no' })),
      ],
      requests: (base) => [
        { method: 'DELETE', path: `${base}/configmaps/kept` },
        { method: 'DELETE', path: `${base}/configmaps/free` },
        { method: 'DELETE', path: `${base}/configmaps/kept?dryRun=All` },
        { method: 'DELETE', path: `${base}/configmaps?fieldSelector=metadata.name%3Dkept` },
      ],
    }),
  ];
}

function parameterScripts(): Script[] {
  const paramKind = { apiVersion: 'v1', kind: 'ConfigMap' };
  const secrets = { ...CONFIG_MAPS, resources: ['secrets'] };
  const secret = (name: string): object => ({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name },
  });
  const limits = (base: string): readonly Step[] => [
    post(base, 'configmaps', configMap('limits', { max: '4' }, { role: 'limit' })),
    post(base, 'configmaps', configMap('more', { max: '6' }, { role: 'limit' })),
  ];
  const validations = [
    {
      expression: 'object.metadata.name.size() <= int(params.data.max)',
      messageExpression: '"longer than " + params.data.max + " of " + params.metadata.name',
    },
  ];
  /** The last name is too long for both ConfigMaps. */
  const withRef = (
    name: string,
    paramRef: unknown,
    more: Fields = {},
    last: Partial<Step> = {},
  ): Script =>
    validating({
      name,
      rule: secrets,
      given: limits,
      policy: { paramKind, validations, ...more },
      binding: paramRef === undefined ? {} : { paramRef },
      requests: (base) => [
        post(base, 'secrets', secret('abc')),
        post(base, 'secrets', secret('abcde')),
        { ...post(base, 'secrets', secret('abcdefgh')), ...last },
      ],
    });
  return [
    withRef('param-name', { name: 'limits', parameterNotFoundAction: 'Deny' }),
    withRef(
      'param-selector',
      { selector: { matchLabels: { role: 'limit' } }, parameterNotFoundAction: 'Deny' },
      {},
      // Both are looked at in the order of a Go map; the first that refuses is named.
      { ignore: ['message', 'details.causes'] },
    ),
    withRef('param-missing-deny', { name: 'none', parameterNotFoundAction: 'Deny' }),
    withRef('param-missing-allow', { name: 'none', parameterNotFoundAction: 'Allow' }),
    withRef(
      'param-missing-ignored',
      { name: 'none', parameterNotFoundAction: 'Deny' },
      { failurePolicy: 'Ignore' },
    ),
    withRef('param-other-namespace', {
      name: 'limits',
      namespace: 'default',
      parameterNotFoundAction: 'Deny',
    }),
    withRef('param-no-ref', undefined),
    withRef(
      'param-unknown-kind',
      { name: 'limits', parameterNotFoundAction: 'Deny' },
      {
        paramKind: { apiVersion: 'rules.example.com/v1', kind: 'Limit' },
      },
    ),
  ];
}

const OBJECT = (fields: string): string => `Object{${fields}}`;

function mutatingScripts(): Script[] {
  const apply = (expression: string): Fields => ({
    patchType: 'ApplyConfiguration',
    applyConfiguration: { expression },
  });
  const jsonPatch = (expression: string): Fields => ({
    patchType: 'JSONPatch',
    jsonPatch: { expression },
  });
  const creates = { ...CONFIG_MAPS, operations: ['CREATE', 'UPDATE'] };
  const requests = (base: string): readonly Step[] => [
    post(base, 'configmaps', configMap('a', { a: 'b' }, { x: 'y' })),
    { method: 'PATCH', path: `${base}/configmaps/a`, type: MERGE, body: { data: { c: 'd' } } },
    { method: 'GET', path: `${base}/configmaps/a` },
  ];
  const withMutations = (name: string, mutations: readonly Fields[], more: Fields = {}): Script =>
    mutating({ name, rule: creates, policy: { mutations, ...more }, requests });
  return [
    withMutations('mutate-apply', [
      apply(
        OBJECT(
          'metadata: Object.metadata{labels: {"added": "yes"}}, data: {"from": request.operation}',
        ),
      ),
    ]),
    withMutations('mutate-patch', [
      jsonPatch(
        '[JSONPatch{op: "add", path: "/metadata/labels/" + jsonpatch.escapeKey("example.com/added"), value: "yes"}]',
      ),
    ]),
    withMutations('mutate-patch-test', [
      jsonPatch(
        '[JSONPatch{op: "test", path: "/data/a", value: "z"}, JSONPatch{op: "add", path: "/data/never", value: "x"}]',
      ),
    ]),
    withMutations('mutate-patch-fails', [
      jsonPatch('[JSONPatch{op: "remove", path: "/data/none"}]'),
    ]),
    withMutations('mutate-error', [apply(OBJECT('data: {"a": object.data.none}'))]),
    withMutations('mutate-error-ignored', [apply(OBJECT('data: {"a": object.data.none}'))], {
      failurePolicy: 'Ignore',
    }),
    withMutations('mutate-types', [apply(OBJECT('metadata: Object.spec{labels: {"a": "b"}}'))]),
    withMutations('mutate-unknown-field', [apply(OBJECT('spec: Object.spec{x: 1}'))]),
    withMutations('mutate-condition', [apply(OBJECT('data: {"mutated": "yes"}'))], {
      matchConditions: [{ name: 'creates', expression: 'request.operation == "CREATE"' }],
    }),
    withMutations('mutate-variables', [apply(OBJECT('data: {"count": string(variables.count)}'))], {
      variables: [{ name: 'count', expression: 'size(object.data)' }],
    }),
    withMutations(
      'mutate-again',
      [apply(OBJECT('data: {"rounds": "rounds" in object.data ? object.data.rounds + "x" : "x"}'))],
      { reinvocationPolicy: 'IfNeeded' },
    ),
    withMutations('mutate-two', [
      apply(OBJECT('data: {"first": "1"}')),
      apply(OBJECT('data: {"second": object.data.first + "2"}')),
    ]),
    mutating({
      name: 'mutate-list',
      rule: { ...DEPLOYMENTS, operations: ['CREATE'], resources: ['deployments'] },
      policy: {
        mutations: [
          apply(
            OBJECT(
              'spec: Object.spec{replicas: 3, template: Object.spec.template{spec: Object.spec.template.spec{containers: [Object.spec.template.spec.containers{name: "side", image: "s:1"}]}}}',
            ),
          ),
        ],
      },
      requests: (base) => [post(APPS(base), 'deployments', deployment('d', 1))],
    }),
    mutating({
      name: 'mutate-atomic',
      rule: { ...DEPLOYMENTS, operations: ['CREATE'], resources: ['deployments'] },
      policy: {
        mutations: [
          apply(
            OBJECT('spec: Object.spec{selector: Object.spec.selector{matchLabels: {"a": "b"}}}'),
          ),
        ],
      },
      requests: (base) => [post(APPS(base), 'deployments', deployment('d', 1))],
    }),
    mutating({
      name: 'mutate-defaults',
      rule: { ...CONFIG_MAPS, resources: ['pods'], operations: ['CREATE'] },
      policy: {
        mutations: [
          jsonPatch(
            '[JSONPatch{op: "add", path: "/spec/containers/-", value: Object.spec.containers{name: "side", image: "s"}}]',
          ),
        ],
      },
      requests: (base) => [
        post(base, 'pods', {
          apiVersion: 'v1',
          kind: 'Pod',
          metadata: { name: 'p' },
          spec: { containers: [{ name: 'c', image: 'i' }] },
        }),
      ],
    }),
  ];
}

/** What is wrong with a policy when it is written. */
function invalidScripts(): Script[] {
  const match = { resourceRules: [CONFIG_MAPS] };
  const policy = (fields: Fields): Fields => ({
    matchConstraints: match,
    validations: [{ expression: 'true' }],
    ...fields,
  });
  const policies: readonly Fields[] = [
    {},
    policy({}),
    policy({ failurePolicy: 'Maybe' }),
    policy({ matchConstraints: {} }),
    policy({ matchConstraints: { resourceRules: [{}] } }),
    policy({ matchConstraints: { ...match, matchPolicy: 'Loose' } }),
    policy({
      matchConstraints: {
        resourceRules: [
          {
            apiGroups: ['*', 'apps'],
            apiVersions: ['', '*'],
            resources: ['*', 'pods', 'pods/*', 'pods/log', '*/*'],
            operations: ['*', 'CREATE', 'PATCH'],
            scope: 'Galaxy',
            resourceNames: ['a', 'a', 'b/c'],
          },
        ],
      },
    }),
    policy({
      matchConstraints: { ...match, namespaceSelector: { matchLabels: { 'a b': 'c d' } } },
    }),
    policy({ validations: [] }),
    policy({ validations: [{ expression: '' }] }),
    policy({ validations: [{ expression: '1' }] }),
    policy({ validations: [{ expression: 'object.spec.enabled' }] }),
    policy({ validations: [{ expression: 'foo == 1' }] }),
    policy({ validations: [{ expression: 'params.x == 1' }] }),
    policy({ validations: [{ expression: 'variables.x == 1' }] }),
    policy({ validations: [{ expression: 'request.nope == 1' }] }),
    policy({ validations: [{ expression: '1 + "a" == 2' }] }),
    policy({ validations: [{ expression: '"a" == 1' }] }),
    policy({ validations: [{ expression: 'nope(object)' }] }),
    policy({ validations: [{ expression: 'object.metadata.name.nope()' }] }),
    policy({ validations: [{ expression: 'size(1) == 1' }] }),
    policy({ validations: [{ expression: '"a".startsWith(1)' }] }),
    policy({ validations: [{ expression: 'true ? "a" : 1' }] }),
    policy({ validations: [{ expression: 'true', message: ' ' }] }),
    policy({ validations: [{ expression: 'true', message: 'a\nb' }] }),
    policy({ validations: [{ expression: 'true', messageExpression: ' ' }] }),
    policy({ validations: [{ expression: 'true', messageExpression: '1' }] }),
    policy({
      validations: [
        { expression: 'true', messageExpression: 'authorizer.path("x").check("get").reason()' },
      ],
    }),
    policy({ validations: [{ expression: 'true', reason: 'Whatever' }] }),
    policy({ paramKind: {} }),
    policy({ paramKind: { apiVersion: 'a/b/c', kind: 'x y' } }),
    policy({ paramKind: { apiVersion: '/v1', kind: 'ConfigMap' } }),
    policy({ paramKind: { apiVersion: 'B_ad/V1', kind: 'ConfigMap' } }),
    policy({
      paramKind: { apiVersion: 'v1', kind: 'ConfigMap' },
      validations: [{ expression: 'params.data.x == "1"' }],
    }),
    policy({
      matchConditions: [{}, { name: 'a', expression: 'true' }, { name: 'a', expression: '1' }],
    }),
    policy({ matchConditions: [{ name: 'a b', expression: 'variables.x' }] }),
    policy({
      variables: [
        {},
        { name: '1x', expression: 'true' },
        { name: 'if', expression: 'true' },
        { name: 'ok', expression: 'foo' },
      ],
    }),
    policy({
      variables: [{ name: 'a', expression: '1' }],
      validations: [{ expression: 'variables.a == "x"' }],
    }),
    policy({
      variables: [
        { name: 'a', expression: 'variables.b' },
        { name: 'b', expression: '1' },
      ],
    }),
    policy({
      auditAnnotations: [
        {},
        { key: 'a', valueExpression: '1' },
        { key: 'a', valueExpression: '"x"' },
        { key: 'b c', valueExpression: 'null' },
      ],
    }),
  ];
  const bindings: readonly Fields[] = [
    {},
    { policyName: 'A_b' },
    { policyName: 'p', validationActions: ['Deny', 'Warn'] },
    { policyName: 'p', validationActions: ['Deny', 'Deny', 'Explode'] },
    { policyName: 'p', validationActions: ['Deny'], paramRef: {} },
    {
      policyName: 'p',
      validationActions: ['Deny'],
      paramRef: {
        name: 'a/b',
        selector: { matchLabels: { '-': 'b' } },
        parameterNotFoundAction: 'Shrug',
      },
    },
    { policyName: 'p', validationActions: ['Audit'], matchResources: { resourceRules: [{}] } },
    { policyName: 'p', validationActions: ['Audit'], matchResources: {} },
  ];
  const mutation = (fields: Fields): Fields => ({
    matchConstraints: { resourceRules: [{ ...CONFIG_MAPS, operations: ['CREATE'] }] },
    reinvocationPolicy: 'Never',
    mutations: [fields],
  });
  const apply = (expression: string): Fields =>
    mutation({ patchType: 'ApplyConfiguration', applyConfiguration: { expression } });
  const mutations: readonly Fields[] = [
    {},
    mutation({}),
    mutation({ patchType: 'Glue' }),
    mutation({ patchType: 'JSONPatch' }),
    mutation({
      patchType: 'JSONPatch',
      jsonPatch: { expression: '' },
      applyConfiguration: { expression: 'Object{}' },
    }),
    mutation({ patchType: 'ApplyConfiguration', jsonPatch: { expression: '[]' } }),
    apply('Object{}'),
    apply('1'),
    apply('object'),
    apply('Object.spec{}'),
    apply('Object{metadata: foo}'),
    mutation({
      patchType: 'JSONPatch',
      jsonPatch: { expression: '[JSONPatch{op: "add", path: "/a", value: 1}]' },
    }),
    mutation({ patchType: 'JSONPatch', jsonPatch: { expression: 'JSONPatch{op: "add"}' } }),
    mutation({ patchType: 'JSONPatch', jsonPatch: { expression: '[1]' } }),
    { ...apply('Object{}'), reinvocationPolicy: 'Often' },
    { ...apply('Object{}'), matchConstraints: { resourceRules: [CONFIG_MAPS] } },
  ];
  const dry = (kind: string, list: readonly Fields[]): Step[] =>
    list.map((spec, i) => {
      const step = create(kind, `invalid-${i}`, spec);
      return { ...step, path: `${step.path}?dryRun=All` };
    });
  return [
    { name: 'admission-invalid-policies', steps: dry('ValidatingAdmissionPolicy', policies) },
    {
      name: 'admission-invalid-bindings',
      steps: dry('ValidatingAdmissionPolicyBinding', bindings),
    },
    { name: 'admission-invalid-mutations', steps: dry('MutatingAdmissionPolicy', mutations) },
    {
      name: 'admission-invalid-mutation-bindings',
      steps: dry('MutatingAdmissionPolicyBinding', [
        {},
        { policyName: 'p' },
        { policyName: 'p', matchResources: { resourceRules: [CONFIG_MAPS] } },
        { policyName: 'p', paramRef: { name: 'x' } },
      ]),
    },
  ];
}

/** Who makes policies and bindings with parameters must be allowed to read those. */
function accessScript(): Script {
  const author = 'policy-author';
  const rbac = '/apis/rbac.authorization.k8s.io/v1';
  const role = (name: string, rules: readonly Fields[]): readonly Step[] => [
    {
      method: 'POST',
      path: `${rbac}/clusterroles`,
      body: {
        apiVersion: 'rbac.authorization.k8s.io/v1',
        kind: 'ClusterRole',
        metadata: { name },
        rules,
      },
    },
    {
      method: 'POST',
      path: `${rbac}/clusterrolebindings`,
      body: {
        apiVersion: 'rbac.authorization.k8s.io/v1',
        kind: 'ClusterRoleBinding',
        metadata: { name },
        roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name },
        subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: author }],
      },
      settleMs: SETTLE,
    },
  ];
  const as = (step: Step, dry = true): Step => ({
    ...step,
    path: dry ? `${step.path}?dryRun=All` : step.path,
    headers: { 'impersonate-user': author, 'impersonate-group': 'system:authenticated' },
  });
  const policy = (kind: string, paramKind: Fields | undefined): Fields => ({
    matchConstraints: {
      resourceRules: [{ ...CONFIG_MAPS, operations: ['CREATE'] }],
      namespaceSelector: inNamespace('adm-access'),
    },
    ...(paramKind === undefined ? {} : { paramKind }),
    ...(kind === 'Validating'
      ? { validations: [{ expression: 'true' }] }
      : {
          reinvocationPolicy: 'Never',
          mutations: [
            { patchType: 'ApplyConfiguration', applyConfiguration: { expression: 'Object{}' } },
          ],
        }),
  });
  const all = (['Validating', 'Mutating'] as const).flatMap((kind): Step[] => {
    const [policies, bindings] = [`${kind}AdmissionPolicy`, `${kind}AdmissionPolicyBinding`];
    const actions = kind === 'Validating' ? { validationActions: ['Deny'] } : {};
    const bind = (policyName: string, paramRef: Fields): Step =>
      as(
        create(bindings, `access-${kind.toLowerCase()}`, {
          policyName,
          ...actions,
          paramRef: { parameterNotFoundAction: 'Deny', ...paramRef },
        }),
      );
    const secret = { apiVersion: 'v1', kind: 'Secret' };
    return [
      as(create(policies, 'access-none', policy(kind, undefined))),
      as(create(policies, 'access-secret', policy(kind, secret))),
      as(create(policies, 'access-map', policy(kind, { apiVersion: 'v1', kind: 'ConfigMap' }))),
      as(create(policies, 'access-unknown', policy(kind, { apiVersion: 'x.io/v1', kind: 'Y' }))),
      create(policies, 'access-secret', policy(kind, secret)),
      bind('access-secret', { name: 'a' }),
      bind('access-secret', { name: 'a', namespace: 'default' }),
      bind('access-secret', { selector: { matchLabels: { a: 'b' } } }),
      bind('access-nowhere', { name: 'a' }),
    ];
  });
  return {
    name: 'admission-access',
    steps: [
      ...prepare('adm-access'),
      ...role(author, [
        {
          apiGroups: ['admissionregistration.k8s.io'],
          resources: ['*'],
          verbs: ['create', 'update', 'patch'],
        },
        { apiGroups: [''], resources: ['configmaps'], verbs: ['get', 'list'] },
      ]),
      ...all,
    ],
  };
}

/** Policies and their bindings in force, and what is refused of them when they are written. */
export function admissionScripts(): Script[] {
  return [
    ...invalidScripts(),
    accessScript(),
    ...validatingScripts(),
    ...parameterScripts(),
    ...mutatingScripts(),
    ...expressionScripts(),
  ];
}
