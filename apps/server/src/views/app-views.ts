import {
  type AppDetail,
  type AppRef,
  type AppSummary,
  appKey,
  type CommitView,
  type SyncRecord,
} from '@capstan/apps-contract';
import type { HealthRules } from '@capstan/engine-health';
import type { LiveState } from '@capstan/kube-client';
import type { KubeObject } from '@capstan/kube-object';
import { CapstanError, type Clock } from '@capstan/lib-std';
import { APP_KINDS, appRefOf, sourceKeyOf } from './app-ref.ts';
import { applicationConditions, applicationSummary } from './application-summary.ts';
import { valueAt } from './fields.ts';
import { helmReleaseHistory, helmReleaseSummary } from './helm-release-summary.ts';
import { fluxConditions, kustomizationSummary } from './kustomization-summary.ts';
import { applicationObjects, inventoryObjects } from './managed-objects.ts';
import { type ManagedObject, resourceTree } from './resource-tree.ts';
import {
  applicationHistory,
  applicationOperation,
  type FindCommit,
  kustomizationHistory,
} from './sync-history.ts';

export interface AppViewPorts {
  readonly live: LiveState;
  /** Commits as far as they are at hand; never waits. */
  readonly findCommit: (app: AppSummary, revision: string) => CommitView | null;
  /** By which objects below the managed ones are judged, as the administrator set them. */
  readonly healthRules: () => HealthRules;
  readonly clock: Clock;
}

/** Applications, Kustomizations and HelmReleases of a cluster as the page shows them, from what the watch cache holds. */
export class AppViews {
  readonly #ports: AppViewPorts;

  constructor(ports: AppViewPorts) {
    this.#ports = ports;
  }

  list(): readonly AppSummary[] {
    const kinds = Object.entries(APP_KINDS);
    const objects = kinds.flatMap(([kind, group]) => this.#ports.live.list({ group, kind }));
    return objects
      .map((object) => this.#summary(object.read()))
      .sort((a, b) => (appKey(a) < appKey(b) ? -1 : 1));
  }

  /** Undefined when there is no such app. */
  summary(ref: AppRef): AppSummary | undefined {
    const object = this.#find(ref);
    return object === undefined ? undefined : this.#summary(object);
  }

  /** The app's own object; an error that names it when there is none. */
  require(ref: AppRef): KubeObject {
    const object = this.#find(ref);
    if (object !== undefined) return object;
    throw new CapstanError(
      'APP_NOT_FOUND',
      `there is no ${ref.kind} ${ref.namespace}/${ref.name}`,
      {
        hint: 'it may have been deleted; look at the list of apps',
      },
    );
  }

  managed(ref: AppRef): readonly ManagedObject[] {
    const object = this.require(ref);
    return ref.kind === 'Application' ? applicationObjects(object) : inventoryObjects(object);
  }

  detail(ref: AppRef): AppDetail {
    const object = this.require(ref);
    const app = this.#summary(object);
    const find = (revision: string) => this.#ports.findCommit(app, revision);
    const isApplication = ref.kind === 'Application';
    return {
      app,
      conditions: isApplication ? applicationConditions(object) : fluxConditions(object),
      operation: isApplication ? applicationOperation(object) : null,
      history: historyOf(ref.kind, object, find),
      commit: app.revision === '' ? null : find(app.revision),
      resources: resourceTree(this.managed(ref), this.#ports.live, {
        rules: this.#ports.healthRules(),
        nowMs: this.#ports.clock.now(),
      }),
      autoSync: !isApplication || hasAutoSync(object),
    };
  }

  #find(ref: AppRef): KubeObject | undefined {
    const { kind, namespace, name } = ref;
    return this.#ports.live.get({ group: APP_KINDS[kind], kind, namespace, name })?.read();
  }

  #summary(object: KubeObject): AppSummary {
    if (appRefOf(object)?.kind === 'Application') return applicationSummary(object);
    const key = sourceKeyOf(object);
    const source = key === undefined ? undefined : this.#ports.live.get(key)?.read();
    return appRefOf(object)?.kind === 'HelmRelease'
      ? helmReleaseSummary(object, source)
      : kustomizationSummary(object, source);
  }
}

function historyOf(
  kind: AppRef['kind'],
  object: KubeObject,
  find: FindCommit,
): readonly SyncRecord[] {
  switch (kind) {
    case 'Application':
      return applicationHistory(object, find);
    case 'Kustomization':
      return kustomizationHistory(object, find);
    case 'HelmRelease':
      return helmReleaseHistory(object);
  }
}

function hasAutoSync(object: KubeObject): boolean {
  const automated = valueAt(object, 'spec', 'syncPolicy', 'automated');
  return automated !== undefined && automated !== null && valueAt(automated, 'enabled') !== false;
}
