import { spawn } from 'node:child_process';
import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { STATUS_CODES } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type ChartPull,
  parseRepoSpec,
  type RemoteAnswer,
  type RemotePolicy,
  type RemotePort,
  type RemoteRequest,
  type RepoSpec,
  requireAdmitted,
} from '@capstan/kube-kustomize';
import { type FileTree, memoryTree } from '@capstan/lib-files';
import { diskTree } from '@capstan/lib-files/disk';
import type { HttpResponse } from '@capstan/lib-oci';
import { messageOf } from '@capstan/lib-std';
import { httpGet } from '../http-get.ts';

const FILE_BYTES_MAX = 32 * 1024 * 1024;
const FILE_TIMEOUT_MS = 60_000;
const REDIRECTS_MAX = 10;
const CHART_TIMEOUT_MS = 120_000;

/** Remote content of one build: repositories in temporary folders, which `dispose` removes, and files in memory. */
export class RemoteStore implements AsyncDisposable {
  readonly #repositories = new Map<string, RemoteAnswer<FileTree>>();
  readonly #files = new Map<string, RemoteAnswer<Uint8Array>>();
  readonly #charts = new Map<string, RemoteAnswer<FileTree>>();
  readonly #folders: string[] = [];
  readonly #policy: RemotePolicy | undefined;
  readonly #signal: AbortSignal;

  constructor(policy: RemotePolicy | undefined, signal: AbortSignal) {
    this.#policy = policy;
    this.#signal = signal;
  }

  port(): RemotePort {
    return {
      repository: (spec) => this.#repositories.get(keyOf(spec)) ?? { kind: 'pending' },
      file: (url) => this.#files.get(url) ?? { kind: 'pending' },
      chart: (chart) => this.#charts.get(chartKey(chart)) ?? { kind: 'pending' },
    };
  }

