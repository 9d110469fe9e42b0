/** For tests: one repository of a registry, as an HTTP port; what it holds is in memory. */
import { createHash } from 'node:crypto';
import type { HttpGet, HttpResponse } from '../http-port.ts';
import { OciRepository } from '../registry.ts';

export interface MemoryRegistry {
  readonly repository: OciRepository;
  /** Puts a manifest with layers under a tag, or as one that refers to another; answers its digest. */
  push(manifest: {
    readonly tag?: string;
    readonly subject?: string;
    readonly artifactType?: string;
    readonly layers: readonly MemoryLayer[];
  }): string;
}

export interface MemoryLayer {
  readonly mediaType: string;
  readonly bytes: Uint8Array | string;
  readonly annotations?: Readonly<Record<string, string>>;
}

const MANIFEST = 'application/vnd.oci.image.manifest.v1+json';

export function memoryRegistry(): MemoryRegistry {
  const stored = new Map<string, Uint8Array>();
  const referrers = new Map<string, object[]>();
  const put = (content: Uint8Array | string, names: readonly string[] = []) => {
    const bytes = Buffer.from(content);
    const digest = `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
    for (const name of [digest, ...names]) stored.set(name, bytes);
    return { digest, size: bytes.length };
  };
  const get: HttpGet = async ({ url }) => {
    const [, kind = '', name = ''] =
      /\/v2\/org\/app\/(\w+)\/(.+)$/.exec(new URL(url).pathname) ?? [];
    if (kind === 'referrers') {
      const manifests = referrers.get(name) ?? [];
      return answer(Buffer.from(JSON.stringify({ schemaVersion: 2, manifests })));
    }
    return answer(stored.get(decodeURIComponent(name)));
  };
  return {
    repository: new OciRepository(
      { registry: 'registry.example.com', repository: 'org/app' },
      { get },
    ),
    push({ tag, subject, artifactType = '', layers }) {
      const described = layers.map(({ mediaType, bytes, annotations }) => ({
        mediaType,
        ...put(bytes),
        ...(annotations === undefined ? {} : { annotations }),
      }));
      const config = { mediaType: 'application/vnd.oci.empty.v1+json', ...put('{}') };
      const text = {
        schemaVersion: 2,
        mediaType: MANIFEST,
        artifactType,
        config,
        layers: described,
      };
      const made = put(JSON.stringify(text), tag === undefined ? [] : [tag]);
      if (subject !== undefined) {
        const entry = { mediaType: MANIFEST, artifactType, ...made };
        referrers.set(subject, [...(referrers.get(subject) ?? []), entry]);
      }
      return made.digest;
    },
  };
}

function answer(bytes: Uint8Array | undefined): HttpResponse {
  const headers: Readonly<Record<string, string>> = {
    'content-type': MANIFEST,
    'content-length': String(bytes?.length ?? 0),
  };
  return {
    status: bytes === undefined ? 404 : 200,
    header: (name) => headers[name],
    body: (async function* () {
      if (bytes !== undefined) yield bytes;
    })(),
  };
}
