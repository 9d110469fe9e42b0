import type { KubeObject } from '@capstan/kube-object';
import { messageOf } from '@capstan/lib-std';
import { codeOf, isNotFound, type ReleasePorts, serverMessage } from './cluster-port.ts';
import { isPending, type Release } from './release.ts';
import { ReleaseError } from './release-error.ts';
import { decodeRecord, encodeRecord } from './release-record.ts';

/** Who works at a release, and when it last said so. The original neither reads nor keeps these. */
export const HOLDER_ANNOTATION = 'helm.capstan.dev/holder';
export const RENEWED_ANNOTATION = 'helm.capstan.dev/renewed-at';

const SYSTEM_LABELS = ['name', 'owner', 'status', 'version', 'createdAt', 'modifiedAt'];

export interface StoredRelease {
  readonly release: Release;
  readonly resourceVersion: string;
  readonly holder: string;
  /** Milliseconds since the epoch; undefined for a record that nobody holds, as the original's. */
  readonly renewedAt: number | undefined;
}

/** The releases of one namespace, in Secrets as Helm's own storage driver keeps them. */
export interface ReleaseStore {
  /** All revisions of one release, oldest first; empty when there is none. */
  history(name: string): Promise<readonly StoredRelease[]>;
  /** Every revision of every release. */
  all(): Promise<readonly Release[]>;
  get(name: string, revision: number): Promise<Release>;
  /** Throws RELEASE_EXISTS when another took the revision first: that is the lock between operations. */
  create(release: Release, holder: string): Promise<RecordVersion>;
  /** With `resourceVersion`, fails with CONFLICT when the record changed meanwhile. */
  update(
    release: Release,
    options?: { readonly holder?: string; readonly resourceVersion?: RecordVersion | undefined },
  ): Promise<RecordVersion>;
  delete(release: Release): Promise<void>;
  /** Says that `holder` is alive; throws RELEASE_LOST when the record is no longer its own. */
  renew(release: Release, holder: string): Promise<RecordVersion>;
}

/** The resourceVersion of a record; undefined when the server did not tell. */
export type RecordVersion = string | undefined;

export function recordName(name: string, revision: number): string {
  return `sh.helm.release.v1.${name}.v${revision}`;
}

/** Throws when a user's label would hide one of Helm's own. */
export function checkLabels(labels: Release['labels']): void {
  if (!Object.keys(labels).some((key) => SYSTEM_LABELS.includes(key))) return;
  throw new ReleaseError(
    'RELEASE_LABELS',
    `user supplied labels contains system reserved label name. System labels: [${SYSTEM_LABELS.join(' ')}]`,
  );
}

