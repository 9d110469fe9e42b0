import type { Artifact } from '@capstan/flux-api';
import {
  type Chart,
  type ChartLanguage,
  chartLanguage,
  loadChartArchive,
} from '@capstan/kube-helm';
import { digestLike } from '@capstan/lib-oci';
import { BoundedCache, CapstanError } from '@capstan/lib-std';

/** Reads the bytes of an artifact; undefined when there are none at its address. */
export type ArtifactReader = (
  artifact: Artifact,
  options: { readonly signal: AbortSignal },
) => Promise<Uint8Array | undefined>;

interface Parsed {
  readonly chart: Chart;
  readonly size: number;
}

const BYTES_MAX = 64 * 1024 * 1024;
/** What a parsed chart takes, beside its bytes unpacked. */
const FACTOR = 12;

/** Charts by the digest of their artifact, parsed once however many releases are of them; templates are compiled once. */
export class ChartCache {
  readonly language: ChartLanguage = chartLanguage();
  readonly #read: ArtifactReader;
  readonly #charts: BoundedCache<string, Parsed>;

  constructor(read: ArtifactReader) {
    this.#read = read;
    this.#charts = new BoundedCache(BYTES_MAX, (entry: Parsed) => entry.size * FACTOR);
  }

  /** Undefined when the artifact is not there (any more). Throws when it is not what its digest says, or no chart. */
  async load(
    artifact: Artifact,
    options: { readonly signal: AbortSignal },
  ): Promise<Chart | undefined> {
    const known = this.#charts.get(artifact.digest);
    if (known !== undefined) return known.chart;
    const bytes = await this.#read(artifact, options);
    if (bytes === undefined) return undefined;
    if (digestLike(artifact.digest, bytes) !== artifact.digest) {
      throw new CapstanError(
        'ARTIFACT_DIGEST',
        `failed to verify artifact: computed digest does not match '${artifact.digest}'`,
        { kind: 'retry' },
      );
    }
    const chart = loadChartArchive(bytes);
    this.#charts.set(artifact.digest, { chart, size: bytes.byteLength });
    return chart;
  }
}
