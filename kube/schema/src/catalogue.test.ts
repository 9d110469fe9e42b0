import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JsonObject } from '@capstan/kube-object';
import { normalizeBuiltIn, zeroObject } from './built-in.ts';
import { kubernetesMinors, loadCatalogue } from './catalogue.ts';
import { decodeBuiltIn } from './decode-built-in.ts';
import { loadDescriptions } from './descriptions.ts';
import { openApiDefinition } from './openapi.ts';

const catalogue = await loadCatalogue();
const deployments = catalogue.kind({ group: 'apps', version: 'v1', kind: 'Deployment' })!;

test('every minor has its kinds, and every resource of a kind has a schema', async () => {
  for (const minor of kubernetesMinors) {
    const known = await loadCatalogue(minor);
    assert.match(known.gitVersion, new RegExp(`^v${minor.replace('.', '\\.')}\\.`));
    assert.ok(known.resources.length > 80);
    for (const { group, version, kind } of known.resources)
      assert.ok(known.kind({ group, version, kind }), `${minor}: ${group}/${version} ${kind}`);
  }
});

test('every minor judges fields and kinds by what it has itself', async () => {
  const pod = { group: '', version: 'v1', kind: 'Pod' };
  const job = { group: 'batch', version: 'v1', kind: 'Job' };
  const fields: readonly (readonly [typeof pod, string, readonly string[]])[] = [
    [job, 'scheduling', ['1.37']],
    [pod, 'schedulingGroup', ['1.37', '1.36']],
    [pod, 'workloadRef', ['1.35']],
    [pod, 'hostname', kubernetesMinors],
  ];
  for (const minor of kubernetesMinors) {
    const known = await loadCatalogue(minor);
    for (const [kind, field, minors] of fields) {
      const { unknownFields } = decodeBuiltIn(known.kind(kind)!.schema, {
        spec: { [field]: null },
      });
      const expected = minors.includes(minor) ? [] : [`spec.${field}`];
      assert.deepEqual(unknownFields, expected, `${minor}: ${field}`);
    }
    const policies = known.resources.some(
      ({ name, version }) => name === 'mutatingadmissionpolicies' && version === 'v1',
    );
    assert.equal(policies, minor === '1.37' || minor === '1.36', minor);
  }
  await assert.rejects(loadCatalogue('1.2' as (typeof kubernetesMinors)[number]), {
    code: 'SCHEMA_MINOR_UNKNOWN',
  });
});

test('a resource is described as discovery describes it', () => {
  const found = catalogue.resources.find(
    ({ group, name }) => group === 'apps' && name === 'deployments',
  );
  assert.deepEqual(found?.shortNames, ['deploy']);
  assert.deepEqual(found?.categories, ['all']);
  assert.deepEqual(
    found?.subresources.map(({ name, kind }) => [name, kind.group, kind.kind]),
    [
      ['scale', 'autoscaling', 'Scale'],
      ['status', 'apps', 'Deployment'],
    ],
  );
  assert.equal(catalogue.groups[0]?.name, '');
});

test('lists know their keys and defaults through all references', () => {
  const path = ['spec', 'template', 'spec', 'containers', 'ports'];
  let type = deployments.mergeType;
  for (const name of path) {
    const map = type.map ?? type.list?.element.map;
    type = map!.fields.get(name)!.type;
  }
  assert.deepEqual(type.list?.keys, ['containerPort', 'protocol']);
  assert.equal(type.list?.element.map?.fields.get('protocol')?.default, 'TCP');
});

test('kinds that hold themselves are unpacked as far as one looks', () => {
  const crd = catalogue.kind({
    group: 'apiextensions.k8s.io',
    version: 'v1',
    kind: 'CustomResourceDefinition',
  });
  const versions = crd?.schema.properties?.get('spec')?.properties?.get('versions')?.items;
  let node = versions?.properties?.get('schema')?.properties?.get('openAPIV3Schema');
  for (let i = 0; i < 50; i++) node = node?.properties?.get('not');
  assert.equal(
    node?.definition,
    'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaProps',
  );
});

