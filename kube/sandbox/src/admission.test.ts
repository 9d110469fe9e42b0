import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import {
  createLocalClient,
  type LocalClient,
  listAt,
  SYSTEM,
  textAt,
} from '@capstan/kube-apiserver';
import { startWebhookServer } from '@capstan/kube-apiserver/testing';
import { startSandbox } from './start-sandbox.ts';

const ADMISSION = 'admissionregistration.k8s.io/v1';

function deployment(): { [key: string]: never } {
  const labels = { app: 'web' };
  return JSON.parse(
    JSON.stringify({
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'web', namespace: 'default' },
      spec: {
        replicas: 2,
        selector: { matchLabels: labels },
        template: { metadata: { labels }, spec: { containers: [{ name: 'web', image: 'web:1' }] } },
      },
    }),
  ) as { [key: string]: never };
}

const PODS = { apiGroups: [''], apiVersions: ['v1'], resources: ['pods'], operations: ['CREATE'] };

/** What a client has in mind, in JSON: a draft of its own. */
function draft(value: object): { [key: string]: never } {
  return JSON.parse(JSON.stringify(value)) as { [key: string]: never };
}

async function until(what: string, holds: () => boolean): Promise<void> {
  for (let i = 0; i < 200; i++) {
    if (holds()) return;
    await pause(50);
  }
  assert.fail(`not within ten seconds: ${what}`);
}

function podsOf(client: LocalClient): readonly string[] {
  return client.list('v1/pods', 'default').map((pod) =>
    listAt(pod, 'spec', 'containers')
      .map((item) => textAt(item, 'name'))
      .join('+'),
  );
}

test('a webhook changes the pods that controllers make, and is not asked by a fork', async () => {
  await using webhook = await startWebhookServer();
  await using sandbox = await startSandbox();
  const client = createLocalClient(sandbox.server.core, SYSTEM, 'test');
  client.create(
    `${ADMISSION}/mutatingwebhookconfigurations`,
    draft({
      apiVersion: ADMISSION,
      kind: 'MutatingWebhookConfiguration',
      metadata: { name: 'inject' },
      webhooks: [
        {
          name: 'inject.example.com',
          admissionReviewVersions: ['v1'],
          sideEffects: 'None',
          rules: [PODS],
          clientConfig: { url: `${webhook.url}/sidecar`, caBundle: webhook.caBundle },
        },
      ],
    }),
  );
  client.create('apps/v1/deployments', deployment());
  await until('two pods with a sidecar', () => podsOf(client).join() === 'web+side,web+side');
  const asked = webhook.reviews.length;
  assert.equal(asked, 2);
  await using fork = await sandbox.fork();
  const forked = createLocalClient(fork.server.core, SYSTEM, 'test');
  const [pod] = forked.list('v1/pods', 'default');
  forked.remove('v1/pods', 'default', pod?.metadata.name ?? '', { gracePeriodSeconds: 0 });
  await until('a new pod in the fork', () => podsOf(forked).includes('web'));
  assert.equal(webhook.reviews.length, asked);
});

test('a policy keeps a controller from making pods until it is gone', async () => {
  await using sandbox = await startSandbox();
  const client = createLocalClient(sandbox.server.core, SYSTEM, 'test');
  client.create(
    `${ADMISSION}/validatingadmissionpolicies`,
    draft({
      apiVersion: ADMISSION,
      kind: 'ValidatingAdmissionPolicy',
      metadata: { name: 'tagged' },
      spec: {
        matchConstraints: { resourceRules: [PODS] },
        validations: [
          {
            expression: 'object.spec.containers.all(c, c.image.endsWith(":2"))',
            message: 'only version two',
          },
        ],
      },
    }),
  );
  client.create(
    `${ADMISSION}/validatingadmissionpolicybindings`,
    draft({
      apiVersion: ADMISSION,
      kind: 'ValidatingAdmissionPolicyBinding',
      metadata: { name: 'tagged' },
      spec: { policyName: 'tagged', validationActions: ['Deny'] },
    }),
  );
  client.create('apps/v1/deployments', deployment());
  const told = (): string[] =>
    client.list('v1/events', 'default').map((event) => textAt(event, 'message'));
  await until('an event about it', () =>
    told().some((message) => message.endsWith('denied request: only version two')),
  );
  assert.deepEqual(podsOf(client), []);
  client.remove(`${ADMISSION}/validatingadmissionpolicybindings`, '', 'tagged');
  await until('both pods', () => podsOf(client).join() === 'web,web');
});

