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
  withSharedKinds,
} from '@capstan/kube-client';
import type { Json, JsonObject, KubeObject } from '@capstan/kube-object';
import { CapstanError } from '@capstan/lib-std';
import { type ClusterRegistration, type Programs, readClusterSecret } from './cluster-secret.ts';
import { fitsListed, isNamespacePermitted } from './project-guard.ts';
import { inheritGlobal } from './project-view.ts';
import { type RepositoryCredential, readRepositoryCredential, type Trust } from './repositories.ts';
import { readSettings, type Settings } from './settings.ts';

export interface AppKey {
  readonly namespace: string;
  readonly name: string;
}

const SETTINGS = 'argocd-cm';
const PARAMETERS = 'argocd-cmd-params-cm';
const SHARED_KINDS: ReadonlySet<string> = new Set([`${GROUP}/Application`, `${GROUP}/AppProject`]);

/** The control plane's own resources, kept by watches: applications, projects, credentials, clusters, settings. */
export class ControlState {
  /** Of the control plane's namespace. */
  readonly live: LiveState;
  readonly #client: KubeClient;
  readonly #namespace: string;
  /** Where applications may be beside there: names, globs, or expressions between slashes. */
  readonly #namespaces: readonly string[];
  /** Of all namespaces, when applications may be in others. */
  #everywhere: LiveState | undefined;
  readonly #shared: LiveState | undefined;
  readonly #programs: Programs | undefined;
  #credentials: readonly RepositoryCredential[] | undefined;
  #clusters: readonly ClusterRegistration[] | undefined;
  #settings: Settings | undefined;
  #trust: Trust | undefined;

