import type { JsonObject, KubeObject } from '@capstan/kube-object';
import type { Schema } from '@capstan/kube-schema';
import type { ASTNode } from '@marcbachmann/cel-js';
import type { Core } from '../core.ts';
import { listAt, textAt } from '../json.ts';
import type { ServedResource } from '../served-resource.ts';
import { childrenOf, parseExpression } from '../validation/cel-check.ts';

const TYPES_MAX = 10;

/**
 * What the status of a ValidatingAdmissionPolicy says of its expressions (k8s.io/apiserver's typechecking): fields that a kind
 * it is about does not have. A warning stops nothing.
 */
export function expressionWarnings(core: Core, policy: KubeObject): readonly JsonObject[] {
  const kinds = typesToCheck(core, policy);
  return listAt(policy, 'spec', 'validations').flatMap((validation, i) =>
    ['expression', 'messageExpression'].flatMap((key) => {
      const source = textAt(validation, key);
      if (source === '') return [];
      const found = kinds.flatMap((resource) => warning(source, resource));
      if (found.length === 0) return [];
      return [{ fieldRef: `spec.validations[${i}].${key}`, warning: found.join('\n') }];
    }),
  );
}

/** The kinds that the rules name without a star, in the order of their names. */
function typesToCheck(core: Core, policy: KubeObject): readonly ServedResource[] {
  const found = new Map<string, ServedResource>();
  for (const rule of listAt(policy, 'spec', 'matchConstraints', 'resourceRules')) {
    const groups = listAt(rule, 'apiGroups').map(String);
    const versions = listAt(rule, 'apiVersions').map(String);
    if ([...groups, ...versions].some((name) => name.includes('*'))) continue;
    for (const group of groups) {
      for (const version of versions) {
        for (const name of listAt(rule, 'resources').map(String)) {
          if (/[*/]/.test(name)) continue;
          const resource = core.registry.find(group, version, name);
          if (resource !== undefined) found.set(kindText(resource), resource);
        }
      }
    }
  }
  return [...found]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .slice(0, TYPES_MAX)
    .map(([, resource]) => resource);
}

function kindText({ group, version, kind }: ServedResource): string {
  return `${group}/${version}, Kind=${kind}`;
}

function warning(source: string, resource: ServedResource): readonly string[] {
  const schema = resource.schema?.schema;
  const ast = parseExpression(source);
  if (schema === undefined || typeof ast === 'string') return [];
  const problems = unknownFields(ast, schema).map(({ name, at }) => {
    const before = source.slice(0, at);
    const line = before.split('\n').length;
    const column = at - (before.lastIndexOf('\n') + 1);
    return `ERROR: <input>:${line}:${column + 1}: undefined field '${name}'\n | ${source.split('\n')[line - 1] ?? ''}\n | ${'.'.repeat(column)}^`;
  });
  if (problems.length === 0) return [];
  return [`${kindText(resource)}: ${problems.join('\n')}\n`];
}

function unknownFields(
  node: ASTNode,
  root: Schema,
): { readonly name: string; readonly at: number }[] {
  const below = childrenOf(node).flatMap((child) => unknownFields(child, root));
  if (node.op !== '.') return below;
  const [target, name] = node.args;
  const within = schemaOf(target, root);
  const isClosed =
    within?.properties !== undefined &&
    within.additionalProperties === undefined &&
    within.preserveUnknownFields !== true;
  if (!isClosed || within.properties?.has(name) === true) return below;
  return [...below, { name, at: target.end }];
}

function schemaOf(node: ASTNode, root: Schema): Schema | undefined {
  if (node.op === 'id')
    return node.args === 'object' || node.args === 'oldObject' ? root : undefined;
  if (node.op === '[]') return schemaOf(node.args[0], root)?.items;
  if (node.op !== '.') return undefined;
  const [target, name] = node.args;
  const within = schemaOf(target, root);
  const known = within?.properties?.get(name);
  if (known !== undefined) return known;
  return typeof within?.additionalProperties === 'object' ? within.additionalProperties : undefined;
}
