import type { Script, Step } from '@capstan/kube-apiserver/testing';
import { CERTIFICATE_REQUEST, MORE_SAMPLES, REQUESTER } from './more-samples.ts';
import { SAMPLES, type Sample } from './samples.ts';

export const TABLE = 'application/json;as=Table;v=v1;g=meta.k8s.io,application/json';
const METADATA = 'application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io';

/** Makes a namespace with the account that pods need. */
export function prepare(namespace: string): Step[] {
  return [
    {
      method: 'POST',
      path: '/api/v1/namespaces',
      body: { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } },
    },
    {
      method: 'POST',
      path: `/api/v1/namespaces/${namespace}/serviceaccounts`,
      body: { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'default' } },
    },
  ];
}

/** For each kind: every verb, every way to write, tables, and what goes wrong. */
export function kindScripts(): Script[] {
  const samples = { ...SAMPLES, ...MORE_SAMPLES };
  return [
    ...Object.entries(samples).map(([name, sample]) => kindScript(name, sample)),
    approvalScript(),
  ];
}

/** A certificate request is approved, denied, and neither twice. */
function approvalScript(): Script {
  const path = '/apis/certificates.k8s.io/v1/certificatesigningrequests';
  const MERGE = 'application/merge-patch+json';
  const condition = (type: string, status = 'True'): object => ({
    status: { conditions: [{ type, status, reason: 'Test', message: 'by a test' }] },
  });
  const request = (name: string, spec: object = {}): Step => ({
    method: 'POST',
    path,
    body: {
      apiVersion: 'certificates.k8s.io/v1',
      kind: 'CertificateSigningRequest',
      metadata: { name },
      spec: {
        request: CERTIFICATE_REQUEST,
        signerName: 'example.com/signer',
        usages: ['client auth'],
        ...spec,
      },
    },
  });
  return {
    name: 'kind-approval',
    steps: [
      request('one'),
      { method: 'PATCH', path: `${path}/one/approval`, type: MERGE, body: condition('Approved') },
      { method: 'PATCH', path: `${path}/one/approval`, type: MERGE, body: condition('Denied') },
      { method: 'PATCH', path: `${path}/one/status`, type: MERGE, body: condition('Failed') },
      { method: 'GET', path: `${path}/one`, accept: TABLE },
      request('two'),
      {
        method: 'PATCH',
        path: `${path}/two/approval`,
        type: MERGE,
        body: condition('Approved', 'False'),
      },
      { method: 'PATCH', path: `${path}/two/approval`, type: MERGE, body: condition('Denied') },
      { method: 'PATCH', path: `${path}/two`, type: MERGE, body: { spec: { usages: ['any'] } } },
      { method: 'GET', path: `${path}/two/approval` },
      request('bad', { request: 'bm9uZQ==' }),
      request('bad', { signerName: 'kubernetes.io/nobody' }),
      request('bad', { signerName: 'plain', usages: [] }),
      request('bad', { expirationSeconds: 10 }),
    ].map((step) => ({ ...step, ignore: [...REQUESTER, 'rows.0.cells.3'] })),
  };
}

function kindScript(name: string, sample: Sample): Script {
  const namespace = `k-${name}`;
  const path = sample.path.replace('NS', namespace);
  const object = JSON.parse(
    JSON.stringify(sample.object).replaceAll('"NS"', JSON.stringify(namespace)),
  ) as Record<string, unknown>;
  const one = `${path}/sample`;
  const applied = { ...object };
  return {
    name: `kind-${name}`,
    steps: [
      ...(sample.namespaced ? prepare(namespace) : []),
      { method: 'POST', path: `${path}?dryRun=All`, body: object },
      { method: 'POST', path: `${path}?fieldManager=first`, body: object },
      { method: 'POST', path, body: object },
      { method: 'GET', path: one, keep: { before: 'metadata.resourceVersion' } },
      { method: 'GET', path: one, accept: TABLE },
      { method: 'GET', path: one, accept: METADATA },
      {
        method: 'GET',
        path: `${path}?labelSelector=app=sample&fieldSelector=metadata.name=sample`,
      },
      { method: 'PATCH', path: one, type: 'application/merge-patch+json', body: sample.change },
      { method: 'PATCH', path: one, type: 'application/merge-patch+json', body: sample.change },
      {
        method: 'PATCH',
        path: one,
        type: 'application/strategic-merge-patch+json',
        body: { metadata: { labels: { patched: 'yes' } } },
      },
      {
        method: 'PATCH',
        path: one,
        type: 'application/json-patch+json',
        body: [{ op: 'add', path: '/metadata/annotations', value: { n: '1' } }],
      },
      {
        method: 'PATCH',
        path: one,
        type: 'application/json-patch+json',
        body: [{ op: 'test', path: '/metadata/name', value: 'other' }],
      },
      {
        method: 'PATCH',
        path: `${one}?fieldManager=applier&force=true`,
        type: 'application/apply-patch+yaml',
        body: applied,
      },
      {
        method: 'PATCH',
        path: `${one}?fieldManager=applier`,
        type: 'application/apply-patch+yaml',
        body: applied,
      },
      {
        method: 'PUT',
        path: one,
        body: {
          ...object,
          metadata: { ...(object['metadata'] as object), resourceVersion: '{{before}}' },
        },
      },
      {
        method: 'PATCH',
        path: `${path}/other?fieldManager=applier&dryRun=All`,
        type: 'application/apply-patch+yaml',
        body: { ...applied, metadata: { name: 'other' } },
      },
      {
        method: 'POST',
        path: `${path}?fieldValidation=Strict&dryRun=All`,
        body: { ...object, nonsense: 1 },
      },
      {
        method: 'POST',
        path: `${path}?fieldValidation=Warn&dryRun=All`,
        body: { ...object, metadata: { name: 'warned', nonsense: 1 } },
      },
      {
        method: 'POST',
        path: `${path}?dryRun=All`,
        body: { ...object, metadata: { name: 'Bad_Name' } },
      },
      { method: 'DELETE', path: `${one}?dryRun=All` },
      {
        method: 'DELETE',
        path: one,
        body: { kind: 'DeleteOptions', apiVersion: 'v1', preconditions: { uid: 'other' } },
      },
      {
        method: 'DELETE',
        path: one,
        body: { kind: 'DeleteOptions', apiVersion: 'v1', propagationPolicy: 'Background' },
      },
      { method: 'GET', path: `${path}/none` },
      { method: 'DELETE', path: `${path}/none` },
    ].map((step) => (sample.ignore === undefined ? step : { ...step, ignore: sample.ignore })),
  };
}
