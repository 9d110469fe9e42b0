import { type Delivery, type DependencyGraph, readDependsOn } from '@capstan/engine-delivery';
import type { Kustomization } from '@capstan/flux-api';
import type { KubeClient } from '@capstan/kube-client';
import type { CelCompiler } from '@capstan/lib-expressions';
import { CapstanError } from '@capstan/lib-std';
import { type ControlState, type NamedKey, requireKustomization } from './control-state.ts';
import { findUnready } from './dependencies.ts';
import type { CloudIdentities } from './identity/cloud-identities.ts';
import { readValues } from './read-secret.ts';
import { checkSourceKind, type FluxSettings } from './settings.ts';
import { type DeliverySource, deliverySource } from './sources/delivery-source.ts';
import { checkReference, type Tenancy } from './tenancy.ts';
import { toDelivery } from './to-delivery.ts';

export interface ObservePorts {
  readonly identities: CloudIdentities;
  readonly control: ControlState;
  readonly client: KubeClient;
  readonly tenancy: Tenancy;
  readonly compileCel: CelCompiler;
  readonly settings?: FluxSettings;
  readonly dependencies?: Pick<DependencyGraph, 'check'>;
}

export type Observed =
  | {
      readonly kind: 'waiting';
      readonly revision: string;
      readonly reason: string;
      readonly message: string;
    }
  /** Its variables cannot be read. */
  | {
      readonly kind: 'unreadable';
      readonly revision: string;
      readonly originRevision?: string;
      readonly error: unknown;
    }
  | {
      readonly kind: 'ready';
      readonly revision: string;
      readonly originRevision?: string;
      readonly delivery: Delivery;
    };

/** The Kustomization's source, what it depends on, and its variables; or what has to come first. */
export async function observe(
  kustomization: Kustomization,
  ports: ObservePorts,
  signal: AbortSignal,
): Promise<Observed> {
  const { control, client } = ports;
  const source = await findSource(kustomization, ports, signal);
  if (source.kind === 'waiting') return source;
  const { revision } = source;
  const find = (key: NamedKey) => {
    const found = control.kustomization(key);
    return found === undefined ? undefined : requireKustomization(found);
  };
  const unready = findUnready(kustomization, revision, { ...ports, find });
  if (unready !== undefined)
    return { kind: 'waiting', revision, reason: 'DependencyNotReady', message: unready };
  const { namespace = '', name = '' } = kustomization.metadata;
  const id = { kind: 'Kustomization', namespace, name };
  const verdict = ports.dependencies?.check(id, readDependsOn(kustomization));
  if (verdict !== undefined && verdict.kind !== 'ready')
    return { kind: 'waiting', revision, reason: 'DependencyNotReady', message: verdict.message };
  const made = {
    revision,
    ...(source.originRevision === undefined ? {} : { originRevision: source.originRevision }),
  };
  let variables: Variables;
  try {
    variables = await readVariables(kustomization, client, signal);
  } catch (error) {
    signal.throwIfAborted();
    return { kind: 'unreadable', ...made, error };
  }
  return {
    kind: 'ready',
    ...made,
    delivery: toDelivery(kustomization, {
      ...{ source: source.spec, variables },
      settings: ports.settings ?? {},
    }),
  };
}

type FoundSource =
  | Extract<Observed, { kind: 'waiting' }>
  | Extract<DeliverySource, { kind: 'found' }>;

async function findSource(
  kustomization: Kustomization,
  { control, client, identities, tenancy, settings = {} }: ObservePorts,
  signal: AbortSignal,
): Promise<FoundSource> {
  const { kind, name, namespace: told } = kustomization.spec.sourceRef;
  const own = kustomization.metadata.namespace ?? '';
  const namespace = told || own;
  checkReference({ kind, namespace, name }, own, tenancy);
  checkSourceKind({ kind, namespace, name }, settings);
  const wait = (message: string): FoundSource => ({
    kind: 'waiting',
    revision: '',
    reason: 'ArtifactFailed',
    message,
  });
  const found = await deliverySource(
    { kind, namespace, name },
    { control, client, identities, signal },
  );
  return found.kind === 'missing' ? wait(found.message) : found;
}

type Variables = { readonly [name: string]: string } | undefined;

/** postBuild: what is referred to in its order, then what stands in the spec itself, which wins. */
async function readVariables(
  { spec, metadata }: Kustomization,
  client: KubeClient,
  signal: AbortSignal,
): Promise<Variables> {
  if (spec.postBuild === undefined) return undefined;
  const variables: { [name: string]: string } = {};
  for (const { kind, name, optional = false } of spec.postBuild.substituteFrom ?? []) {
    const ref = {
      kind: kind === 'Secret' ? ('Secret' as const) : ('ConfigMap' as const),
      namespace: metadata.namespace ?? '',
      name,
      optional,
    };
    const values = await readValues(client, ref, { signal }).catch((error: unknown) => {
      throw substitutionError(error, ref);
    });
    for (const [key, value] of values ?? []) variables[key] = value.replaceAll('\n', '');
  }
  for (const [key, value] of Object.entries(spec.postBuild.substitute ?? {}))
    variables[key] = value.replaceAll('\n', '');
  return variables;
}

/** What is missing, in the words of the build that would have used it. */
function substitutionError(
  error: unknown,
  { kind, name }: { readonly kind: string; readonly name: string },
): unknown {
  if (!(error instanceof CapstanError) || error.code !== 'SECRET_MISSING') return error;
  const message = `post build failed: substitute from '${kind}/${name}' error: ${error.message}`;
  const { hint = '' } = error;
  return new CapstanError('SUBSTITUTION_FAILED', message, { kind: 'wait', hint, cause: error });
}
