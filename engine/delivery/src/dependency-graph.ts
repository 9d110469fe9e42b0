/**
 * One graph of what waits for what, across all kinds of deliveries and whatever else lives in the control plane's cluster.
 * Readiness is read from the resources themselves, so replicas that share the work agree.
 */
import { assessHealth, type HealthRules } from '@capstan/engine-health';
import type { LiveState } from '@capstan/kube-client';
import { type KubeObject, parseApiVersion } from '@capstan/kube-object';
import { CapstanError } from '@capstan/lib-std';
import type { DeliveryId } from './types.ts';

/** Something to wait for. `group` '' stands for the kind of that name which is a delivery, or else the core group. */
export interface DependencyRef extends DeliveryId {
  readonly group: string;
}

/** How a resource stands, as its family tells it. */
export interface DependencyNode {
  readonly dependsOn: readonly DependencyRef[];
  /** What it still lacks, to stand after its name: `is Progressing`. undefined: it is in place and works. */
  readonly unready: string | undefined;
  /** Which commits of which sources are in place; whoever deploys a commit of the same source waits for that one. */
  readonly revisions: readonly SourceCommit[];
}

export interface SourceCommit {
  /** The same text for the same branch of the same repository. */
  readonly source: string;
  readonly commit: string;
}

/** Reads the resources of one kind. Must be pure. */
export interface DependencyReader {
  readonly group: string;
  readonly kind: string;
  readonly read: (object: KubeObject) => DependencyNode;
}

export interface DependencyGraphOptions {
  /** The cluster where the resources live. */
  readonly live: Pick<LiveState, 'get' | 'list' | 'subscribe'>;
  readonly readers: readonly DependencyReader[];
  /** How resources without a reader are judged. */
  readonly healthRules: HealthRules;
  readonly now: () => number;
}

export interface DependencyListener {
  /** Something that this delivery asked about changed. */
  readonly wake: (id: DeliveryId) => void;
  /** It is at an older commit than one that waits for it: its status may only not tell of a commit that left it alone. */
  readonly refresh?: (id: DeliveryId) => void;
}

export type DependencyVerdict =
  | { readonly kind: 'ready' }
  | { readonly kind: 'waiting'; readonly message: string }
  | { readonly kind: 'cycle'; readonly message: string };

/** On any delivery: what it waits for, as `Kind/namespace/name` (or `Kind/name` of its own namespace), by commas. */
export const DEPENDS_ON = 'capstan.dev/depends-on';

/** Throws DEPENDENCY_INVALID for what names nothing: better to wait for a correction than to go first. */
export function readDependsOn(object: KubeObject): readonly DependencyRef[] {
  const text = object.metadata.annotations?.[DEPENDS_ON] ?? '';
  return text
    .split(/[\s,]+/)
    .filter((part) => part !== '')
    .map((part) => parseReference(part, object.metadata.namespace ?? ''));
}

function parseReference(text: string, ownNamespace: string): DependencyRef {
  const parts = text.split('/');
  const [type = '', ...place] = parts;
  const [kind = '', ...group] = type.split('.');
  const name = place.at(-1) ?? '';
  if (place.length < 1 || place.length > 2 || kind === '' || name === '') {
    throw new CapstanError('DEPENDENCY_INVALID', `${DEPENDS_ON}: "${text}" names no resource`, {
      kind: 'stalled',
      hint: 'write Kind/name, Kind/namespace/name or Kind.group/namespace/name, e.g. Application/database',
    });
  }
  const namespace = place.length === 2 ? (place[0] ?? '') : ownNamespace;
  return { group: group.join('.'), kind, namespace, name };
}

export class DependencyGraph {
  readonly #options: DependencyGraphOptions;
  /** Who waits for a resource, by what was last asked. */
  readonly #dependents = new Map<string, Set<string>>();
  readonly #asked = new Map<
    string,
    { readonly id: DeliveryId; readonly refs: readonly DependencyRef[] }
  >();

  readonly #refreshers = new Set<(id: DeliveryId) => void>();

  constructor(options: DependencyGraphOptions) {
    this.#options = options;
  }

