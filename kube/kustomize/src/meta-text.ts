import { fieldOf, isNilOrEmpty, type KNode, scalarText } from './node.ts';
import { compareText } from './res-id.ts';

/** Name and kind of an object as Go prints its metadata: `{{v1 Service} {{web } map[] map[]}}`. */
export function metaText(node: KNode): string {
  const text = (from: KNode | undefined, name: string) => {
    const field = fieldOf(from, name);
    return field === undefined || isNilOrEmpty(field) ? '' : scalarText(field);
  };
  const metadata = fieldOf(node, 'metadata');
  const map = (name: string) => {
    const field = fieldOf(metadata, name);
    const entries: [string, string][] = [];
    for (let i = 0; field !== undefined && i + 1 < field.content.length; i += 2) {
      entries.push([scalarText(field.content[i]), scalarText(field.content[i + 1])]);
    }
    entries.sort(([a], [b]) => compareText(a, b));
    return `map[${entries.map(([key, value]) => `${key}:${value}`).join(' ')}]`;
  };
  const type = `{${text(node, 'apiVersion')} ${text(node, 'kind')}}`;
  const name = `{${text(metadata, 'name')} ${text(metadata, 'namespace')}}`;
  return `{${type} {${name} ${map('labels')} ${map('annotations')}}}`;
}
