import type { ManagedNamespace, Permission, Propagation, SyncPolicy } from '@capstan/engine-sync';
import { CapstanError } from '@capstan/lib-std';

/** spec.syncPolicy.syncOptions and the like, as the engine takes them (documentation: "Sync Options"). Later ones win. */
export interface SyncOptions {
  readonly policy: Partial<SyncPolicy>;
  readonly createNamespace: boolean;
  readonly respectIgnored: boolean;
  readonly failOnShared: boolean;
  readonly migrates: boolean;
  /** When the application ends. */
  readonly deletePermission: Permission;
}

export function readSyncOptions(texts: readonly string[]): SyncOptions {
  const values = new Map<string, string>();
  for (const text of texts) {
    const [name = '', value = ''] = text.split('=').map((part) => part.trim());
    values.set(name, value);
  }
  const flag = (name: string) => values.get(name) === 'true';
  const told: Partial<SyncPolicy> = {
    pruneLast: flag('PruneLast'),
    replace: flag('Replace'),
    force: flag('Force'),
    validate: values.get('Validate') !== 'false',
    outOfSyncOnly: flag('ApplyOutOfSyncOnly'),
    skipDryRunOnMissingKind: flag('SkipDryRunOnMissingResource'),
    sendsRepeated: !flag('ServerSideApply'),
    prunePermission: readPermission(values.get('Prune')),
    propagation: readPropagation(values.get('PrunePropagationPolicy')),
  };
  return {
    policy: told,
    createNamespace: flag('CreateNamespace'),
    respectIgnored: flag('RespectIgnoreDifferences'),
    failOnShared: flag('FailOnSharedResource'),
    deletePermission: readPermission(values.get('Delete')),
    migrates: values.get('ClientSideApplyMigration') !== 'false',
  };
}

export function managedNamespace(
  name: string,
  metadata:
    | {
        readonly labels?: { readonly [name: string]: string };
        readonly annotations?: { readonly [name: string]: string };
      }
    | undefined,
): ManagedNamespace {
  if (metadata === undefined) return { name };
  const { labels = {}, annotations = {} } = metadata;
  return { name, metadata: { labels, annotations } };
}

function readPermission(text: string | undefined): Permission {
  if (text === 'false') return 'forbidden';
  return text === 'confirm' ? 'confirm' : 'allowed';
}

function readPropagation(text: string | undefined): Propagation {
  switch (text?.toLowerCase()) {
    case undefined:
    case '':
    case 'foreground':
      return 'Foreground';
    case 'background':
      return 'Background';
    case 'orphan':
      return 'Orphan';
    default:
      throw new CapstanError(
        'SPEC_INVALID',
        `spec.syncPolicy.syncOptions: PrunePropagationPolicy=${text} is not known`,
        { hint: 'use foreground, background or orphan' },
      );
  }
}
