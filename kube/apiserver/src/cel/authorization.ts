import { dnsLabelProblems, subdomainProblems } from '@capstan/kube-object';
import {
  CelError,
  CelExtension,
  type CelFunction,
  type CelType,
  namedType,
  noSuchOverload,
  type CelRuntimeValue as Value,
} from '@capstan/lib-expressions';
import type { Attributes, Decision } from '../auth/rbac.ts';
import type { UserInfo } from '../user.ts';

const PACKAGE = 'kubernetes.authorization';
export const AUTHORIZER = `${PACKAGE}.Authorizer`;
const PATH = `${PACKAGE}.PathCheck`;
const GROUP = `${PACKAGE}.GroupCheck`;
export const RESOURCE = `${PACKAGE}.ResourceCheck`;
const DECISION = `${PACKAGE}.Decision`;
export const AUTHORIZATION_TYPES = [AUTHORIZER, PATH, GROUP, RESOURCE, DECISION];

type Asked = Omit<Attributes, 'verb' | 'path'>;
const NOTHING: Asked = { group: '', resource: '', subresource: '', namespace: '', name: '' };

/** Values that only have functions: they do not even compare. */
abstract class Receiver extends CelExtension {
  equals(): boolean {
    throw noSuchOverload();
  }
}

/** The variable `authorizer` (k8s.io/apiserver/pkg/cel/library Authz): what `user` may do, as `decide` says. */
export class Authorizer extends Receiver {
  readonly type: CelType = namedType(AUTHORIZER);
  readonly user: UserInfo;
  readonly decide: (user: UserInfo, attributes: Attributes) => Decision;

  constructor(user: UserInfo, decide: (user: UserInfo, attributes: Attributes) => Decision) {
    super();
    this.user = user;
    this.decide = decide;
  }

  resource(asked: Partial<Asked>): Value {
    return new ResourceCheck(this, { ...NOTHING, ...asked });
  }
}

class PathCheck extends Receiver {
  readonly type: CelType = namedType(PATH);
  readonly of: Authorizer;
  readonly path: string;

  constructor(of: Authorizer, path: string) {
    super();
    this.of = of;
    this.path = path;
  }
}

class GroupCheck extends Receiver {
  readonly type: CelType = namedType(GROUP);
  readonly of: Authorizer;
  readonly group: string;

  constructor(of: Authorizer, group: string) {
    super();
    this.of = of;
    this.group = group;
  }
}

class ResourceCheck extends Receiver {
  readonly type: CelType = namedType(RESOURCE);
  readonly of: Authorizer;
  readonly asked: Asked;

  constructor(of: Authorizer, asked: Asked) {
    super();
    this.of = of;
    this.asked = asked;
  }
}

class AuthorizationDecision extends Receiver {
  readonly type: CelType = namedType(DECISION);
  readonly decision: Decision;

  constructor(decision: Decision) {
    super();
    this.decision = decision;
  }
}

function instance<T>(value: Value | undefined, kind: new (...args: never[]) => T): T {
  if (value instanceof kind) return value;
  throw noSuchOverload();
}

function text(value: Value | undefined): string {
  if (typeof value === 'string') return value;
  throw noSuchOverload();
}

/** The functions of `authorizer`: declared in all expressions, though only policies have the variable. */
export function authorizationFunctions(): Record<string, CelFunction> {
  return { ...authorizerFunctions(), ...resourceFunctions(), ...decisionFunctions() };
}

function authorizerFunctions(): Record<string, CelFunction> {
  return {
    path: {
      overloads: [`authorizer_path: ${AUTHORIZER}.(string) -> ${PATH}`],
      call: ([of, path]) => {
        const authorizer = instance(of, Authorizer);
        if (text(path).trim() === '') throw new CelError('path must not be empty');
        return new PathCheck(authorizer, text(path));
      },
    },
    group: {
      overloads: [`authorizer_group: ${AUTHORIZER}.(string) -> ${GROUP}`],
      call: ([of, group]) => new GroupCheck(instance(of, Authorizer), text(group)),
    },
    serviceAccount: {
      overloads: [`authorizer_serviceaccount: ${AUTHORIZER}.(string, string) -> ${AUTHORIZER}`],
      call: ([of, namespace, name]) =>
        serviceAccount(instance(of, Authorizer), text(namespace), text(name)),
    },
    resource: {
      overloads: [`groupcheck_resource: ${GROUP}.(string) -> ${RESOURCE}`],
      call: ([check, resource]) => {
        const { of, group } = instance(check, GroupCheck);
        if (text(resource).trim() === '') throw new CelError('resource must not be empty');
        return of.resource({ group, resource: text(resource) });
      },
    },
  };
}

function serviceAccount(of: Authorizer, namespace: string, name: string): Authorizer {
  if (subdomainProblems(name).length > 0) throw new CelError('Invalid service account name');
  if (dnsLabelProblems(namespace).length > 0) {
    throw new CelError('Invalid service account namespace');
  }
  const user = {
    username: `system:serviceaccount:${namespace}:${name}`,
    groups: [
      'system:serviceaccounts',
      `system:serviceaccounts:${namespace}`,
      'system:authenticated',
    ],
    extra: {},
  };
  return new Authorizer(user, of.decide);
}

function resourceFunctions(): Record<string, CelFunction> {
  const change = (field: 'subresource' | 'namespace' | 'name'): CelFunction => ({
    overloads: [`resourcecheck_${field}: ${RESOURCE}.(string) -> ${RESOURCE}`],
    call: ([check, value]) => {
      const { of, asked } = instance(check, ResourceCheck);
      return new ResourceCheck(of, { ...asked, [field]: text(value) });
    },
  });
  // Roles do not know selectors: what is allowed is allowed for all.
  const selector = (field: 'field' | 'label'): CelFunction => ({
    overloads: [`authorizer_${field}selector: ${RESOURCE}.(string) -> ${RESOURCE}`],
    call: ([check, value]) => {
      text(value);
      return instance(check, ResourceCheck);
    },
  });
  return {
    subresource: change('subresource'),
    namespace: change('namespace'),
    name: change('name'),
    fieldSelector: selector('field'),
    labelSelector: selector('label'),
    check: {
      overloads: [
        `pathcheck_check: ${PATH}.(string) -> ${DECISION}`,
        `resourcecheck_check: ${RESOURCE}.(string) -> ${DECISION}`,
      ],
      call: ([check, verb]) => {
        if (check instanceof PathCheck) {
          const { of, path } = check;
          return decided(of, { ...NOTHING, path, verb: text(verb) });
        }
        const { of, asked } = instance(check, ResourceCheck);
        return decided(of, { ...asked, verb: text(verb) });
      },
    },
  };
}

function decided({ user, decide }: Authorizer, attributes: Attributes): AuthorizationDecision {
  return new AuthorizationDecision(decide(user, attributes));
}

function decisionFunctions(): Record<string, CelFunction> {
  const read = (name: string, result: string, get: (decision: Decision) => Value): CelFunction => ({
    overloads: [`decision_${name}: ${DECISION}.() -> ${result}`],
    call: ([decision]) => get(instance(decision, AuthorizationDecision).decision),
  });
  return {
    allowed: read('allowed', 'bool', ({ allowed }) => allowed),
    reason: read('reason', 'string', ({ reason }) => reason),
    // Roles are looked up in memory, which does not fail.
    errored: read('errored', 'bool', () => false),
    error: read('error', 'string', () => ''),
  };
}
