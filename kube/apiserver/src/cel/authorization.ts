import { type CelFunction, noSuchOverload } from '@capstan/lib-expressions';

const PACKAGE = 'kubernetes.authorization';
const [AUTHORIZER, PATH, GROUP, RESOURCE, DECISION] = [
  'Authorizer',
  'PathCheck',
  'GroupCheck',
  'ResourceCheck',
  'Decision',
].map((name) => `${PACKAGE}.${name}`);

/** The functions of `authorizer`: declared in all expressions, though only policies have the variable. */
export function authorizationFunctions(): Record<string, CelFunction> {
  const declared = (...overloads: string[]): CelFunction => ({
    overloads,
    call: () => {
      throw noSuchOverload();
    },
  });
  return {
    path: declared(`authorizer_path: ${AUTHORIZER}.(string) -> ${PATH}`),
    group: declared(`authorizer_group: ${AUTHORIZER}.(string) -> ${GROUP}`),
    serviceAccount: declared(
      `authorizer_serviceaccount: ${AUTHORIZER}.(string, string) -> ${AUTHORIZER}`,
    ),
    resource: declared(`groupcheck_resource: ${GROUP}.(string) -> ${RESOURCE}`),
    subresource: declared(`resourcecheck_subresource: ${RESOURCE}.(string) -> ${RESOURCE}`),
    namespace: declared(`resourcecheck_namespace: ${RESOURCE}.(string) -> ${RESOURCE}`),
    name: declared(`resourcecheck_name: ${RESOURCE}.(string) -> ${RESOURCE}`),
    fieldSelector: declared(`authorizer_fieldselector: ${RESOURCE}.(string) -> ${RESOURCE}`),
    labelSelector: declared(`authorizer_labelselector: ${RESOURCE}.(string) -> ${RESOURCE}`),
    check: declared(
      `pathcheck_check: ${PATH}.(string) -> ${DECISION}`,
      `resourcecheck_check: ${RESOURCE}.(string) -> ${DECISION}`,
    ),
    errored: declared(`decision_errored: ${DECISION}.() -> bool`),
    error: declared(`decision_error: ${DECISION}.() -> string`),
    allowed: declared(`decision_allowed: ${DECISION}.() -> bool`),
    reason: declared(`decision_reason: ${DECISION}.() -> string`),
  };
}
