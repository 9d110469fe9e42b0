import {
  type ApplicationSet,
  type AppProject,
  GROUP,
  parseApplicationSet,
  parseAppProject,
  SECRET_TYPE_LABEL,
} from '@capstan/argocd-api';
import {
  createLiveState,
  type KubeClient,
  type LiveChange,
  type LiveState,
  withSharedKinds,
} from '@capstan/kube-client';
import type { Json, KubeObject } from '@capstan/kube-object';
import { CapstanError } from '@capstan/lib-std';
import { isRecord } from './json.ts';
import type { RegisteredCluster } from './observation.ts';

export interface SetKey {
  readonly namespace: string;
  readonly name: string;
}

const KINDS = ['ApplicationSet', 'Application', 'AppProject'];

/** ApplicationSets and what they look at, kept by watches. */
export class SetState {
  readonly live: LiveState;
  readonly #namespace: string;
  readonly #isServed: (namespace: string) => boolean;
  /** Of the kinds of Argo CD, when nobody shares one. */
  readonly #own: LiveState | undefined;

  constructor(
    client: KubeClient,
    options: {
      readonly namespace: string;
      /** Where sets are looked at beside the control plane's namespace. */
      readonly isServed: (namespace: string) => boolean;
      /** Holds the kinds of Argo CD whole, of all namespaces. */
      readonly shared?: LiveState | undefined;
    },
  ) {
    this.#namespace = options.namespace;
    this.#isServed = options.isServed;
    const namespaces = [options.namespace];
    const secrets = createLiveState({ client, isManaged: () => true, namespaces });
    const kinds = new Set(KINDS.map((kind) => `${GROUP}/${kind}`));
    const live = options.shared ?? createLiveState({ client, isManaged: () => true });
    this.live = withSharedKinds(secrets, { live, kinds });
    this.#own = options.shared === undefined ? live : undefined;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.live[Symbol.asyncDispose]();
    await this.#own?.[Symbol.asyncDispose]();
  }

  #serves(namespace: string): boolean {
    return namespace === this.#namespace || this.#isServed(namespace);
  }

  async start({ signal }: { readonly signal: AbortSignal }): Promise<void> {
    const kinds = KINDS.map((kind) => ({ group: GROUP, kind }));
    const [missed] = await this.live.ensure([...kinds, { group: '', kind: 'Secret' }], { signal });
    if (missed !== undefined) throw missed.error;
  }

  keys(): readonly SetKey[] {
    return this.live
      .list({ group: GROUP, kind: 'ApplicationSet' })
      .map(({ key }) => ({ namespace: key.namespace ?? '', name: key.name }))
      .filter(({ namespace }) => this.#serves(namespace));
  }

  /** undefined for a set that is not there, or is not served. */
  read({ namespace, name }: SetKey): KubeObject | undefined {
    if (!this.#serves(namespace)) return undefined;
    return this.live.get({ group: GROUP, kind: 'ApplicationSet', namespace, name })?.read();
  }

  applications(namespace: string): readonly KubeObject[] {
    return this.live
      .list({ group: GROUP, kind: 'Application' }, namespace)
      .map((object) => object.read())
      .sort((a, b) => ((a.metadata.name ?? '') < (b.metadata.name ?? '') ? -1 : 1));
  }

  project(name: string): AppProject | undefined {
    const key = { group: GROUP, kind: 'AppProject', namespace: this.#namespace, name };
    const object = this.live.get(key)?.read();
    const parsed = object && parseAppProject(object);
    return parsed?.kind === 'ok' ? parsed.value : undefined;
  }

  secrets(): readonly KubeObject[] {
    return this.live
      .list({ group: '', kind: 'Secret' }, this.#namespace)
      .map((object) => object.read());
  }

  clusters(): readonly RegisteredCluster[] {
    return this.secrets().flatMap((secret) => readCluster(secret) ?? []);
  }
}

export function parseSet(object: KubeObject): ApplicationSet {
  const parsed = parseApplicationSet(object);
  if (parsed.kind === 'ok') return parsed.value;
  throw new CapstanError('SPEC_INVALID', `${parsed.field} ${parsed.message}`, {
    hint: `correct the ApplicationSet ${object.metadata.name}`,
  });
}

/** What a Secret of type cluster says of its cluster, credentials left out. */
export function readCluster(secret: KubeObject): RegisteredCluster | undefined {
  const { labels = {}, annotations = {} } = secret.metadata;
  if (labels[SECRET_TYPE_LABEL] !== 'cluster') return undefined;
  const data = isRecord(secret['data']) ? secret['data'] : {};
  const [name = '', server = '', project = ''] = ['name', 'server', 'project'].map((field) =>
    decode(data[field]),
  );
  return { name, server, project, labels, annotations };
}

function decode(value: Json | undefined): string {
  return typeof value === 'string' ? Buffer.from(value, 'base64').toString('utf8') : '';
}

/** Whether a change of an object asks for a look at sets: not what is only status. */
export function isWanted({ before, after }: LiveChange): boolean {
  if (before === undefined || after === undefined) return true;
  return outline(before.read()) !== outline(after.read());
}

function outline(object: KubeObject): string {
  const { annotations, labels, finalizers, deletionTimestamp, uid, ownerReferences } =
    object.metadata;
  const { spec, data } = object;
  const status = object.kind === 'Application' ? healthAndSync(object) : '';
  return JSON.stringify([
    uid,
    annotations,
    labels,
    finalizers,
    deletionTimestamp,
    ownerReferences,
    spec,
    data,
    status,
  ]);
}

/** What status.resources of a set shows of an application. */
function healthAndSync({ status }: KubeObject): Json {
  if (!isRecord(status)) return null;
  const { sync, health, reconciledAt, operationState } = status;
  // Rollouts by steps go by these as well.
  const operation = isRecord(operationState) ? operationState : {};
  return [
    reconciledAt ?? null,
    operation['phase'] ?? null,
    operation['startedAt'] ?? null,
    isRecord(sync) ? (sync['revision'] ?? null) : null,
    isRecord(sync) ? (sync['revisions'] ?? null) : null,
    isRecord(sync) ? (sync['status'] ?? null) : null,
    isRecord(health) ? (health['status'] ?? null) : null,
  ];
}
