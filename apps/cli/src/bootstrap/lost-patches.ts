import type { KubeObject } from '@capstan/kube-object';
import { type FileTree, readText } from '@capstan/lib-files';
import { CapstanError, valueAt } from '@capstan/lib-std';
import { parseYaml } from '@capstan/lib-yaml';

/** The names by which kustomize finds the kustomization of a folder. */
export const KUSTOMIZATION_FILES = ['kustomization.yaml', 'kustomization.yml', 'Kustomization'];

/**
 * Refuses a kustomization whose patches are for Deployments that are none of ours, those of Flux's controllers: kustomize
 * passes over a target that matches nothing, and with it the flags that keep tenants apart would be lost without a word.
 */
export function refuseLostPatches(
  tree: FileTree,
  folder: string,
  components: readonly KubeObject[],
): void {
  const deployments = components.filter(({ kind }) => kind === 'Deployment');
  const names = deployments.map(({ metadata }) => metadata.name ?? '');
  for (const file of KUSTOMIZATION_FILES) {
    const text = readText(tree, `${folder}/${file}`);
    const patches = text === undefined ? undefined : valueAt(parseYaml(text), 'patches');
    for (const patch of Array.isArray(patches) ? patches : []) {
      const wanted = targetOf(patch);
      if (wanted === undefined || names.some((name) => new RegExp(`^(?:${wanted})$`).test(name)))
        continue;
      const message = `a patch in ${folder}/${file} is for the Deployment ${wanted}, which is not there`;
      throw new CapstanError('BOOTSTRAP_PATCH', message, {
        hint: `let it be for ${names.join(', ')}, which takes the flags of all of Flux's controllers, or take it out`,
      });
    }
  }
}

/** The name that a patch for Deployments asks for. */
function targetOf(patch: unknown): string | undefined {
  const [kind, name] = ['kind', 'name'].map((key) => valueAt(patch, 'target', key));
  return kind === 'Deployment' && typeof name === 'string' && name !== '' ? name : undefined;
}
