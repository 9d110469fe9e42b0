import { API_VERSION } from '@capstan/argocd-api';
import { isAlreadyExists, type KubeClient } from '@capstan/kube-client';
import type { KubeObject } from '@capstan/kube-object';
import { DEFAULT_PROJECT_SPEC } from './project-guard.ts';

/** Makes the project `default`, which permits everything, when there is none: as the original does at its start. Answers what it made. */
export async function ensureDefaultProject(
  client: KubeClient,
  namespace: string,
  options: { readonly signal: AbortSignal },
): Promise<KubeObject | undefined> {
  const ref = { apiVersion: API_VERSION, kind: 'AppProject', namespace, name: 'default' };
  if ((await client.find(ref, options)) !== undefined) return undefined;
  const { apiVersion, kind, name } = ref;
  try {
    return await client.create(
      { apiVersion, kind, metadata: { name, namespace }, spec: DEFAULT_PROJECT_SPEC },
      options,
    );
  } catch (error) {
    if (!isAlreadyExists(error)) throw error;
    return undefined;
  }
}
