import type { Snapshot } from '@capstan/engine-source';
import { KustomizeCache } from '@capstan/kube-kustomize';
import { type RenderTrace, traceHolds } from '@capstan/lib-files';
import { BoundedCache, hexOf } from '@capstan/lib-std';
import { sha256 } from '@noble/hashes/sha2.js';
import type { RenderResult } from './desired-state.ts';
import type { FieldQuestion } from './field-sources.ts';
import type { ParsedManifests } from './parse-manifests.ts';
import { parseBytes } from './render-directory.ts';
import type { ChartRenderer } from './render-helm.ts';
import { type RenderOptions, renderManifests } from './render-manifests.ts';
import type { RenderSpec } from './render-spec.ts';

export interface RenderCacheOptions {
  /** Bound of the results kept, counted in objects and recorded paths. */
  readonly sizeMax?: number;
  /** Bound of the parsed files kept, in bytes of their text. */
  readonly parsedBytesMax?: number;
  /** Renders charts; see RenderOptions. */
  readonly renderChart?: ChartRenderer;
}

interface Entry {
  readonly result: RenderResult;
  /** Snapshots that gave this result. */
  readonly digests: Set<string>;
}

const SIZE_MAX = 500_000;
const PARSED_BYTES_MAX = 32 * 1024 * 1024;
const RESULTS_PER_SPEC = 4;
const KUSTOMIZE_NODES_MAX = 300_000;
const DIGESTS_MAX = 64;

/**
 * Gives an earlier render again for as long as all that it read is the same: a commit costs a few look-ups for every
 * delivery it does not touch. Files are parsed once, however many renders share them. May be emptied at any time.
 */
export class RenderCache {
  readonly #results: BoundedCache<string, readonly Entry[]>;
  readonly #parsed: BoundedCache<string, ParsedManifests & { readonly size: number }>;
  readonly #kustomize = new KustomizeCache(KUSTOMIZE_NODES_MAX);
  readonly #renderChart: ChartRenderer | undefined;
  #hits = 0;
  #misses = 0;

  constructor(options: RenderCacheOptions = {}) {
    this.#renderChart = options.renderChart;
    this.#results = new BoundedCache(options.sizeMax ?? SIZE_MAX, sizeOf);
    this.#parsed = new BoundedCache(options.parsedBytesMax ?? PARSED_BYTES_MAX, ({ size }) => size);
  }

  get statistics(): { readonly hits: number; readonly misses: number } {
    return { hits: this.#hits, misses: this.#misses };
  }

  render(snapshot: Snapshot, spec: RenderSpec): RenderResult {
    const found = this.find(snapshot, spec);
    if (found !== undefined) return found;
    const result = renderManifests(snapshot, spec, this.#options());
    this.keep(snapshot, spec, result);
    return result;
  }

  /** Rendered anew, with the answer to a question; the result is not kept. */
  ask(snapshot: Snapshot, spec: RenderSpec, question: FieldQuestion): RenderResult {
    return renderManifests(snapshot, spec, { ...this.#options(), question });
  }

  #options(): RenderOptions {
    return {
      parseFile: this.#parse,
      kustomizeCache: this.#kustomize,
      ...(this.#renderChart === undefined ? {} : { renderChart: this.#renderChart }),
    };
  }

  /** The result of an earlier render that saw the same. `environment` names what else a result depends on. */
  find(snapshot: Snapshot, spec: RenderSpec, environment = ''): RenderResult | undefined {
    const entries = this.#results.get(specKey(snapshot, spec, environment)) ?? [];
    const found =
      entries.find(({ digests }) => digests.has(snapshot.digest)) ??
      entries.find(({ result }) => traceHolds(result.trace, snapshot.files));
    if (found === undefined) {
      this.#misses++;
      return undefined;
    }
    this.#hits++;
    if (found.digests.size >= DIGESTS_MAX) found.digests.clear();
    found.digests.add(snapshot.digest);
    return found.result;
  }

  /** Keeps a result that was made elsewhere. */
  keep(snapshot: Snapshot, spec: RenderSpec, result: RenderResult, environment = ''): void {
    const key = specKey(snapshot, spec, environment);
    const entries = this.#results.get(key) ?? [];
    const entry = { result, digests: new Set([snapshot.digest]) };
    this.#results.set(key, [entry, ...entries].slice(0, RESULTS_PER_SPEC));
  }

  readonly #parse = (bytes: Uint8Array, file: string, id: string): ParsedManifests => {
    const key = `${id} ${file}`;
    let parsed = this.#parsed.get(key);
    if (parsed === undefined) {
      parsed = { ...parseBytes(bytes, file), size: bytes.length * 4 + 500 };
      this.#parsed.set(key, parsed);
    }
    return parsed;
  };
}

function sizeOf(entries: readonly Entry[]): number {
  return entries.reduce(
    (sum, { result }) => sum + 1 + result.objects.length * 4 + traceSize(result.trace),
    0,
  );
}

function traceSize(trace: RenderTrace): number {
  return trace.files.size + trace.listings.size + trace.stats.size;
}

const BRINGS_VALUES = /"(?:variables|values?|parameters)":/;

/** Values for substitution and charts may be secret: they are kept as a digest only. */
function specKey(snapshot: Snapshot, spec: RenderSpec, environment: string): string {
  const text = `${snapshot.source}\n${environment}\n${JSON.stringify(spec)}`;
  if (!BRINGS_VALUES.test(text)) return text;
  return hexOf(sha256(new TextEncoder().encode(text)));
}