  constructor(
    client: KubeClient,
    options: {
      readonly namespace: string;
      readonly namespaces: readonly string[];
      /** Holds Applications and projects whole, of all namespaces. */
      readonly shared?: LiveState | undefined;
      readonly programs?: Programs | undefined;
    },
  ) {
    this.#client = client;
    this.#namespace = options.namespace;
    this.#namespaces = options.namespaces;
    this.#programs = options.programs;
    const namespaces = [options.namespace];
    this.#shared = options.shared;
    this.live = this.#share(
      createLiveState({ client, isManaged: () => true, namespaces }),
      namespaces,
    );
    this.live.subscribe(({ key }) => {
      if (key.kind === 'Secret') {
        this.#credentials = undefined;
        this.#clusters = undefined;
      } else if (key.kind === 'ConfigMap') {
        this.#settings = undefined;
        this.#trust = undefined;
      }
    });
  }

  async start({ signal }: { readonly signal: AbortSignal }): Promise<void> {
    const own = [
      { group: GROUP, kind: 'Application' },
      { group: GROUP, kind: 'AppProject' },
      { group: '', kind: 'Secret' },
      { group: '', kind: 'ConfigMap' },
    ];
    const [missed] = await this.live.ensure(own, { signal });
    if (missed !== undefined) throw missed.error;
    // What is shared costs nothing, and may be needed when the settings change.
    const isAlone = this.#served().every((name) => name === this.#namespace);
    if (this.#shared === undefined && isAlone) return;
    this.#everywhere ??= this.#share(
      createLiveState({ client: this.#client, isManaged: () => true }),
    );
    const [refused] = await this.#everywhere.ensure([{ group: GROUP, kind: 'Application' }], {
      signal,
    });
    if (refused !== undefined) throw refused.error;
  }

  #share(own: LiveState, namespaces?: readonly string[]): LiveState {
    const live = this.#shared;
    if (live === undefined) return own;
    const kinds = SHARED_KINDS;
    return withSharedKinds(own, {
      live,
      kinds,
      ...(namespaces === undefined ? {} : { namespaces }),
    });
  }

  /** Changes of all that is watched. Applications of namespaces that are not served are left out. */
  subscribe(listener: (change: LiveChange) => void): () => void {
    const stops = [
      this.live.subscribe((change) => {
        if (this.#everywhere === undefined || change.key.kind !== 'Application') listener(change);
      }),
    ];
    const everywhere = this.#everywhere?.subscribe((change) => {
      if (this.#isServed(change.key.namespace)) listener(change);
    });
    if (everywhere !== undefined) stops.push(everywhere);
    return () => {
      for (const stop of stops) stop();
    };
  }

  observeWrite(...[object, options]: Parameters<LiveState['observeWrite']>): void {
    const isElsewhere = object.kind === 'Application' && this.#everywhere !== undefined;
    (isElsewhere ? this.#everywhere : this.live)?.observeWrite(object, options);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#everywhere?.[Symbol.asyncDispose]();
    await this.live[Symbol.asyncDispose]();
  }

  /** Where applications may be beside there, as the settings stand. */
  #served(): readonly string[] {
    return [...this.#namespaces, ...this.settings().applicationNamespaces];
  }

  #isServed(namespace: string): boolean {
    return (
      namespace === this.#namespace ||
      this.#served().some((pattern) => fitsListed(pattern, namespace))
    );
  }

  settings(): Settings {
    this.#settings ??= readSettings(this.#configMap(SETTINGS), this.#configMap(PARAMETERS));
    return this.#settings;
  }

  #configMap(name: string): { readonly [key: string]: string } {
    const key = { group: '', kind: 'ConfigMap', namespace: this.#namespace, name };
    const data = this.live.get(key)?.read()['data'];
    if (!isRecord(data)) return {};
    const texts = Object.entries(data).flatMap(([field, value]) =>
      typeof value === 'string' ? [[field, value] as const] : [],
    );
    return Object.fromEntries(texts);
  }

  /** Hosts and certificates of argocd-ssh-known-hosts-cm and argocd-tls-certs-cm. */
  trust(): Trust {
    this.#trust ??= {
      knownHosts: this.#configMap('argocd-ssh-known-hosts-cm')['ssh_known_hosts'] ?? '',
      certificates: this.#configMap('argocd-tls-certs-cm'),
    };
    return this.#trust;
  }

  /** Armored keys by id. */
  keys(): { readonly [id: string]: string } {
    return this.#configMap('argocd-gpg-keys-cm');
  }

  clusters(): readonly ClusterRegistration[] {
    this.#clusters ??= this.#secrets().flatMap(
      (secret) => readClusterSecret(secret, this.#programs) ?? [],
    );
    return this.#clusters;
  }

  secret(name: string): KubeObject | undefined {
    const key = { group: '', kind: 'Secret', namespace: this.#namespace, name };
    return this.live.get(key)?.read();
  }

  /** Names of all Secrets of the control plane's namespace. */
  secretNames(): readonly string[] {
    return this.live
      .list({ group: '', kind: 'Secret' }, this.#namespace)
      .map(({ key }) => key.name);
  }

  #secrets(): readonly KubeObject[] {
    return this.live
      .list({ group: '', kind: 'Secret' }, this.#namespace)
      .map((secret) => secret.read());
  }

  /** The object as it stands, and the Application it holds; throws SPEC_INVALID when it holds none. */
  read({ namespace, name }: AppKey): KubeObject | undefined {
    if (!this.#isServed(namespace)) return undefined;
    const live = this.#everywhere ?? this.live;
    return live.get({ group: GROUP, kind: 'Application', namespace, name })?.read();
  }

  parse(object: KubeObject): Application {
    const parsed = parseApplication(object);
    if (parsed.kind === 'ok') return parsed.value;
    throw new CapstanError('SPEC_INVALID', `${parsed.field} ${parsed.message}`, {
      hint: `correct the Application ${object.metadata.name}`,
    });
  }

  /** With what it inherits from global projects. */
  project(name: string): AppProject | undefined {
    const own = this.#ownProject(name);
    const find = (other: string) => this.#ownProject(other);
    return own && inheritGlobal(own, this.settings().globalProjects, find);
  }

  /** The object as it stands. */
  rawProject(name: string): KubeObject | undefined {
    const key = { group: GROUP, kind: 'AppProject', namespace: this.#namespace, name };
    return this.live.get(key)?.read();
  }

  /** Names of projects that are being deleted. */
  leavingProjects(): readonly string[] {
    return this.live
      .list({ group: GROUP, kind: 'AppProject' }, this.#namespace)
      .filter((held) => held.read().metadata.deletionTimestamp !== undefined)
      .map(({ key }) => key.name);
  }

  /** Whether an application names the project and may. */
  isReferenced(name: string): boolean {
    const project = this.#ownProject(name);
    return this.applications().some((key) => {
      const spec = this.read(key)?.['spec'];
      const named = isRecord(spec) ? spec['project'] || 'default' : undefined;
      if (named !== name) return false;
      return project === undefined || isNamespacePermitted(project, key.namespace, this.#namespace);
    });
  }

  #ownProject(name: string): AppProject | undefined {
    const object = this.rawProject(name);
    const parsed = object && parseAppProject(object);
    return parsed?.kind === 'ok' ? parsed.value : undefined;
  }

  credentials(): readonly RepositoryCredential[] {
    this.#credentials ??= this.#secrets().flatMap(
      (secret) => readRepositoryCredential(secret) ?? [],
    );
    return this.#credentials;
  }

  /** Of Secrets of type repository-write and repo-write-creds. */
  writeCredentials(): readonly RepositoryCredential[] {
    return this.#secrets().flatMap((secret) => readRepositoryCredential(secret, 'write') ?? []);
  }

  applications(): readonly AppKey[] {
    const live = this.#everywhere ?? this.live;
    return live
      .list({ group: GROUP, kind: 'Application' })
      .map(({ key }) => key)
      .filter(({ namespace }) => this.#isServed(namespace));
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

export function isRecord(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A change that may concern every application: credentials, clusters, projects, settings. */
export function concernsAll(change: LiveChange): boolean {
  const { key, before, after } = change;
  const typeOf = (object: KubeObject | undefined) =>
    object?.metadata.labels?.[SECRET_TYPE_LABEL] ?? '';
  if (key.kind === 'AppProject') return isWanted(change);
  if (key.kind === 'ConfigMap') return CONFIG_MAPS.has(key.name) && isChanged(before, after);
  return (
    key.kind === 'Secret' &&
    [before, after].some((object) => /^(?:repo|cluster)/.test(typeOf(object?.read())))
  );
}

const CONFIG_MAPS: ReadonlySet<string> = new Set([
  SETTINGS,
  PARAMETERS,
  'argocd-ssh-known-hosts-cm',
  'argocd-tls-certs-cm',
  'argocd-gpg-keys-cm',
]);

function isChanged(before: LiveChange['before'], after: LiveChange['after']): boolean {
  const text = (object: LiveChange['before']) => JSON.stringify(object?.read()['data'] ?? null);
  return text(before) !== text(after);
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
