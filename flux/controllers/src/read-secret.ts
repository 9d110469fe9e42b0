import { isNotFound, type KubeClient } from '@capstan/kube-client';
import { CapstanError } from '@capstan/lib-std';
import { readSecretData } from './to-source.ts';

/** The decoded values of a Secret, or of a ConfigMap; undefined when it does not exist and need not. */
export async function readValues(
  client: KubeClient,
  ref: {
    readonly kind: 'Secret' | 'ConfigMap';
    readonly namespace: string;
    readonly name: string;
    readonly optional: boolean;
  },
  { signal }: { readonly signal: AbortSignal },
): Promise<ReadonlyMap<string, string> | undefined> {
  const { kind, namespace, name, optional } = ref;
  try {
    const found = await client.find({ apiVersion: 'v1', kind, namespace, name }, { signal });
    if (found !== undefined)
      return kind === 'Secret' ? readSecretData(found['data']) : readTexts(found['data']);
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
  if (optional) return undefined;
  throw new CapstanError('SECRET_MISSING', `${kind.toLowerCase()}s "${name}" not found`, {
    kind: 'wait',
    hint: `create it: kubectl -n ${namespace} create ${kind.toLowerCase()} ${kind === 'Secret' ? 'generic ' : ''}${name} …`,
  });
}

function readTexts(data: unknown): ReadonlyMap<string, string> {
  if (typeof data !== 'object' || data === null) return new Map();
  return new Map(
    Object.entries(data).flatMap(([name, value]) =>
      typeof value === 'string' ? [[name, value] as const] : [],
    ),
  );
}