test('a webhook in a simulated pod has no objections, one without endpoints fails', async () => {
  await using sandbox = await startSandbox();
  const client = createLocalClient(sandbox.server.core, SYSTEM, 'test');
  const configMap = (name: string): { [key: string]: never } =>
    draft({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace: 'default' } });
  client.create(
    `${ADMISSION}/validatingwebhookconfigurations`,
    draft({
      apiVersion: ADMISSION,
      kind: 'ValidatingWebhookConfiguration',
      metadata: { name: 'checks' },
      webhooks: [
        {
          name: 'checks.example.com',
          admissionReviewVersions: ['v1'],
          sideEffects: 'None',
          rules: [{ ...PODS, resources: ['configmaps'] }],
          clientConfig: { service: { name: 'web', namespace: 'default', path: '/check' } },
        },
      ],
    }),
  );
  assert.throws(() => client.create('v1/configmaps', configMap('early')), {
    message:
      'Internal error occurred: failed calling webhook "checks.example.com": failed to call webhook: Post "https://web.default.svc:443/check?timeout=10s": service "web" not found',
  });
  client.create('apps/v1/deployments', deployment());
  client.create(
    'v1/services',
    draft({
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'web', namespace: 'default' },
      spec: { selector: { app: 'web' }, ports: [{ port: 443, targetPort: 8443 }] },
    }),
  );
  await until('the webhook to be reached', () => {
    try {
      client.create('v1/configmaps', configMap('late'));
      return true;
    } catch {
      return false;
    }
  });
});

test('the status of a policy tells of fields that its kinds do not have', async () => {
  await using sandbox = await startSandbox();
  const client = createLocalClient(sandbox.server.core, SYSTEM, 'test');
  const path = `${ADMISSION}/validatingadmissionpolicies`;
  const policy = (name: string, expression: string): void => {
    const rule = {
      apiGroups: ['apps'],
      apiVersions: ['v1'],
      resources: ['deployments'],
      operations: ['CREATE'],
    };
    client.create(
      path,
      draft({
        apiVersion: ADMISSION,
        kind: 'ValidatingAdmissionPolicy',
        metadata: { name },
        spec: { matchConstraints: { resourceRules: [rule] }, validations: [{ expression }] },
      }),
    );
  };
  policy('sound', 'object.spec.replicas <= 5 && object.metadata.labels.team == "a"');
  policy('odd', 'object.spec.replicaz <= 5');
  const status = (name: string): unknown => client.get(path, '', name)?.['status'];
  await until(
    'both to be looked at',
    () => status('odd') !== undefined && status('sound') !== undefined,
  );
  assert.deepEqual(status('sound'), { observedGeneration: 1, typeChecking: {} });
  assert.deepEqual(status('odd'), {
    observedGeneration: 1,
    typeChecking: {
      expressionWarnings: [
        {
          fieldRef: 'spec.validations[0].expression',
          warning:
            "apps/v1, Kind=Deployment: ERROR: <input>:1:12: undefined field 'replicaz'\n | object.spec.replicaz <= 5\n | ...........^\n",
        },
      ],
    },
  });
});

