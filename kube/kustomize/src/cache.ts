import { BoundedCache } from '@capstan/lib-std';
import type { BuildFailure } from './failure.ts';
import type { Kustomization } from './kustomization.ts';
import type { KNode } from './node.ts';
import { BuiltinOpenApi } from './openapi.ts';
import { defaultConfig, type TransformerConfig } from './transformer-config.ts';

/** What came of reading a file of resources: its documents, never to be changed, or why not. */
export type ParsedResources =
  | { readonly kind: 'nodes'; readonly nodes: readonly KNode[] }
  | { readonly kind: 'failed'; readonly error: BuildFailure };

export interface ParsedKustomization {
  readonly kustomization: Kustomization;
  readonly warnings: readonly string[];
}

/**
 * What builds share: files already read, by content id. Held by the caller, for as long as it likes; contents are
 * bounded, and nothing in it depends on where a file lies.
 */
export class KustomizeCache {
  readonly resources: BoundedCache<string, ParsedResources>;
  readonly kustomizations: BoundedCache<string, ParsedKustomization>;
  readonly openApi = new BuiltinOpenApi();
  readonly #patterns = new BoundedCache<string, (text: string) => boolean>(10_000);
  #config: TransformerConfig | undefined;

  /** `nodesMax` bounds the number of YAML nodes kept. */
  constructor(nodesMax = 2_000_000) {
    this.resources = new BoundedCache(nodesMax, (parsed) =>
      parsed.kind === 'nodes'
        ? 1 + parsed.nodes.reduce((sum, node) => sum + countNodes(node), 0)
        : 1,
    );
    this.kustomizations = new BoundedCache(100_000);
  }

  get config(): TransformerConfig {
    this.#config ??= defaultConfig();
    return this.#config;
  }

  /** A compiled pattern, compiled once. */
  pattern(source: string, compile: () => (text: string) => boolean): (text: string) => boolean {
    let compiled = this.#patterns.get(source);
    if (compiled === undefined) {
      compiled = compile();
      this.#patterns.set(source, compiled);
    }
    return compiled;
  }
}

function countNodes(node: KNode): number {
  let count = 1;
  for (const child of node.content) count += countNodes(child);
  return count;
}
