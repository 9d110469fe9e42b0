import { CapstanError } from '@capstan/lib-std';

/** What keeps tenants apart (Flux's documentation: "Multi-tenancy lockdown"). All off unless told. */
export interface Tenancy {
  /** References to sources, dependencies and values of other namespaces are refused. */
  readonly noCrossNamespaceRefs?: boolean;
  /** The service account to act as, in the object's own namespace, where the object names none. */
  readonly defaultServiceAccount?: string;
}

interface Reference {
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
}

/** Throws ACCESS_DENIED, in the words of `say`, when an object refers to another namespace and may not. */
export function checkReference(
  reference: Reference,
  own: string,
  { noCrossNamespaceRefs = false }: Tenancy,
  say: (reference: Reference) => string = ({ kind, namespace, name }) =>
    `can't access '${kind}/${namespace}/${name}', cross-namespace references have been blocked`,
): void {
  if (!noCrossNamespaceRefs || reference.namespace === own) return;
  throw new CapstanError('ACCESS_DENIED', say(reference));
}