test('a built-in object has the zero values that Go writes and none that it leaves out', () => {
  assert.deepEqual(zeroObject(deployments.schema), {
    metadata: {},
    spec: { selector: null, strategy: {}, template: { metadata: {}, spec: { containers: null } } },
    status: {},
  });
  const container = {
    name: 'c',
    image: '',
    args: [],
    resources: { limits: { cpu: '1000m', memory: 1 } },
  };
  const object = normalizeBuiltIn(deployments.schema, {
    metadata: { labels: {}, name: 'x' },
    spec: {
      replicas: 0,
      minReadySeconds: 0,
      paused: false,
      template: { spec: { containers: [container] } },
    },
  });
  const spec = object['spec'] as {
    replicas: number;
    template: { spec: { containers: JsonObject[] } };
  };
  assert.deepEqual(object['metadata'], { name: 'x' });
  assert.deepEqual(Object.keys(spec).sort(), ['replicas', 'selector', 'strategy', 'template']);
  assert.deepEqual(spec.template.spec.containers, [
    { name: 'c', resources: { limits: { cpu: '1', memory: '1' } } },
  ]);
  assert.equal(normalizeBuiltIn(deployments.schema, object), object);
});

test('the decoder names the first value of a wrong type and every unknown field', () => {
  const report = (spec: JsonObject): unknown => decodeBuiltIn(deployments.schema, { spec });
  assert.deepEqual(report({ replicas: 'three', replica: 3 }), {
    typeError:
      'json: cannot unmarshal string into Go struct field DeploymentSpec.spec.replicas of type int32',
    unknownFields: ['spec.replica'],
  });
  assert.deepEqual(
    report({ template: { spec: { containers: [{ name: 'c', imag: 'x', ports: {} }] } } }),
    {
      typeError:
        'json: cannot unmarshal object into Go struct field Container.spec.template.spec.containers.ports of type []v1.ContainerPort',
      unknownFields: ['spec.template.spec.containers[0].imag'],
    },
  );
});

test('the decoder shows Go names of types and embedded structs', () => {
  const probe = { livenessProbe: { httpGet: { port: true } } };
  const cases: readonly (readonly [JsonObject, string])[] = [
    [
      { ports: [{ protocol: 7 }] },
      'number into Go struct field ContainerPort.spec.template.spec.containers.ports.protocol of type v1.Protocol',
    ],
    [
      probe,
      'bool into Go struct field HTTPGetAction.spec.template.spec.containers.livenessProbe.ProbeHandler.httpGet.port of type int32',
    ],
    [
      { ports: [{ containerPort: 3e9 }] },
      'number 3000000000 into Go struct field ContainerPort.spec.template.spec.containers.ports.containerPort of type int32',
    ],
  ];
  for (const [fields, want] of cases) {
    const spec = { template: { spec: { containers: [{ name: 'c', ...fields }] } } };
    const { typeError } = decodeBuiltIn(deployments.schema, { spec });
    assert.equal(typeError, `json: cannot unmarshal ${want}`);
  }
});

test('a definition is published with references and descriptions', async () => {
  const describe = await loadDescriptions('1.36', (name) => [
    ...(catalogue.definition(name)?.properties?.keys() ?? []),
  ]);
  const out = openApiDefinition(deployments.schema, { flavour: 'v3', descriptionOf: describe }) as {
    description: string;
    properties: Record<string, JsonObject>;
  };
  assert.equal(out.description, 'Deployment enables declarative updates for Pods and ReplicaSets.');
  assert.deepEqual(out.properties['spec'], {
    allOf: [{ $ref: '#/components/schemas/io.k8s.api.apps.v1.DeploymentSpec' }],
    default: {},
    description: 'Specification of the desired behavior of the Deployment.',
  });
});
