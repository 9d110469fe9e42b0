import { dnsLabelProblems, subdomainProblems } from '@capstan/kube-object';
import type { Environment } from '@marcbachmann/cel-js';
import { type Attributes, authorize, type Decision } from '../auth/rbac.ts';
import type { Core } from '../core.ts';
import type { UserInfo } from '../user.ts';
import type { AdmissionAttributes } from './attributes.ts';

/** The variable `authorizer` of policies and match conditions (k8s.io/apiserver's CEL library kubernetes.authz). */
export class Authorizer {
  readonly core: Core;
  readonly user: UserInfo;
  readonly requestResource: ResourceCheck;

  constructor(core: Core, user: UserInfo, request: AdmissionAttributes) {
    this.core = core;
    this.user = user;
    const { resource, subresource, namespace, name } = request;
    this.requestResource = new ResourceCheck(this, {
      group: resource.group,
      resource: resource.name,
      subresource,
      namespace,
      name,
    });
  }

  /** For another user; what is in the request stays. */
  as(user: UserInfo): Authorizer {
    const made = Object.create(Authorizer.prototype) as Authorizer;
    return Object.assign(made, { core: this.core, user, requestResource: this.requestResource });
  }
}

class PathCheck {
  readonly of: Authorizer;
  readonly path: string;

  constructor(of: Authorizer, path: string) {
    this.of = of;
    this.path = path;
  }
}

class GroupCheck {
  readonly of: Authorizer;
  readonly group: string;

  constructor(of: Authorizer, group: string) {
    this.of = of;
    this.group = group;
  }
}

class ResourceCheck {
  readonly of: Authorizer;
  readonly asked: Omit<Attributes, 'verb' | 'path'>;

  constructor(of: Authorizer, asked: Omit<Attributes, 'verb' | 'path'>) {
    this.of = of;
    this.asked = asked;
  }

  with(change: Partial<Omit<Attributes, 'verb' | 'path'>>): ResourceCheck {
    return new ResourceCheck(this.of, { ...this.asked, ...change });
  }
}

class AuthorizationDecision {
  readonly decision: Decision;

  constructor(decision: Decision) {
    this.decision = decision;
  }
}

const PACKAGE = 'kubernetes.authorization';
const AUTHORIZER = `${PACKAGE}.Authorizer`;
const PATH = `${PACKAGE}.PathCheck`;
const GROUP = `${PACKAGE}.GroupCheck`;
const RESOURCE = `${PACKAGE}.ResourceCheck`;
const DECISION = `${PACKAGE}.Decision`;

export function registerAuthorizer(environment: Environment): Environment {
  environment
    .registerType(PATH, PathCheck)
    .registerType(GROUP, GroupCheck)
    .registerType(RESOURCE, { ctor: ResourceCheck, fields: {} })
    .registerType(DECISION, AuthorizationDecision)
    .registerType(AUTHORIZER, { ctor: Authorizer, fields: { requestResource: RESOURCE } })
    .registerVariable('authorizer', AUTHORIZER);
  registerPaths(environment);
  registerResources(environment);
  return environment
    .registerFunction(
      `${DECISION}.allowed(): bool`,
      (d: AuthorizationDecision) => d.decision.allowed,
    )
    .registerFunction(
      `${DECISION}.reason(): string`,
      (d: AuthorizationDecision) => d.decision.reason,
    )
    .registerFunction(`${DECISION}.errored(): bool`, () => false)
    .registerFunction(`${DECISION}.error(): string`, () => '');
}

function registerPaths(environment: Environment): void {
  environment
    .registerFunction(`${AUTHORIZER}.path(string): ${PATH}`, (of: Authorizer, path: string) => {
      if (path.trim() === '') throw new Error('path must not be empty');
      return new PathCheck(of, path.startsWith('/') ? path : `/${path}`);
    })
    .registerFunction(
      `${PATH}.check(string): ${DECISION}`,
      ({ of, path }: PathCheck, verb: string) =>
        decide(of, {
          verb,
          path,
          group: '',
          resource: '',
          subresource: '',
          namespace: '',
          name: '',
        }),
    )
    .registerFunction(
      `${AUTHORIZER}.serviceAccount(string, string): ${AUTHORIZER}`,
      (of: Authorizer, namespace: string, name: string) => {
        if (subdomainProblems(name).length > 0) throw new Error('Invalid service account name');
        if (dnsLabelProblems(namespace).length > 0) {
          throw new Error('Invalid service account namespace');
        }
        return of.as({
          username: `system:serviceaccount:${namespace}:${name}`,
          groups: [
            'system:serviceaccounts',
            `system:serviceaccounts:${namespace}`,
            'system:authenticated',
          ],
          extra: {},
        });
      },
    );
}

function registerResources(environment: Environment): void {
  const change = (name: 'subresource' | 'namespace' | 'name'): void => {
    environment.registerFunction(
      `${RESOURCE}.${name}(string): ${RESOURCE}`,
      (check: ResourceCheck, value: string) => check.with({ [name]: value }),
    );
  };
  change('subresource');
  change('namespace');
  change('name');
  environment
    .registerFunction(`${AUTHORIZER}.group(string): ${GROUP}`, (of: Authorizer, group: string) => {
      return new GroupCheck(of, group);
    })
    .registerFunction(
      `${GROUP}.resource(string): ${RESOURCE}`,
      ({ of, group }: GroupCheck, resource: string) => {
        if (resource.trim() === '') throw new Error('resource must not be empty');
        return new ResourceCheck(of, { group, resource, subresource: '', namespace: '', name: '' });
      },
    )
    // Roles do not know selectors: what is allowed is allowed for all.
    .registerFunction(`${RESOURCE}.fieldSelector(string): ${RESOURCE}`, (c: ResourceCheck) => c)
    .registerFunction(`${RESOURCE}.labelSelector(string): ${RESOURCE}`, (c: ResourceCheck) => c)
    .registerFunction(
      `${RESOURCE}.check(string): ${DECISION}`,
      ({ of, asked }: ResourceCheck, verb: string) => decide(of, { ...asked, verb }),
    );
}

function decide({ core, user }: Authorizer, asked: Attributes): AuthorizationDecision {
  return new AuthorizationDecision(authorize(core, user, asked));
}