test('the status of a policy tells of values that are not of the type they are compared with', async () => {
  await using sandbox = await startSandbox();
  const client = createLocalClient(sandbox.server.core, SYSTEM, 'test');
  const path = `${ADMISSION}/validatingadmissionpolicies`;
  const rule = { apiGroups: [''], apiVersions: ['v1'], resources: ['services'], operations: ['*'] };
  client.create(
    path,
    draft({
      apiVersion: ADMISSION,
      kind: 'ValidatingAdmissionPolicy',
      metadata: { name: 'typed' },
      spec: {
        matchConstraints: { resourceRules: [rule] },
        paramKind: { apiVersion: 'v1', kind: 'ConfigMap' },
        variables: [{ name: 'kind', expression: 'object.spec.type' }],
        validations: [
          { expression: 'variables.kind == 1' },
          { expression: 'params.data.size() > 0 && params.dada == 1' },
          { expression: 'object.spec.ports.all(p, p.targetPort == 80)' },
          { expression: 'authorizer.requestResource.check("get").allowed()' },
        ],
      },
    }),
  );
  const status = (): Record<string, unknown> | undefined =>
    client.get(path, '', 'typed')?.['status'] as Record<string, unknown> | undefined;
  await until('it to be looked at', () => status() !== undefined);
  const checked = status()?.['typeChecking'] as Record<string, unknown> | undefined;
  const warnings = checked?.['expressionWarnings'] as readonly {
    readonly fieldRef: string;
    readonly warning: string;
  }[];
  const said = warnings.map(({ fieldRef, warning }) => [fieldRef, warning.split('\n')[0]]);
  assert.deepEqual(said, [
    [
      'spec.validations[0].expression',
      "/v1, Kind=Service: ERROR: <input>:1:16: found no matching overload for '_==_' applied to '(string, int)'",
    ],
    [
      'spec.validations[1].expression',
      "/v1, Kind=Service: ERROR: <input>:1:33: undefined field 'dada'",
    ],
    [
      'spec.validations[3].expression',
      "/v1, Kind=Service: ERROR: <input>:1:11: unexpected failed resolution of 'kubernetes.authorization.Authorizer'",
    ],
  ]);
});

test('a policy keeps somebody from running a command in a pod', async () => {
  await using sandbox = await startSandbox();
  const client = createLocalClient(sandbox.server.core, SYSTEM, 'test');
  client.create(
    `${ADMISSION}/validatingadmissionpolicies`,
    draft({
      apiVersion: ADMISSION,
      kind: 'ValidatingAdmissionPolicy',
      metadata: { name: 'no-shell' },
      spec: {
        matchConstraints: {
          resourceRules: [{ ...PODS, resources: ['pods/exec'], operations: ['CONNECT'] }],
        },
        validations: [{ expression: 'object.command[0] != "sh"', message: 'no shells' }],
      },
    }),
  );
  client.create(
    `${ADMISSION}/validatingadmissionpolicybindings`,
    draft({
      apiVersion: ADMISSION,
      kind: 'ValidatingAdmissionPolicyBinding',
      metadata: { name: 'no-shell' },
      spec: { policyName: 'no-shell', validationActions: ['Deny'] },
    }),
  );
  client.create('apps/v1/deployments', deployment());
  await until('a pod that runs', () =>
    client.list('v1/pods', 'default').some((pod) => textAt(pod, 'status', 'phase') === 'Running'),
  );
  const pod = client
    .list('v1/pods', 'default')
    .find((one) => textAt(one, 'status', 'phase') === 'Running');
  const token = sandbox.server.core.signer.issue(sandbox.server.core, {
    namespace: 'default',
    name: 'default',
    uid: client.get('v1/serviceaccounts', 'default', 'default')?.metadata.uid ?? '',
    audiences: ['https://kubernetes.default.svc.cluster.local'],
    expirationSeconds: 600,
  });
  client.create(
    'rbac.authorization.k8s.io/v1/clusterrolebindings',
    draft({
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRoleBinding',
      metadata: { name: 'all' },
      roleRef: {
        apiGroup: 'rbac.authorization.k8s.io',
        kind: 'ClusterRole',
        name: 'cluster-admin',
      },
      subjects: [{ kind: 'ServiceAccount', name: 'default', namespace: 'default' }],
    }),
  );
  const run = (command: string) =>
    sandbox.server.streams({
      method: 'POST',
      path: `/api/v1/namespaces/default/pods/${pod?.metadata.name}/exec?command=${command}&stdout=true`,
      headers: { authorization: `Bearer ${token.token}` },
    });
  await assert.rejects(run('sh'), {
    message: `pods "${pod?.metadata.name}" is forbidden: ValidatingAdmissionPolicy 'no-shell' with binding 'no-shell' denied request: no shells`,
  });
  assert.equal((await run('ls')).kind, 'process');
});
