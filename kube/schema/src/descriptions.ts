import { inflateRawSync } from 'node:zlib';
import type { KubernetesMinor } from './catalogue.ts';
import type { DescriptionOf } from './openapi.ts';

interface PackedDescriptions {
  readonly texts: readonly string[];
  readonly versions: Readonly<Record<string, Readonly<Record<string, readonly number[]>>>>;
}

/**
 * Loads what Kubernetes says of its types and fields, for `explain`. 1.3 MB of text, so it is its own module, compressed,
 * and read only here (with Node's zlib: the package's one impure file). `fieldsOf` gives a definition's properties in the order of the catalogue.
 */
export async function loadDescriptions(
  minor: KubernetesMinor,
  fieldsOf: (definition: string) => readonly string[],
): Promise<DescriptionOf> {
  const { default: packed } = await import('./generated/descriptions.json', {
    with: { type: 'json' },
  });
  const { texts, versions } = JSON.parse(
    inflateRawSync(Buffer.from(packed.data, 'base64')).toString('utf8'),
  ) as PackedDescriptions;
  const known = versions[minor] ?? {};
  return (definition, property) => {
    const indexes = known[definition];
    if (indexes === undefined) return '';
    const at = property === undefined ? 0 : fieldsOf(definition).indexOf(property) + 1;
    return texts[indexes[at === 0 && property !== undefined ? -1 : at] ?? -1] ?? '';
  };
}
