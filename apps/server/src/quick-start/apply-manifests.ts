import { parseManifests } from '@capstan/engine-render';
import type { KubeClient } from '@capstan/kube-client';
import { CapstanError, formatDiagnostic } from '@capstan/lib-std';

/** As whom the quick start applies what stands at its beginning. */
export const FIELD_MANAGER = 'capstan-quick-start';

/** Applies the objects of a text in their order. A broken text applies nothing. */
export async function applyManifests(
  client: Pick<KubeClient, 'apply'>,
  text: string,
  file: string,
): Promise<void> {
  const { objects, diagnostics } = parseManifests(text, file);
  const [problem] = diagnostics;
  if (problem !== undefined) {
    throw new CapstanError('MANIFEST_INVALID', formatDiagnostic(problem));
  }
  for (const { object } of objects) {
    await client.apply(object, { fieldManager: FIELD_MANAGER, force: true });
  }
}