  /** Whether all that a delivery depends on is in place, at the commits that it is about to deploy. */
  check(
    id: DeliveryId,
    refs: readonly DependencyRef[],
    deploys: readonly SourceCommit[] = [],
  ): DependencyVerdict {
    this.#remember(id, refs);
    if (refs.length === 0) return { kind: 'ready' };
    const cycle = this.#findCycle(id, refs);
    if (cycle !== undefined) {
      const message = `dependency cycle: ${cycle.map(nameOf).join(' → ')}`;
      return { kind: 'cycle', message };
    }
    for (const ref of refs) {
      const lack = this.#lackOf(ref, deploys);
      if (lack !== undefined) {
        return { kind: 'waiting', message: `waiting for ${nameOf(ref)}, which ${lack}` };
      }
    }
    return { kind: 'ready' };
  }

  /** Returns the way to stop. */
  subscribe({ wake, refresh }: DependencyListener): () => void {
    if (refresh !== undefined) this.#refreshers.add(refresh);
    const stop = this.#options.live.subscribe(({ key }) => {
      const dependents = this.#dependents.get(placeOf(key));
      for (const text of dependents ?? []) {
        const asked = this.#asked.get(text);
        if (asked !== undefined) wake(asked.id);
      }
    });
    return () => {
      stop();
      if (refresh !== undefined) this.#refreshers.delete(refresh);
    };
  }

  #remember(id: DeliveryId, refs: readonly DependencyRef[]): void {
    const text = placeOf(id);
    for (const ref of this.#asked.get(text)?.refs ?? []) {
      const dependents = this.#dependents.get(placeOf(ref));
      dependents?.delete(text);
      if (dependents?.size === 0) this.#dependents.delete(placeOf(ref));
    }
    if (refs.length === 0) {
      this.#asked.delete(text);
      return;
    }
    this.#asked.set(text, { id, refs });
    for (const ref of refs) {
      const dependents = this.#dependents.get(placeOf(ref)) ?? new Set();
      this.#dependents.set(placeOf(ref), dependents.add(text));
    }
  }

  #lackOf(ref: DependencyRef, deploys: readonly SourceCommit[]): string | undefined {
    const object = this.#find(ref);
    if (object === undefined) return 'does not exist';
    const node = this.#nodeOf(object);
    if (node.unready !== undefined) return node.unready;
    const isBehind = node.revisions.some(({ source, commit }) =>
      deploys.some((one) => one.source === source && one.commit !== commit),
    );
    if (!isBehind) return undefined;
    for (const refresh of this.#refreshers) refresh(ref);
    return 'is still at another revision';
  }

  #find({ group, kind, namespace, name }: DependencyRef): KubeObject | undefined {
    const reader = this.#options.readers.find(
      (one) => one.kind === kind && (group === '' || group === one.group),
    );
    const { live } = this.#options;
    const at = (place: string) =>
      live.get({ group: reader?.group ?? group, kind, namespace: place, name });
    return (at(namespace) ?? at(''))?.read();
  }

  #nodeOf(object: KubeObject): DependencyNode {
    const { group } = parseApiVersion(object.apiVersion);
    const reader = this.#options.readers.find(
      (one) => one.kind === object.kind && one.group === group,
    );
    if (reader !== undefined) return reader.read(object);
    const health = assessHealth(object, this.#options.healthRules, { nowMs: this.#options.now() });
    const isWell = health === undefined || health.status === 'Healthy';
    const unready = isWell ? undefined : `is ${health.status}`;
    return { dependsOn: [], unready, revisions: [] };
  }

  /** The way from the delivery back to itself. */
  #findCycle(id: DeliveryId, refs: readonly DependencyRef[]): readonly DeliveryId[] | undefined {
    const goal = placeOf(id);
    const seen = new Set<string>();
    const walk = (
      path: readonly DeliveryId[],
      next: readonly DependencyRef[],
    ): readonly DeliveryId[] | undefined => {
      for (const ref of next) {
        const place = placeOf(ref);
        if (place === goal) return [...path, ref];
        if (seen.has(place)) continue;
        seen.add(place);
        const object = this.#find(ref);
        const further = object === undefined ? [] : this.#nodeOf(object).dependsOn;
        const found = walk([...path, ref], further);
        if (found !== undefined) return found;
      }
      return undefined;
    };
    return walk([id], refs);
  }
}

/** Groups are left out: no two families call their deliveries by one kind. */
function placeOf({ kind, namespace, name }: DeliveryId): string {
  return `${kind}/${namespace}/${name}`;
}

function nameOf({ kind, namespace, name }: DeliveryId): string {
  return `${kind} ${namespace === '' ? name : `${namespace}/${name}`}`;
}
