import type { Json, JsonObject } from '@capstan/kube-object';
import { CapstanError } from '@capstan/lib-std';
import type { Discovery, KindRef, ResourceKind, ServerVersion } from './kube-client.ts';
import { kindNameOf, nameKind } from './paths.ts';
import { isJsonObject, type Requester } from './requester.ts';

type Options = { readonly signal?: AbortSignal };

/** Kinds by `group/kind`, each list in the order of the group's version preference. */
type Catalogue = ReadonlyMap<string, readonly ResourceKind[]>;

/**
 * Discovery as kubectl and client-go do it: the aggregated form (apidiscovery.k8s.io/v2, v2beta1) in two requests, and one
 * request per group version where the server does not know that form. A group whose own server does not answer is left
 * out until it does.
 */
export function createDiscovery(requester: Requester): Discovery {
  return new CachedDiscovery(requester);
}

const VERSION_MS = 600_000;

class CachedDiscovery implements Discovery {
  readonly #requester: Requester;
  #catalogue: Promise<Catalogue> | undefined;
  #version: { readonly value: ServerVersion; readonly atMs: number } | undefined;
  /** Counts the looks, so that a question can tell whether one began after it. */
  #looks = 0;

  constructor(requester: Requester) {
    this.#requester = requester;
  }

  async resolve(ref: KindRef, options: Options = {}): Promise<ResourceKind> {
    const looksBefore = this.#looks;
    const known = await this.find(ref, options);
    if (known !== undefined) return known;
    if (this.#looks === looksBefore) this.invalidate();
    const found = (await this.find(ref, options)) ?? (await this.#ask(ref));
    if (found !== undefined) return found;
    throw new CapstanError(
      'KIND_NOT_SERVED',
      `the cluster does not serve ${nameKind(ref)}: no matches for kind "${ref.kind}"`,
      {
        kind: 'wait',
        hint: 'install its CustomResourceDefinition, or correct apiVersion and kind',
      },
    );
  }

  /** A group version tells of a kind that has just been defined some seconds before the aggregated form does. */
  async #ask(ref: KindRef): Promise<ResourceKind | undefined> {
    const { group, version, kind } = kindNameOf(ref);
    if (group === '' || version === undefined) return undefined;
    const served = await readGroupVersion(this.#requester, `/apis/${group}/${version}`);
    return served.find((one) => one.kind === kind);
  }

  async find(ref: KindRef, options: Options = {}): Promise<ResourceKind | undefined> {
    const { group, version, kind } = kindNameOf(ref);
    const candidates = (await this.#read(options)).get(`${group}/${kind}`) ?? [];
    return version === undefined
      ? candidates[0]
      : candidates.find((candidate) => candidate.version === version);
  }

  async kinds(
    options: Options & { readonly allVersions?: boolean } = {},
  ): Promise<readonly ResourceKind[]> {
    const catalogue = await this.#read(options);
    const lists = [...catalogue.values()];
    return options.allVersions === true ? lists.flat() : lists.flatMap((list) => list.slice(0, 1));
  }

  /** Asked for once in a while: servers are replaced under a client that lives on. */
  async version(options: Options = {}): Promise<ServerVersion> {
    const nowMs = performance.now();
    if (this.#version !== undefined && nowMs - this.#version.atMs < VERSION_MS) {
      return this.#version.value;
    }
    const answer = await this.#requester.json({
      method: 'GET',
      path: '/version',
      what: 'read the version of the API server',
      ...options,
    });
    const text = (key: string) => String(answer[key] ?? '');
    const value = { major: text('major'), minor: text('minor'), gitVersion: text('gitVersion') };
    this.#version = { value, atMs: nowMs };
    return value;
  }

  invalidate(): void {
    this.#catalogue = undefined;
    this.#version = undefined;
  }

  /** One look serves all who ask at the same time; it does not end with the one who asked first. */
  #read({ signal }: Options): Promise<Catalogue> {
    if (this.#catalogue === undefined) {
      this.#looks++;
      const look = readCatalogue(this.#requester);
      this.#catalogue = look;
      look.catch(() => {
        if (this.#catalogue === look) this.#catalogue = undefined;
      });
    }
    return signal === undefined ? this.#catalogue : abandonOn(signal, this.#catalogue);
  }
}

async function abandonOn<T>(signal: AbortSignal, promise: Promise<T>): Promise<T> {
  signal.throwIfAborted();
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const stop = () => reject(signal.reason);
  signal.addEventListener('abort', stop, { once: true });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener('abort', stop);
  }
}

const aggregated = ['v2', 'v2beta1']
  .map((version) => `application/json;g=apidiscovery.k8s.io;v=${version};as=APIGroupDiscoveryList`)
  .join(',');

async function readCatalogue(requester: Requester): Promise<Catalogue> {
  const lists = await Promise.all(['/api', '/apis'].map((path) => readRoot(requester, path)));
  const catalogue = new Map<string, ResourceKind[]>();
  for (const resource of lists.flat()) {
    const key = `${resource.group}/${resource.kind}`;
    const known = catalogue.get(key);
    if (known === undefined) catalogue.set(key, [resource]);
    else if (!known.some(({ version }) => version === resource.version)) known.push(resource);
  }
  return catalogue;
}

async function readRoot(requester: Requester, path: string): Promise<ResourceKind[]> {
  const answer = await requester.json({
    method: 'GET',
    path,
    what: 'discover what the API server serves',
    accept: `${aggregated},application/json`,
  });
  if (answer['kind'] === 'APIGroupDiscoveryList')
    return objects(answer['items']).flatMap(fromGroup);
  const groupVersions =
    path === '/api'
      ? texts(answer['versions']).map((version) => `/api/${version}`)
      : objects(answer['groups']).flatMap(versionsInOrder);
  const resources = await Promise.all(
    groupVersions.map((groupVersion) => readGroupVersion(requester, groupVersion)),
  );
  return resources.flat();
}

function fromGroup(group: JsonObject): ResourceKind[] {
  const name = text(asObject(group['metadata']), 'name');
  return objects(group['versions']).flatMap((version) =>
    objects(version['resources']).flatMap((resource) => {
      const responseKind = asObject(resource['responseKind']);
      const kind = text(responseKind, 'kind');
      if (kind === '') return [];
      return [
        {
          group: name,
          version: text(version, 'version'),
          kind,
          resource: text(resource, 'resource'),
          singular: text(resource, 'singularResource'),
          namespaced: resource['scope'] === 'Namespaced',
          verbs: texts(resource['verbs']),
          shortNames: texts(resource['shortNames']),
          categories: texts(resource['categories']),
          subresources: objects(resource['subresources']).map((sub) => text(sub, 'subresource')),
        },
      ];
    }),
  );
}

function versionsInOrder(group: JsonObject): string[] {
  const preferred = text(asObject(group['preferredVersion']), 'groupVersion');
  const all = objects(group['versions']).map((version) => text(version, 'groupVersion'));
  return [...new Set([preferred, ...all])]
    .filter((groupVersion) => groupVersion !== '')
    .map((groupVersion) => `/apis/${groupVersion}`);
}

async function readGroupVersion(requester: Requester, path: string): Promise<ResourceKind[]> {
  const answer = await requester
    .json({ method: 'GET', path, what: `discover what ${path} serves` })
    .catch((error: unknown) => {
      // The server of an aggregated API that is down must not hide all others.
      if (error instanceof CapstanError && (error.kind === 'retry' || error.code === 'NOT_FOUND')) {
        return undefined;
      }
      throw error;
    });
  const [, , group = '', version = ''] = path.startsWith('/api/')
    ? ['', '', '', path.slice(5)]
    : path.split('/');
  const all = objects(answer?.['resources']);
  return all
    .filter((resource) => !text(resource, 'name').includes('/'))
    .map((resource) => {
      const name = text(resource, 'name');
      return {
        group,
        version,
        kind: text(resource, 'kind'),
        resource: name,
        singular: text(resource, 'singularName'),
        namespaced: resource['namespaced'] === true,
        verbs: texts(resource['verbs']),
        shortNames: texts(resource['shortNames']),
        categories: texts(resource['categories']),
        subresources: all
          .map((other) => text(other, 'name'))
          .filter((other) => other.startsWith(`${name}/`))
          .map((other) => other.slice(name.length + 1)),
      };
    });
}

function asObject(value: Json | undefined): JsonObject {
  return isJsonObject(value) ? value : {};
}

function objects(value: Json | undefined): JsonObject[] {
  return Array.isArray(value) ? value.filter(isJsonObject) : [];
}

function texts(value: Json | undefined): string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : [];
}

function text(value: JsonObject, key: string): string {
  const member = value[key];
  return typeof member === 'string' ? member : '';
}
