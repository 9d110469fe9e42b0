import {
  type Application,
  type AppProject,
  GROUP,
  parseApplication,
  parseAppProject,
  SECRET_TYPE_LABEL,
} from '@capstan/argocd-api';
import {
  createLiveState,
  type KubeClient,
  type LiveChange,
  type LiveState,
} from '@capstan/kube-client';
import type { Json, JsonObject, KubeObject } from '@capstan/kube-object';
import { CapstanError } from '@capstan/lib-std';
import { type RepositoryCredential, readRepositoryCredential } from './repositories.ts';

export interface AppKey {
  readonly namespace: string;
  readonly name: string;
}

/** The control plane's own resources, kept by watches: applications, projects, credentials. */
export class ControlState {
  readonly live: LiveState;
  readonly #namespace: string;
  #credentials: readonly RepositoryCredential[] | undefined;

  constructor(
    client: KubeClient,
    options: { readonly namespace: string; readonly namespaces: readonly string[] },
  ) {
    this.#namespace = options.namespace;
    const namespaces = [...new Set([options.namespace, ...options.namespaces])];
    this.live = createLiveState({ client, isManaged: () => true, namespaces });
    this.live.subscribe(({ key }) => {
      if (key.kind === 'Secret') this.#credentials = undefined;
    });
  }

  async start({ signal }: { readonly signal: AbortSignal }): Promise<void> {
    const kinds = [
      { group: GROUP, kind: 'Application' },
      { group: GROUP, kind: 'AppProject' },
      { group: '', kind: 'Secret' },
    ];
    const [missed] = await this.live.ensure(kinds, { signal });
    if (missed !== undefined) throw missed.error;
  }

  /** The object as it stands, and the Application it holds; throws SPEC_INVALID when it holds none. */
  read({ namespace, name }: AppKey): KubeObject | undefined {
    return this.live.get({ group: GROUP, kind: 'Application', namespace, name })?.read();
  }

  parse(object: KubeObject): Application {
    const parsed = parseApplication(object);
    if (parsed.kind === 'ok') return parsed.value;
    throw new CapstanError('SPEC_INVALID', `${parsed.field} ${parsed.message}`, {
      hint: `correct the Application ${object.metadata.name}`,
    });
  }

  project(name: string): AppProject | undefined {
    const key = { group: GROUP, kind: 'AppProject', namespace: this.#namespace, name };
    const object = this.live.get(key)?.read();
    const parsed = object && parseAppProject(object);
    return parsed?.kind === 'ok' ? parsed.value : undefined;
  }

  credentials(): readonly RepositoryCredential[] {
    this.#credentials ??= this.live
      .list({ group: '', kind: 'Secret' }, this.#namespace)
      .flatMap((secret) => readRepositoryCredential(secret.read()) ?? []);
    return this.#credentials;
  }

  applications(): readonly AppKey[] {
    return this.live.list({ group: GROUP, kind: 'Application' }).map(({ key }) => key);
  }
}

/** Whether a change of an Application asks for a reconcile: not the writing of its own status, but a word to end an operation. */
export function isWanted({ before, after }: LiveChange): boolean {
  if (before === undefined || after === undefined) return true;
  return outline(before.read()) !== outline(after.read());
}

/** Somebody asks for the end of the running operation: as Argo CD's command does it, by this phase in the status. */
export function isTerminating(object: KubeObject): boolean {
  const status = object['status'];
  const state = isRecord(status) ? status['operationState'] : undefined;
  return isRecord(state) && state['phase'] === 'Terminating';
}

function isRecord(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function isRepositorySecret({ before, after }: LiveChange): boolean {
  const typeOf = (object: KubeObject | undefined) =>
    object?.metadata.labels?.[SECRET_TYPE_LABEL] ?? '';
  return [before, after].some((object) => typeOf(object?.read()).startsWith('repo'));
}

function outline(object: KubeObject): string {
  const { annotations, labels, finalizers, deletionTimestamp, uid } = object.metadata;
  const parts = [
    uid,
    annotations,
    labels,
    finalizers,
    deletionTimestamp,
    object['spec'],
    object['operation'],
    isTerminating(object),
  ];
  return JSON.stringify(parts);
}
