import type { JsonObject, KubeObject } from '@capstan/kube-object';
import { type CelType, DYN_TYPE, namedType } from '@capstan/lib-expressions';
import { AUTHORIZER } from '../cel/authorization.ts';
import { NAMESPACE_TYPE, REQUEST_TYPE } from '../cel/request-types.ts';
import { kubernetesCel } from '../cel/rule-compiler.ts';
import { declaredType } from '../cel/schema-types.ts';
import type { Core } from '../core.ts';
import { listAt, objectAt, textAt } from '../json.ts';
import type { ServedResource } from '../served-resource.ts';
import { variablesType, variableType } from './policy-expression.ts';

const TYPES_MAX = 10;

/**
 * What the status of a ValidatingAdmissionPolicy says of its expressions (k8s.io/apiserver's typechecking): what does not fit
 * the types of a kind that it is about. A warning stops nothing.
 */
export function expressionWarnings(core: Core, policy: KubeObject): readonly JsonObject[] {
  const kinds = typesToCheck(core, policy).flatMap((resource) => {
    const type = kindType(resource);
    return type === undefined ? [] : [{ resource, type }];
  });
  const params = paramsType(core, policy);
  return listAt(policy, 'spec', 'validations').flatMap((validation, i) =>
    ['expression', 'messageExpression'].flatMap((key) => {
      const source = textAt(validation, key);
      if (source === '') return [];
      const found = kinds.flatMap(({ resource, type }) => {
        const problem = check(policy, source, { object: type, params });
        return problem === undefined ? [] : [`${kindText(resource)}: ${problem}\n`];
      });
      if (found.length === 0) return [];
      return [{ fieldRef: `spec.validations[${i}].${key}`, warning: found.join('\n') }];
    }),
  );
}

/** The kinds that the rules name without a star, in the order of their names. */
function typesToCheck(core: Core, policy: KubeObject): readonly ServedResource[] {
  const found = new Map<string, ServedResource>();
  for (const rule of listAt(policy, 'spec', 'matchConstraints', 'resourceRules')) {
    let count = 0;
    for (const resource of resourcesOf(core, rule as JsonObject)) {
      found.set(kindText(resource), resource);
      count++;
      if (count === TYPES_MAX) return sorted(found);
    }
  }
  return sorted(found);
}

function* resourcesOf(core: Core, rule: JsonObject): Generator<ServedResource> {
  const groups = listAt(rule, 'apiGroups').map(String).sort();
  const versions = listAt(rule, 'apiVersions').map(String).sort();
  if ([...groups, ...versions].some((name) => name.includes('*'))) return;
  const names = listAt(rule, 'resources').map(String).sort();
  for (const group of groups) {
    for (const version of versions) {
      for (const name of names) {
        const resource = /[*/]/.test(name) ? undefined : core.registry.find(group, version, name);
        if (resource !== undefined) yield resource;
      }
    }
  }
}

function sorted(found: ReadonlyMap<string, ServedResource>): readonly ServedResource[] {
  const key = ({ group, version, kind }: ServedResource): string =>
    [group, version, kind].join('\0');
  return [...found.values()].sort((a, b) => (key(a) < key(b) ? -1 : 1));
}

function kindText({ group, version, kind }: ServedResource): string {
  return `${group}/${version}, Kind=${kind}`;
}

/** Undefined when nothing is known of the kind. */
function kindType(resource: ServedResource): CelType | undefined {
  const known = resource.schema;
  if (known === undefined) return undefined;
  return declaredType(known.schema, true, resource.kind)?.cel ?? DYN_TYPE;
}

/** Undefined: the policy has no parameters. */
function paramsType(core: Core, policy: KubeObject): CelType | undefined {
  const kind = objectAt(policy, 'spec')['paramKind'];
  if (kind === undefined || kind === null) return undefined;
  const [version = '', group = ''] = textAt(kind, 'apiVersion').split('/').reverse();
  const resource = core.registry.findKind(group, version, textAt(kind, 'kind'));
  return resource === undefined ? DYN_TYPE : (kindType(resource) ?? DYN_TYPE);
}

/** What does not fit. */
function check(
  policy: KubeObject,
  source: string,
  { object, params }: { readonly object: CelType; readonly params: CelType | undefined },
): string | undefined {
  const environment = kubernetesCel();
  const known = new Map<string, CelType>();
  const compile = (expression: string) => {
    const variables = new Map<string, CelType>([
      ['object', object],
      ['oldObject', object],
      ['namespaceObject', NAMESPACE_TYPE],
      ['request', REQUEST_TYPE],
      ['authorizer', namedType(AUTHORIZER)],
      ['variables', variablesType(known)],
    ]);
    if (params !== undefined) variables.set('params', params);
    return environment.compile(expression, { variables });
  };
  for (const variable of listAt(policy, 'spec', 'variables')) {
    const compiled = compile(textAt(variable, 'expression'));
    const type = 'issues' in compiled ? DYN_TYPE : variableType(compiled.type);
    known.set(textAt(variable, 'name'), type);
  }
  const compiled = compile(source);
  return 'issues' in compiled && compiled.issues.length > 0 ? compiled.text : undefined;
}