/** Opens the store of a namespace; '' reads the releases of all namespaces. */
export function releaseStore(ports: ReleasePorts, namespace: string): ReleaseStore {
  const { cluster, clock } = ports;
  const refOf = (name: string, revision: number) => ({
    apiVersion: 'v1',
    kind: 'Secret',
    namespace,
    name: recordName(name, revision),
  });
  const secretOf = (release: Release, stamp: 'createdAt' | 'modifiedAt', holder?: string) =>
    toSecret(release, { namespace, stamp, now: clock.now(), ...(holder ? { holder } : {}) });
  const query = async (selector: string, failed: string): Promise<readonly StoredRelease[]> => {
    const options = { labelSelector: selector, ...(namespace === '' ? {} : { namespace }) };
    try {
      const { items } = await cluster.list({ apiVersion: 'v1', kind: 'Secret' }, options);
      return items.flatMap((secret) => readable(secret, ports));
    } catch (cause) {
      const message = `${failed}: ${serverMessage(cause)}`;
      throw new ReleaseError(codeOf(cause) || 'RELEASE_STORE', message, { kind: 'retry', cause });
    }
  };
  return {
    history: async (name) =>
      (await query(`name=${name},owner=helm`, 'query: failed to query with labels')).toSorted(
        (a, b) => a.release.revision - b.release.revision,
      ),
    all: async () =>
      (await query('owner=helm', 'list: failed to list')).map(({ release }) => release),
    get: async (name, revision) => {
      const secret = await cluster.find(refOf(name, revision));
      if (secret === undefined) throw notFound();
      return fromSecret(secret).release;
    },
    create: async (release, holder) => {
      try {
        const made = await cluster.create(secretOf(release, 'createdAt', holder));
        ports.observe?.(release);
        return made.metadata.resourceVersion;
      } catch (error) {
        if (codeOf(error) === 'ALREADY_EXISTS') {
          throw new ReleaseError('RELEASE_EXISTS', 'release: already exists', {
            kind: 'retry',
            cause: error,
          });
        }
        throw new ReleaseError(
          'RELEASE_STORE',
          `create: failed to create: ${serverMessage(error)}`,
          {
            kind: 'retry',
            cause: error,
          },
        );
      }
    },
    update: async (release, { holder, resourceVersion } = {}) => {
      const secret = secretOf(release, 'modifiedAt', isPending(release) ? holder : undefined);
      const metadata = {
        ...secret.metadata,
        ...(resourceVersion === undefined ? {} : { resourceVersion }),
      };
      try {
        const written = await cluster.update({ ...secret, metadata });
        ports.observe?.(release);
        return written.metadata.resourceVersion;
      } catch (cause) {
        const message = `update: failed to update: ${serverMessage(cause)}`;
        throw new ReleaseError(codeOf(cause) || 'RELEASE_STORE', message, { kind: 'retry', cause });
      }
    },
    delete: async (release) => {
      try {
        await cluster.delete(refOf(release.name, release.revision));
        ports.observe?.(release);
      } catch (error) {
        if (!isNotFound(error)) throw error;
      }
    },
    renew: async ({ name, revision }, holder) => {
      const path = (key: string): string => `/metadata/annotations/${key.replaceAll('/', '~1')}`;
      const now = new Date(clock.now()).toISOString();
      try {
        const renewed = await cluster.patch(
          refOf(name, revision),
          [
            { op: 'test', path: path(HOLDER_ANNOTATION), value: holder },
            { op: 'replace', path: path(RENEWED_ANNOTATION), value: now },
          ],
          { type: 'json' },
        );
        return renewed.metadata.resourceVersion;
      } catch (error) {
        if (!['NOT_FOUND', 'INVALID', 'BAD_REQUEST'].includes(codeOf(error))) throw error;
        throw new ReleaseError(
          'RELEASE_LOST',
          `the release ${name} was taken over by another while this operation was under way`,
          { kind: 'retry', cause: error },
        );
      }
    },
  };
}

export function notFound(): ReleaseError {
  return new ReleaseError('RELEASE_NOT_FOUND', 'release: not found');
}

function readable(secret: KubeObject, ports: ReleasePorts): readonly StoredRelease[] {
  try {
    return [fromSecret(secret)];
  } catch (error) {
    ports.warn?.(`failed to decode release ${secret.metadata.name ?? ''}: ${messageOf(error)}`);
    return [];
  }
}

function fromSecret(secret: KubeObject): StoredRelease {
  const data = secret['data'];
  const packed =
    typeof data === 'object' && data !== null ? Reflect.get(data, 'release') : undefined;
  const text = typeof packed === 'string' ? Buffer.from(packed, 'base64').toString('latin1') : '';
  const own = Object.entries(secret.metadata.labels ?? {}).filter(
    ([key]) => !SYSTEM_LABELS.includes(key),
  );
  const annotations = secret.metadata.annotations ?? {};
  const renewedAt = Date.parse(annotations[RENEWED_ANNOTATION] ?? '');
  return {
    release: decodeRecord(text, Object.fromEntries(own)),
    resourceVersion: secret.metadata.resourceVersion ?? '',
    holder: annotations[HOLDER_ANNOTATION] ?? '',
    renewedAt: Number.isNaN(renewedAt) ? undefined : renewedAt,
  };
}

function toSecret(
  release: Release,
  to: {
    readonly namespace: string;
    readonly stamp: 'createdAt' | 'modifiedAt';
    readonly now: number;
    readonly holder?: string;
  },
): KubeObject {
  const { name, revision, status, labels } = release;
  const held =
    to.holder === undefined
      ? {}
      : {
          annotations: {
            [HOLDER_ANNOTATION]: to.holder,
            [RENEWED_ANNOTATION]: new Date(to.now).toISOString(),
          },
        };
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: {
      name: recordName(name, revision),
      namespace: to.namespace,
      labels: {
        ...labels,
        [to.stamp]: String(Math.floor(to.now / 1000)),
        name,
        owner: 'helm',
        status,
        version: String(revision),
      },
      ...held,
    },
    type: 'helm.sh/release.v1',
    data: { release: Buffer.from(encodeRecord(release), 'latin1').toString('base64') },
  };
}
