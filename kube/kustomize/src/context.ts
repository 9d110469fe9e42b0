import type { Diagnostic } from '@capstan/lib-std';
import type { KustomizeCache } from './cache.ts';
import { failure } from './failure.ts';
import type { HelmOptions } from './helm.ts';
import { OpenApi } from './openapi.ts';
import type { RemotePolicy, RemotePort, RemoteRequest } from './remote.ts';
import { Sources } from './sources.ts';

/** Bounds of a build. Each failure names the bound. */
export interface BuildLimits {
  readonly fileBytesMax: number;
  readonly filesMax: number;
  readonly totalBytesMax: number;
  /** How deep kustomizations may refer to each other. */
  readonly depthMax: number;
  readonly resourcesMax: number;
  /** How many nodes aliases may add to one document. */
  readonly aliasNodesMax: number;
  /** How deep YAML may nest. */
  readonly yamlDepthMax: number;
  /** How many characters replacements and vars may write in all. */
  readonly replacedTextMax: number;
  readonly timeMs: number;
}

export const DEFAULT_BUILD_LIMITS: BuildLimits = {
  fileBytesMax: 32 * 1024 * 1024,
  filesMax: 100_000,
  totalBytesMax: 512 * 1024 * 1024,
  depthMax: 100,
  resourcesMax: 200_000,
  aliasNodesMax: 1_000_000,
  yamlDepthMax: 1000,
  replacedTextMax: 256 * 1024 * 1024,
  timeMs: 120_000,
};

export interface ContextOptions {
  readonly cache: KustomizeCache;
  readonly loadRestrictor: 'rootOnly' | 'none';
  readonly limits: BuildLimits;
  readonly wholeFileSystem: boolean;
  readonly alphaPlugins: boolean;
  readonly helm: HelmOptions;
  readonly remote: RemotePort | undefined;
  readonly remotePolicy: RemotePolicy | undefined;
  readonly now: (() => number) | undefined;
}

/** What all parts of one build share. */
export class BuildContext {
  readonly cache: KustomizeCache;
  readonly loadRestrictor: 'rootOnly' | 'none';
  readonly limits: BuildLimits;
  readonly wholeFileSystem: boolean;
  readonly alphaPlugins: boolean;
  readonly helm: HelmOptions;
  readonly remote: RemotePort | undefined;
  readonly remotePolicy: RemotePolicy | undefined;
  readonly openApi: OpenApi;
  readonly sources = new Sources();
  readonly diagnostics: Diagnostic[] = [];
  readonly openRequests: RemoteRequest[] = [];
  readonly #now: (() => number) | undefined;
  readonly #deadline: number;
  #files = 0;
  #bytes = 0;
  #replaced = 0;

  constructor(options: ContextOptions) {
    this.cache = options.cache;
    this.loadRestrictor = options.loadRestrictor;
    this.limits = options.limits;
    this.wholeFileSystem = options.wholeFileSystem;
    this.alphaPlugins = options.alphaPlugins;
    this.helm = options.helm;
    this.remote = options.remote;
    this.remotePolicy = options.remotePolicy;
    this.openApi = new OpenApi(options.cache.openApi);
    this.#now = options.now;
    this.#deadline = (options.now?.() ?? 0) + options.limits.timeMs;
  }

  /** A warning in the words of the original. `logged` ones carry the time when they are printed. */
  warn(message: string, code: 'KUSTOMIZE_DEPRECATED' | 'KUSTOMIZE_LOGGED'): void {
    this.diagnostics.push({ severity: 'warning', code, message });
  }

  countFile(path: string, bytes: number): void {
    const { fileBytesMax, filesMax, totalBytesMax } = this.limits;
    if (bytes > fileBytesMax) {
      throw failure(`file '${path}' has ${bytes} bytes, the limit is ${fileBytesMax}`);
    }
    this.#files++;
    this.#bytes += bytes;
    if (this.#files > filesMax) throw failure(`the build reads more than ${filesMax} files`);
    if (this.#bytes > totalBytesMax) {
      throw failure(`the build reads more than ${totalBytesMax} bytes`);
    }
    this.checkTime();
  }

  countResources(count: number): void {
    if (count > this.limits.resourcesMax) {
      throw failure(`the build has more than ${this.limits.resourcesMax} resources`);
    }
  }

  /** Counts text that replacements and vars write, which may grow without bound when they feed each other. */
  countReplaced(characters: number): void {
    this.#replaced += characters;
    if (this.#replaced > this.limits.replacedTextMax) {
      throw failure(
        `replacements write more than ${this.limits.replacedTextMax} characters; they may grow what they read`,
      );
    }
  }

  checkTime(): void {
    if (this.#now !== undefined && this.#now() > this.#deadline) {
      throw failure(`the build takes longer than ${this.limits.timeMs} ms`, { timeout: true });
    }
  }
}
