import type { FileTree } from '@capstan/lib-files';
import { CapstanError } from '@capstan/lib-std';
import { classifyFailure, notARepository } from './classify-failure.ts';
import { gitError } from './errors.ts';
import {
  BLOB_OPTIONS,
  FETCH_OPTIONS,
  fetchArguments,
  IN_ONE_PIECE,
  WITHOUT_BLOBS,
} from './fetch-arguments.ts';
import { fetchNewObjects } from './fetch-new-objects.ts';
import { followRedirect, isSmartRemote } from './follow-redirect.ts';
import type { RunResult } from './git-process.ts';
import { gitTree } from './git-tree.ts';
import { initMirror } from './init-mirror.ts';
import { listRefs } from './list-refs.ts';
import { ObjectStore, type ObjectStoreOptions } from './object-store.ts';
import { requireRefName } from './ref-name.ts';
import { type GitCredentials, openRemoteAccess, type RemoteAccess } from './remote-access.ts';
import { commitOf, parseRemoteRefs, type RemoteRefs } from './remote-refs.ts';
import { isPassing, RemoteClient } from './remote-request.ts';
import { parseRemoteUrl, type RemoteUrl } from './remote-url.ts';
import {
  type Found,
  type PickVersion,
  type PickVersions,
  type RevisionQuery,
  resolveRevision,
} from './resolve-revision.ts';
import { hasProxy, runGit } from './run-git.ts';

export interface MirrorOptions extends ObjectStoreOptions {
  /** The bare repository on disk; made when it is not there, and again when somebody deleted it. */
  readonly folder: string;
  readonly url: string;
  /** Fixed ones, or whatever gives those of the moment: some expire. */
  readonly credentials?: GitCredentials | (() => Promise<GitCredentials>);
  readonly allowFile?: boolean;
  /** Bounds one network command; 60 s when absent. */
  readonly timeoutMs?: number;
  /** Only so many commits of what is asked for are fetched, and no other branches or tags; absent: all of everything. */
  readonly depth?: number;
  /** Files are fetched only when `fetchBlobs` asks for them (a partial clone); servers that cannot do that give all. */
  readonly partial?: boolean;
  readonly pickVersion?: PickVersion;
  readonly pickVersions?: PickVersions;
}

export interface RemoteOptions {
  readonly signal?: AbortSignal;
}

export interface ResolveOptions extends RemoteOptions {
  /** Take the refs of the last look at the remote, when there was one; fetches only what is missing. */
  readonly useKnownRefs?: boolean;
}

const NO_CREDENTIALS: GitCredentials = {};
const FETCHES_BEFORE_REPACK = 100;
/** More new branches and tags at once are git's to fetch. */
const WANTS_MAX = 20;
const HAVES_MAX = 100;

/** A commit that was asked for, with the name it was found under ('' for a bare id). */
export interface ResolvedCommit {
  readonly commit: string;
  readonly name: string;
}

/**
 * A local copy of one remote's branches and tags: fetches are shared and one at a time, however many callers ask.
 * Objects are read from its files without a checkout.
 */
export class Mirror {
  readonly objects: ObjectStore;
  readonly remote: RemoteUrl;
  readonly #options: MirrorOptions;
  #url: RemoteUrl;
  #refs: RemoteRefs | undefined;
  /** What was here after the last fetch, with all that belongs to it. */
  #fetched: RemoteRefs | undefined;
  #asking: Promise<RemoteRefs> | undefined;
  #fetching: Promise<void> = Promise.resolve();
  #fetches = 0;
  #client: RemoteClient | undefined;
  #isListingBroken = false;

  constructor(options: MirrorOptions) {
    this.#options = options;
    this.remote = parseRemoteUrl(options.url, { allowFile: options.allowFile === true });
    this.#url = this.remote;
    this.objects = new ObjectStore(options.folder, options);
  }

  close(): void {
    this.objects.close();
    this.#client?.close();
  }

