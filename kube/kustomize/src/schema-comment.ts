import type { Json } from '@capstan/kube-object';
import type { KNode } from './node.ts';
import type { SchemaNode } from './openapi.ts';

/**
 * A comment that is JSON overrides the schema of what it stands at: kpt's setters do so, without meaning to. Nothing
 * is merged by keys there.
 */
export function schemaComment(node: KNode | undefined): SchemaNode | undefined {
  if (node === undefined || node.tag === '!!null') return undefined;
  const comment = node.lineComment !== '' ? node.lineComment : node.headComment;
  if (comment === '' || !comment.includes('{')) return undefined;
  let value: Json;
  try {
    value = JSON.parse(comment.replace(/^#+/, ''));
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  const fields: { readonly [key: string]: unknown } = { ...value };
  if (Object.keys(fields).length === 0) return undefined;
  const strategy = fields['x-kubernetes-patch-strategy'];
  const key = fields['x-kubernetes-patch-merge-key'];
  return {
    strategy: typeof strategy === 'string' ? strategy : '',
    keys: typeof key === 'string' ? [key] : [],
    field: () => undefined,
    elements: () => undefined,
  };
}
