import { API_VERSION } from '@capstan/argocd-api';
import { isAlreadyExists, type KubeClient } from '@capstan/kube-client';
import { DEFAULT_PROJECT_SPEC } from './project-guard.ts';

/** Makes the project `default`, which permits everything, when there is none: as the original does at its start. */
export async function ensureDefaultProject(
  client: KubeClient,
  namespace: string,
  options: { readonly signal: AbortSignal },
): Promise<void> {
  const ref = { apiVersion: API_VERSION, kind: 'AppProject', namespace, name: 'default' };
  if ((await client.find(ref, options)) !== undefined) return;
  const { apiVersion, kind, name } = ref;
  try {
    await client.create(
      { apiVersion, kind, metadata: { name, namespace }, spec: DEFAULT_PROJECT_SPEC },
      options,
    );
  } catch (error) {
    if (!isAlreadyExists(error)) throw error;
  }
}
