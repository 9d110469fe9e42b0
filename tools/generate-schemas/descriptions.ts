import { deflateRawSync } from 'node:zlib';

type OpenApi = Record<string, unknown>;

/**
 * The descriptions of all minors: one table of texts, and per minor and definition the index of its own text followed by
 * those of its properties, in the order of the schema. Deflated and in base64, because only `explain` reads it.
 */
export function packDescriptions(
  documents: Readonly<Record<string, ReadonlyMap<string, OpenApi>>>,
): unknown {
  const texts: string[] = [];
  const index = new Map<string, number>();
  const add = (text: unknown): number => {
    if (typeof text !== 'string') return -1;
    const known = index.get(text);
    if (known !== undefined) return known;
    index.set(text, texts.length);
    texts.push(text);
    return texts.length - 1;
  };
  const versions: Record<string, unknown> = {};
  for (const [minor, schemas] of Object.entries(documents)) {
    versions[minor] = Object.fromEntries(
      [...schemas.keys()].sort().map((name) => {
        const schema = schemas.get(name)!;
        const properties = Object.values((schema['properties'] as OpenApi | undefined) ?? {});
        return [
          name,
          [
            add(schema['description']),
            ...properties.map((p) => add((p as OpenApi)['description'])),
          ],
        ];
      }),
    );
  }
  const packed = deflateRawSync(Buffer.from(JSON.stringify({ texts, versions })), { level: 9 });
  return { encoding: 'deflate-raw+base64', data: packed.toString('base64') };
}
