import type { AppRef } from '@capstan/apps-contract';
import type { KubeClient } from '@capstan/kube-client';
import type { Json, JsonObject, KubeObject } from '@capstan/kube-object';
import { CapstanError, type Clock } from '@capstan/lib-std';
import { sourceKeyOf } from './app-ref.ts';
import type { AppViews } from './app-views.ts';
import { isMapping, listAt, numberAt, textAt, valueAt } from './fields.ts';

export interface AppActionPorts {
  readonly client: KubeClient;
  readonly views: AppViews;
  readonly clock: Clock;
  /** Who pressed the button. */
  readonly user: string;
}

const FIELD_MANAGER = 'capstan-page';
const REQUESTED_AT = 'reconcile.fluxcd.io/requestedAt';

/** What the buttons of the page do: each is a write to the app's own object, as the official commands write it. */
export class AppActions {
  readonly #ports: AppActionPorts;

  constructor(ports: AppActionPorts) {
    this.#ports = ports;
  }

  async refresh(ref: AppRef, { hard }: { readonly hard: boolean }): Promise<void> {
    const object = this.#ports.views.require(ref);
    if (ref.kind === 'Application') {
      const kind = hard ? 'hard' : 'normal';
      await this.#patch(object, annotate('argocd.argoproj.io/refresh', kind));
      return;
    }
    await this.#request(object);
  }

  async sync(
    ref: AppRef,
    options: { readonly prune: boolean; readonly dryRun: boolean },
  ): Promise<void> {
    const object = this.#ports.views.require(ref);
    if (ref.kind !== 'Application') {
      if (options.dryRun) throw notForFlux('a dry run');
      await this.#request(object);
      return;
    }
    refuseWhileRunning(object);
    const policy = valueAt(object, 'spec', 'syncPolicy');
    const syncOptions = listAt(policy, 'syncOptions');
    const retry = valueAt(policy, 'retry');
    await this.#start(
      object,
      {
        ...(options.prune ? { prune: true } : {}),
        ...(options.dryRun ? { dryRun: true } : {}),
        ...(syncOptions.length === 0 ? {} : { syncOptions }),
      },
      retry,
    );
  }

  /** Puts an earlier deployment back in place. Automated sync is switched off first: it would undo this at once. */
  async rollback(ref: AppRef, id: number): Promise<void> {
    const object = this.#ports.views.require(ref);
    if (ref.kind !== 'Application') throw notForFlux('a rollback');
    refuseWhileRunning(object);
    const entry = listAt(object, 'status', 'history').find((item) => numberAt(item, 'id') === id);
    if (entry === undefined || !isMapping(entry)) {
      throw new CapstanError('HISTORY_MISSING', `there is no deployment ${id} in the history`, {
        hint: 'only the last ones are kept (spec.revisionHistoryLimit)',
      });
    }
    if (valueAt(object, 'spec', 'syncPolicy', 'automated') != null) {
      await this.#patch(object, { spec: { syncPolicy: { automated: null } } });
    }
    const { source, sources, revisions } = entry;
    const syncOptions = listAt(object, 'spec', 'syncPolicy', 'syncOptions');
    await this.#start(object, {
      revision: textAt(entry, 'revision'),
      prune: true,
      ...(syncOptions.length === 0 ? {} : { syncOptions }),
      ...(source === undefined ? {} : { source }),
      ...(sources === undefined ? {} : { sources }),
      ...(revisions === undefined ? {} : { revisions }),
    });
  }

  async #start(object: KubeObject, sync: JsonObject, retry?: Json): Promise<void> {
    const operation = {
      initiatedBy: { username: this.#ports.user },
      sync,
      ...(retry === undefined ? {} : { retry }),
    };
    await this.#patch(object, { operation });
  }

  /** Asks Flux's controllers for a look at once: the source first, as `flux reconcile --with-source` does. */
  async #request(object: KubeObject): Promise<void> {
    const now = new Date(this.#ports.clock.now()).toISOString();
    const source = sourceKeyOf(object);
    if (source !== undefined) {
      await this.#ports.client.patch(source, annotate(REQUESTED_AT, now), {
        type: 'merge',
        fieldManager: FIELD_MANAGER,
      });
    }
    await this.#patch(object, annotate(REQUESTED_AT, now));
  }

  async #patch(object: KubeObject, patch: Json): Promise<void> {
    const { namespace = '', name = '' } = object.metadata;
    const ref = { apiVersion: object.apiVersion, kind: object.kind, namespace, name };
    await this.#ports.client.patch(ref, patch, { type: 'merge', fieldManager: FIELD_MANAGER });
  }
}

function annotate(name: string, value: string): Json {
  return { metadata: { annotations: { [name]: value } } };
}

function refuseWhileRunning(object: KubeObject): void {
  if (valueAt(object, 'operation') === undefined) return;
  throw new CapstanError('OPERATION_RUNNING', 'another operation is waiting or running already', {
    hint: 'wait for its end, then try again',
  });
}

function notForFlux(what: string): CapstanError {
  return new CapstanError('NOT_FOR_FLUX', `Flux has no ${what.replace(/^a /, '')}`, {
    hint: what === 'a rollback' ? 'revert the commit in Git' : 'use flux diff kustomization',
  });
}
