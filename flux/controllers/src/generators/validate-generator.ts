import type { ArtifactGenerator } from '@capstan/flux-api';
import { subdomainProblems } from '@capstan/kube-object';
import type { Tenancy } from '../tenancy.ts';

/** Why a specification can never be followed; undefined when it can. */
export function validateGenerator(
  { spec, metadata }: ArtifactGenerator,
  { noCrossNamespaceRefs = false }: Tenancy,
): { readonly reason: string; readonly message: string } | undefined {
  const invalid = (message: string) => ({ reason: 'ValidationFailed', message });
  const aliases = new Set<string>();
  for (const { alias, kind, namespace, name } of spec.sources) {
    if (aliases.has(alias)) return invalid(`duplicate source alias '${alias}' found`);
    aliases.add(alias);
    if (noCrossNamespaceRefs && namespace && namespace !== metadata.namespace) {
      const message = `cross-namespace reference to source ${kind}/${namespace}/${name} is not allowed`;
      return { reason: 'AccessDenied', message };
    }
  }
  const names = new Set<string>();
  for (const { name, revision } of spec.artifacts) {
    if (names.has(name)) return invalid(`duplicate artifact name '${name}' found`);
    const problems = spec.pathPattern ? [] : subdomainProblems(name);
    if (problems.length > 0) {
      return invalid(
        `artifact name ${JSON.stringify(name)} is not a valid Kubernetes object name: ${problems.join('; ')}`,
      );
    }
    const alias = revision?.replace(/^@/, '');
    if (alias && !aliases.has(alias)) {
      return invalid(`artifact ${name} revision source alias '${alias}' not found`);
    }
    names.add(name);
  }
  return undefined;
}