  async fetch(request: RemoteRequest): Promise<void> {
    switch (request.kind) {
      case 'file':
        this.#files.set(request.url, await this.#get(request.url));
        return;
      case 'repository':
        this.#repositories.set(keyOf(request.spec), await this.#clone(request.spec));
        return;
      case 'chart':
        this.#charts.set(chartKey(request.chart), await this.#pull(request.chart));
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const folder of this.#folders) rmSync(folder, { recursive: true, force: true });
  }

  async #get(url: string): Promise<RemoteAnswer<Uint8Array>> {
    try {
      const signal = AbortSignal.any([this.#signal, AbortSignal.timeout(FILE_TIMEOUT_MS)]);
      const response = await this.#follow(url, signal);
      if (response.status < 200 || response.status > 299) return httpFailure(url, response.status);
      const chunks: Uint8Array[] = [];
      let size = 0;
      for await (const chunk of response.body) {
        size += chunk.byteLength;
        if (size > FILE_BYTES_MAX) {
          return { kind: 'failed', message: `'${url}' has more than ${FILE_BYTES_MAX} bytes` };
        }
        chunks.push(chunk);
      }
      return { kind: 'found', content: Buffer.concat(chunks) };
    } catch (error) {
      const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
      return { kind: 'failed', message: `Get "${url}": ${messageOf(cause)}` };
    }
  }

  /** Follows redirects, but to no place that a kustomization could not name itself. */
  async #follow(url: string, signal: AbortSignal): Promise<HttpResponse> {
    let at = url;
    for (let hops = 0; hops <= REDIRECTS_MAX; hops++) {
      const response = await httpGet({ url: at, headers: {}, signal });
      const location = response.header('location');
      const isRedirect = response.status >= 300 && response.status <= 399;
      if (!isRedirect || location === undefined) return response;
      at = new URL(location, at).href;
      requireAdmitted(at, this.#policy);
    }
    throw new Error(`stopped after ${REDIRECTS_MAX} redirects`);
  }

  /** Pulls a chart into memory: unlike the original, a build leaves nothing behind in the folder it builds. */
  async #pull({ repo, name, version, devel }: ChartPull): Promise<RemoteAnswer<FileTree>> {
    try {
      const { loadChartArchive, openRepository } = await import('@capstan/kube-helm');
      const signal = AbortSignal.any([this.#signal, AbortSignal.timeout(CHART_TIMEOUT_MS)]);
      const repository = openRepository(repo.replace(/\/$/, ''), { get: httpGet, signal });
      const constraint = version === '' && devel ? '>0.0.0-0' : version;
      const archive = await repository.fetch(await repository.resolve(name, constraint));
      const { raw } = loadChartArchive(archive);
      const files = Object.fromEntries(raw.map((file) => [file.name, file.data]));
      return { kind: 'found', content: memoryTree(files) };
    } catch (error) {
      return { kind: 'failed', message: messageOf(error) };
    }
  }

  /** Fetches one commit, without submodules, as the original does with the git program. */
  async #clone(spec: RepoSpec): Promise<RemoteAnswer<FileTree>> {
    const folder = realpathSync(mkdtempSync(join(tmpdir(), 'capstan-build-')));
    this.#folders.push(folder);
    const ref = spec.ref === '' ? 'HEAD' : spec.ref;
    const steps = [
      ['init', '--quiet'],
      ['fetch', '--depth=1', '--no-recurse-submodules', '--', spec.cloneUrl, ref],
      ['checkout', '--quiet', 'FETCH_HEAD'],
    ];
    for (const step of steps) {
      const problem = await runGit(step, {
        folder,
        timeoutMs: spec.timeoutMs,
        signal: this.#signal,
      });
      if (problem !== undefined) return { kind: 'failed', message: problem };
    }
    return { kind: 'found', content: diskTree(folder) };
  }
}

function chartKey({ repo, name, version, devel }: ChartPull): string {
  return [repo, name, version, devel].join(' ');
}

function keyOf(spec: RepoSpec): string {
  return `${spec.cloneUrl} ${spec.ref}`;
}

function httpFailure(url: string, status: number): RemoteAnswer<never> {
  if (parseRepoSpec(url) !== undefined) {
    return { kind: 'failed', message: 'URL is a git repository' };
  }
  const text = STATUS_CODES[status] ?? '';
  return { kind: 'failed', http: true, message: `HTTP Error: status code ${status} (${text})` };
}

// No prompts, no hooks, and no transport but those that the allow-list names.
const GIT_ENV = {
  GIT_TERMINAL_PROMPT: '0',
  GIT_ALLOW_PROTOCOL: 'https:http:ssh',
  GIT_CONFIG_NOSYSTEM: '1',
};

interface GitOptions {
  readonly folder: string;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/** Runs git; what it says when it fails is the answer. */
function runGit(args: readonly string[], options: GitOptions): Promise<string | undefined> {
  const shown = `git ${args.join(' ')}`;
  return new Promise((resolve) => {
    const timeout = AbortSignal.timeout(options.timeoutMs);
    const child = spawn(
      'git',
      ['-c', 'core.symlinks=true', '-c', 'core.hooksPath=/dev/null', ...args],
      {
        cwd: options.folder,
        env: { ...process.env, ...GIT_ENV },
        signal: AbortSignal.any([options.signal, timeout]),
      },
    );
    let output = '';
    const collect = (chunk: Buffer) => {
      if (output.length < 10_000) output += chunk.toString();
    };
    child.stdout.on('data', collect);
    child.stderr.on('data', collect);
    child.on('error', (error) => {
      resolve(
        timeout.aborted
          ? `hit ${options.timeoutMs / 1000}s timeout running '${shown}'`
          : `failed to run '${shown}': ${error.message}`,
      );
    });
    child.on('close', (code) => {
      resolve(code === 0 ? undefined : `failed to run '${shown}': ${output}: exit status ${code}`);
    });
  });
}
