import type { HelmFlavor } from './capabilities.ts';

/**
 * An error text of a chart or values file, which is told as Helm 4 tells it, in the words of a version of Helm: 3 does not
 * say that it was at a YAML document, and names its types otherwise.
 */
export function helmWords(message: string, flavor: HelmFlavor): string {
  if (flavor === 4) return message;
  return message
    .replaceAll('cannot unmarshal yaml document: ', '')
    .replaceAll(/\bv2\.(Metadata|Maintainer|Dependency)\b/g, 'chart.$1');
}
