import { readFileSync } from 'node:fs';

type OpenApi = Record<string, unknown>;

/**
 * The values of enumerations, and the descriptions that list them. A server publishes both, the documents in the repository
 * leave them out; so they come from the Go source that the documents are made of.
 */
export function addEnums(schemas: ReadonlyMap<string, OpenApi>, generatedGo: string): void {
  let properties: Record<string, OpenApi> = {};
  let property = '';
  let description: string | undefined;
  let inItems = false;
  for (const line of readFileSync(generatedGo, 'utf8').split('\n')) {
    const type = /^func schema_k8sio_api_([a-z]+)_(v\w+?)_(\w+)\(/.exec(line);
    if (type !== null) {
      const schema = schemas.get(`io.k8s.api.${type[1]}.${type[2]}.${type[3]}`);
      properties = (schema?.['properties'] as Record<string, OpenApi> | undefined) ?? {};
      property = '';
      continue;
    }
    const named = /^\t+"([\w$-]+)": \{$/.exec(line);
    if (named !== null) {
      property = named[1] ?? '';
      description = undefined;
      inItems = false;
    } else if (/^\t+Items: /.test(line)) inItems = true;
    const text = /^\t+Description: ("(?:[^"\\]|\\.)*"),$/.exec(line);
    if (text !== null && !inItems) description = JSON.parse(text[1] ?? '""') as string;
    const values = /^\t+Enum: +\[\]interface\{\}\{(.*)\},$/.exec(line);
    const target = properties[property];
    if (values === null || target === undefined) continue;
    const holder = inItems ? ((target['items'] as OpenApi | undefined) ?? {}) : target;
    holder['enum'] = JSON.parse(`[${values[1]}]`) as unknown;
    if (description !== undefined) target['description'] = description;
  }
}
