import type { Script, Step } from '@capstan/kube-apiserver/testing';
import { prepare } from './kinds.ts';

const APPLY = 'application/apply-patch+yaml';

/** Applies of values that no schema allows: the merge is the first to look at them. */
export function badApplyScript(): Script {
  const namespace = 'p-bad-applies';
  const base = `/api/v1/namespaces/${namespace}`;
  const apply = (path: string, body: unknown): Step => ({
    method: 'PATCH',
    path: `${path}?fieldManager=m`,
    type: APPLY,
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
  const deployment = (spec: unknown): Step =>
    apply(`/apis/apps/v1/namespaces/${namespace}/deployments/d`, {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'd' },
      spec,
    });
  const service = (spec: unknown): Step =>
    apply(`${base}/services/s`, {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 's' },
      spec,
    });
  const configMap = (fields: object): Step =>
    apply(`${base}/configmaps/c`, {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'c' },
      ...fields,
    });
  return {
    name: 'protocol-bad-applies',
    steps: [
      ...prepare(namespace),
      deployment({ replicas: 'many' }),
      deployment({ paused: 'yes' }),
      deployment([]),
      deployment('text'),
      deployment({ template: { spec: { containers: { name: 'c' } } } }),
      deployment({ template: { spec: { containers: [{ name: 'c', image: 1 }] } } }),
      deployment({ template: { spec: { containers: [{ image: 'i' }] } } }),
      deployment({ template: { spec: { containers: [{ name: 'c' }, { name: 'c' }] } } }),
      service({ ports: [{ port: 'notaport' }] }),
      service({ ports: [{ port: 80, targetPort: {} }] }),
      service({ selector: ['a'] }),
      configMap({ data: { a: 1 } }),
      configMap({ data: 'text' }),
      configMap({ immutable: 'yes' }),
      configMap({ unknown: { a: 1 } }),
      configMap({ metadata: { name: 'c', labels: { a: 1 } } }),
      configMap({ metadata: { name: 'c', finalizers: 'x' } }),
      configMap({ metadata: [] }),
      apply(`${base}/configmaps/c`, 'a: b: c'),
      apply(`${base}/configmaps/c`, '[1, 2]'),
      apply(`${base}/configmaps/c`, 'apiVersion: v1\nkind: Secret\nmetadata: {name: c}\n'),
      apply(`${base}/configmaps/c`, 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: other}\n'),
      apply(
        `${base}/configmaps/c`,
        'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c, namespace: other}\n',
      ),
    ],
  };
}