  /** What the remote offers now. Callers at the same time share one request. */
  async readRefs(options: RemoteOptions = {}): Promise<RemoteRefs> {
    this.#asking ??= this.#askRefs().finally(() => {
      this.#asking = undefined;
    });
    return await withSignal(this.#asking, options.signal);
  }

  /** The refs of the last `readRefs` or fetch; undefined before the first. */
  get knownRefs(): RemoteRefs | undefined {
    return this.#refs;
  }

  /** Asks the remote what `query` means now, and fetches when that commit is not here yet. */
  async resolve(query: RevisionQuery, options: ResolveOptions = {}): Promise<ResolvedCommit> {
    if (query.kind === 'commit' && this.#hasCommit(query.commit)) {
      return { commit: query.commit, name: query.branch ?? '' };
    }
    const known = options.useKnownRefs === true ? this.#refs : undefined;
    const refs = known ?? (await this.readRefs(options));
    return await this.#materialize(query, refs, options);
  }

  /**
   * Brings commits of this copy to a branch of the remote. `expected` is where the branch must stand there (undefined: it
   * must not exist): when it stands elsewhere, the push is GIT_PUSH_REJECTED and nothing is changed. Never forced over
   * someone else's work.
   */
  async push(
    commit: string,
    branch: string,
    expected: string | undefined,
    options: RemoteOptions = {},
  ): Promise<void> {
    const ref = `refs/heads/${requireRefName(branch, 'branch')}`;
    const work = this.#runRemote('pushing to', (url) => [
      'push',
      '--quiet',
      `--force-with-lease=${ref}:${expected ?? ''}`,
      '--',
      url,
      `${commit}:${ref}`,
    ]);
    await withSignal(work, options.signal);
    // What was known of the remote is old now.
    this.#refs = undefined;
  }

  /**
   * Lays a note beside a commit of this copy and brings it to the remote, after the notes that are there: `name` is the
   * notes' ref below refs/notes.
   */
  async annotate(
    commit: string,
    note: {
      readonly name: string;
      readonly text: string;
      readonly author: { readonly name: string; readonly email: string };
    },
    options: RemoteOptions = {},
  ): Promise<void> {
    const ref = `refs/notes/${requireRefName(note.name, 'name of notes')}`;
    const gitDir = this.#options.folder;
    const fetched = this.#runRemote('reading notes of', (url) => [
      'fetch',
      '--quiet',
      '--no-tags',
      '--no-write-fetch-head',
      '--',
      url,
      `+${ref}:${ref}`,
    ]);
    // There may be none yet.
    await withSignal(
      fetched.catch(() => undefined),
      options.signal,
    );
    const result = await runGit(
      ['notes', `--ref=${ref}`, 'add', '--force', '-m', note.text, commit],
      {
        gitDir,
        settings: [
          ['user.name', note.author.name],
          ['user.email', note.author.email],
        ],
      },
    );
    if (result.code !== 0)
      throw gitError('GIT_FAILED', `cannot note on ${commit}: ${result.stderr.trim()}`);
    const pushed = this.#runRemote('pushing notes to', (url) => [
      'push',
      '--quiet',
      '--',
      url,
      `${ref}:${ref}`,
    ]);
    await withSignal(pushed, options.signal);
  }

  tree(commit: string): FileTree {
    return gitTree(this.objects, this.objects.readCommit(commit).tree);
  }

  /** Brings files of a partial copy here, those that are not, in one request. */
  async fetchBlobs(ids: Iterable<string>, options: RemoteOptions = {}): Promise<void> {
    const missing = [...new Set(ids)].filter((id) => !this.objects.holds(id));
    if (missing.length === 0) return;
    await initMirror(this.#options.folder);
    // What git itself sends for what it finds missing.
    const settings = [['fetch.negotiationAlgorithm', 'noop']] as const;
    const run = { input: `${missing.join('\n')}\n`, settings };
    const work = this.#runRemote(
      'fetching files of',
      (url) => ['fetch', ...BLOB_OPTIONS, '--', url],
      run,
    );
    await withSignal(work, options.signal);
  }

  async #materialize(
    query: RevisionQuery,
    refs: RemoteRefs,
    options: RemoteOptions,
  ): Promise<ResolvedCommit> {
    const found = resolveRevision(query, refs, this.#options);
    if (found.kind === 'prefix') return await this.#resolvePrefix(found.prefix, options);
    const { rivals = [] } = found;
    if (rivals.length === 0) return await this.#bring(found, options);
    const all: ResolvedCommit[] = [];
    for (const one of [found, ...rivals]) all.push(await this.#bring(one, options));
    const dateOf = ({ commit }: ResolvedCommit) =>
      Date.parse(this.objects.readCommit(commit).committer.date);
    return all.reduce((best, one) => (dateOf(one) > dateOf(best) ? one : best));
  }

  /** Fetches what was found when it is not here yet. */
  async #bring(found: Found, options: RemoteOptions): Promise<ResolvedCommit> {
    const here = this.#wholeCommit(found.commit);
    if (here !== undefined) return { commit: here, name: found.name };
    await withSignal(this.#fetch(found.ref, found.commit), options.signal);
    const commit = this.objects.peelToCommit(found.commit);
    if (commit !== undefined) return { commit, name: found.name };
    throw gitError(
      'GIT_REVISION_UNKNOWN',
      `commit ${found.commit} is not in ${this.remote.url}, or is no commit`,
      { hint: 'it may have been replaced by a forced push: name a branch, tag or another commit' },
    );
  }

  async #resolvePrefix(prefix: string, options: RemoteOptions): Promise<ResolvedCommit> {
    let ids = this.objects.commitsWithPrefix(prefix);
    if (ids.length === 0) {
      await withSignal(this.#fetch(undefined, undefined), options.signal);
      ids = this.objects.commitsWithPrefix(prefix);
    }
    if (ids.length === 1) return { commit: ids[0]!, name: '' };
    if (ids.length === 0) {
      throw gitError('GIT_REVISION_UNKNOWN', `no commit starts with ${prefix}`, {
        hint: 'check the id; only commits of branches and tags can be found by a short id',
      });
    }
    throw gitError('GIT_REVISION_AMBIGUOUS', `${ids.length} commits start with ${prefix}`, {
      hint: 'give more digits',
    });
  }

  #hasCommit(id: string): boolean {
    return /^[0-9a-f]{40}$/.test(id) && this.#wholeCommit(id) === id;
  }

  /** Undefined also for a commit without its folder, which a fetch that was cut off may have left, or somebody who tidied up. */
  #wholeCommit(id: string): string | undefined {
    const commit = this.objects.peelToCommit(id);
    if (commit === undefined || !this.objects.contains(commit)) return undefined;
    return this.objects.contains(this.objects.readCommit(commit).tree) ? commit : undefined;
  }

  async #askRefs(): Promise<RemoteRefs> {
    const listed = await this.#listRefs();
    if (typeof listed === 'object') {
      this.#refs = listed;
      return listed;
    }
    const result = await this.#runRemote('reading the refs of', (url) => [
      'ls-remote',
      '--symref',
      '--quiet',
      '--',
      url,
    ]);
    const refs = parseRemoteRefs(result.stdout.toString('utf8'));
    // Git could and we could not: an old server, or certificates that only the system knows.
    this.#isListingBroken = listed === 'never' && refs.ids.size > 0;
    // To git's old protocol of plain files any page is a repository without refs.
    const credentials = await this.#credentials();
    const isHttp = this.remote.protocol.startsWith('http');
    if (refs.ids.size === 0 && isHttp && !(await isSmartRemote(this.#url, credentials))) {
      throw notARepository(this.remote);
    }
    this.#refs = refs;
    return refs;
  }

  async #credentials(): Promise<GitCredentials> {
    const { credentials = NO_CREDENTIALS } = this.#options;
    return typeof credentials === 'function' ? await credentials() : credentials;
  }

  /**
   * The quick way, without a process. Whatever goes wrong there, git is asked, and classifies it; the quick way is tried again where
   * that may pass.
   */
  async #listRefs(): Promise<RemoteRefs | 'not now' | 'never'> {
    const credentials = await this.#credentials();
    const { protocol } = this.#url;
    const isPlain =
      protocol.startsWith('http') && credentials.proxy === undefined && !hasProxy(protocol);
    if (!isPlain || this.#isListingBroken) return 'never';
    if (this.#client?.credentials !== credentials) {
      this.#client?.close();
      this.#client = new RemoteClient(this.#url, credentials, this.#options.timeoutMs);
    }
    const listed = await listRefs(this.#client).catch((error: unknown) => {
      // Git would ask there all the same.
      if (error instanceof CapstanError && error.code === 'EGRESS_REFUSED') throw error;
      return isPassing(error) ? ('not now' as const) : undefined;
    });
    if (typeof listed === 'object' && listed.ids.size > 0) return listed;
    this.#client.close();
    this.#client = undefined;
    return listed === 'not now' ? listed : 'never';
  }

  /** One fetch after another; all branches and tags at once, so that one serves every app of the repository. */
  #fetch(ref: string | undefined, commit: string | undefined): Promise<void> {
    const run = this.#fetching
      .catch(() => undefined)
      .then(() =>
        commit !== undefined && this.#wholeCommit(commit) !== undefined
          ? undefined
          : this.#fetchNow(ref, commit),
      );
    this.#fetching = run;
    return run;
  }

  async #fetchNow(ref: string | undefined, commit: string | undefined): Promise<void> {
    await initMirror(this.#options.folder);
    const { depth } = this.#options;
    if (depth !== undefined && (await this.#fetchShallow(ref, commit, depth))) return;
    const offered = this.#refs;
    if (commit !== undefined && offered && (await this.#fetchNew(commit, offered))) return;
    const specs = ['+refs/heads/*:refs/heads/*', '+refs/tags/*:refs/tags/*'];
    if (ref !== undefined && !/^(?:HEAD$|refs\/(?:heads|tags)\/)/.test(ref)) {
      specs.push(`+${ref}:refs/capstan/${ref.replace(/^refs\//, '')}`);
    }
    const partial = this.#options.partial === true ? [WITHOUT_BLOBS] : [];
    await this.#runRemote('fetching', (url) => fetchArguments(url, specs, partial), IN_ONE_PIECE);
    this.#fetched = offered;
    if (++this.#fetches % FETCHES_BEFORE_REPACK === 0) await this.#repack();
    if (ref !== undefined || commit === undefined) return;
    if (this.objects.peelToCommit(commit) !== undefined) return;
    // Not reachable from branches or tags: many servers hand out a commit by its id all the same.
    const own = [`+${commit}:refs/capstan/commits/${commit}`];
    await this.#runRemote(
      'fetching',
      (url) => fetchArguments(url, own, partial),
      IN_ONE_PIECE,
    ).catch(() => undefined);
  }

  /**
   * The quick way, without a process: what new commits added to what was fetched before. False when it is not that, or does not
   * work: git fetches then. From time to time it does so anyway, which moves the refs that keep the objects.
   */
  async #fetchNew(commit: string, offered: RemoteRefs): Promise<boolean> {
    const { partial = false, depth } = this.#options;
    const client = this.#client;
    const before = this.#fetched;
    if (client === undefined || before === undefined || partial || depth !== undefined)
      return false;
    if ((this.#fetches + 1) % FETCHES_BEFORE_REPACK === 0) return false;
    const isHere = (id: string) => this.objects.contains(id);
    const moved = [...offered.ids].filter(
      ([name, id]) => isBranchOrTag(name) && before.ids.get(name) !== id && !isHere(id),
    );
    const isAsked = moved.some(([name]) => commitOf(offered, name) === commit);
    const wants = [...new Set(moved.map(([, id]) => id))];
    const names = [...moved.map(([name]) => name), ...before.ids.keys()];
    const had = names.flatMap((name) => commitOf(before, name) ?? []);
    const haves = [...new Set(had)].slice(0, HAVES_MAX).filter(isHere);
    if (!isAsked || wants.length > WANTS_MAX || haves.length === 0) return false;
    try {
      if (!(await fetchNewObjects({ client, objects: this.objects, wants, haves }))) return false;
    } catch (error) {
      if (error instanceof CapstanError && error.code === 'EGRESS_REFUSED') throw error;
      return false;
    }
    this.#fetches++;
    this.#fetched = offered;
    return true;
  }

  /**
   * True: it is here. The commit itself is asked for, since its branch may have moved on meanwhile; not every server gives
   * single commits, nor a part of the history: then all of it is fetched.
   */
  async #fetchShallow(
    ref: string | undefined,
    commit: string | undefined,
    depth: number,
  ): Promise<boolean> {
    // What else is here is left: an operation that runs may still read the commit before.
    const options = [...FETCH_OPTIONS.filter((one) => one !== '--prune'), `--depth=${depth}`];
    const target = ref?.startsWith('refs/') ? ref : `refs/capstan/shallow/${ref ?? commit}`;
    for (const wanted of [commit, ref]) {
      if (wanted === undefined) continue;
      const spec = `+${wanted}:${target}`;
      await this.#runRemote(
        'fetching',
        (url) => ['fetch', ...options, '--', url, spec],
        IN_ONE_PIECE,
      ).catch(() => undefined);
      if (commit === undefined || this.objects.peelToCommit(commit) !== undefined) return true;
    }
    return false;
  }

  /** Many small fetches leave many small files; a failure costs only room. */
  async #repack(): Promise<void> {
    const gitDir = this.#options.folder;
    await runGit(['repack', '-A', '-d', '-q', '--unpack-unreachable=2.weeks.ago'], { gitDir });
  }

  async #runRemote(
    what: string,
    argumentsFor: (url: string) => readonly string[],
    more: { readonly input?: string; readonly settings?: RemoteAccess['settings'] } = {},
  ): Promise<RunResult> {
    const { folder, timeoutMs } = this.#options;
    const credentials = await this.#credentials();
    await using access = await openRemoteAccess(this.remote, credentials);
    const run = (url: RemoteUrl) =>
      runGit(argumentsFor(url.url), {
        gitDir: folder,
        environment: access.environment,
        settings: [...access.settings, ...(more.settings ?? [])],
        ...(more.input === undefined ? {} : { input: more.input }),
        ...(timeoutMs === undefined ? {} : { timeoutMs }),
      });
    let result = await run(this.#url);
    if (result.code !== 0 && access.hasSecret && this.remote.protocol.startsWith('http')) {
      const target = await followRedirect(this.remote, credentials);
      if (target !== undefined) {
        this.#url = target;
        result = await run(target);
      }
    }
    if (result.code !== 0) throw classifyFailure(result, this.remote, what);
    return result;
  }
}

function isBranchOrTag(name: string): boolean {
  return name.startsWith('refs/heads/') || name.startsWith('refs/tags/');
}

/** Waits for shared work; the signal ends only this caller's wait. */
async function withSignal<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return await work;
  signal.throwIfAborted();
  const { promise, reject } = Promise.withResolvers<never>();
  const abort = () => reject(signal.reason);
  signal.addEventListener('abort', abort, { once: true });
  try {
    return await Promise.race([work, promise]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}
