/** A HelmRelease as the options of kube/helm's operations. Pure. */
import type { HelmRelease } from '@capstan/flux-api';
import type {
  InstallOptions,
  Release,
  RollbackOptions,
  TestOptions,
  UninstallOptions,
  UpgradeOptions,
} from '@capstan/kube-helm';
import { releaseName, releaseNamespace } from './names.ts';
import { HISTORY_MAX_DEFAULT, type TimedAction, timeoutMs } from './policies.ts';
import { originLabels, postRendererOf } from './post-renderer.ts';

/** The original's, so that either may go on with what the other applied. */
export const FIELD_MANAGER = 'helm-controller';
const CRDS = { Skip: 'skip', Create: 'create', CreateReplace: 'replace' } as const;

export function toInstallOptions(release: HelmRelease): InstallOptions {
  const { install = {}, targetNamespace } = release.spec;
  const serverSideApply = install.serverSideApply ?? true;
  return {
    ...shared(release, 'install'),
    name: releaseName(release),
    ...rendering(release, install.disableSchemaValidation),
    ...waiting(install),
    serverSideApply,
    forceConflicts: serverSideApply,
    createNamespace: Boolean(targetNamespace) && install.createNamespace === true,
    crds: crdPolicy(install.crds),
    takeOwnership: install.disableTakeOwnership !== true,
    replace: install.replace === true,
  };
}

export function toUpgradeOptions(release: HelmRelease, last: Release | undefined): UpgradeOptions {
  const { upgrade = {} } = release.spec;
  const serverSideApply = appliesOnServer(upgrade.serverSideApply, last);
  return {
    ...shared(release, 'upgrade'),
    name: releaseName(release),
    ...rendering(release, upgrade.disableSchemaValidation),
    ...waiting(upgrade),
    serverSideApply,
    forceConflicts: serverSideApply,
    forceReplace: upgrade.force === true && !serverSideApply,
    oldValues: upgrade.preserveValues === true ? 'reuse' : 'reset',
    crds: crdPolicy(upgrade.crds),
    takeOwnership: upgrade.disableTakeOwnership !== true,
    cleanupOnFail: upgrade.cleanupOnFail === true,
    maxHistory: historyMax(release),
  };
}

/** `target` is the revision that is gone back to. */
export function toRollbackOptions(
  release: HelmRelease,
  target: { readonly revision: number; readonly record: Release | undefined },
): RollbackOptions {
  const { rollback = {} } = release.spec;
  const serverSideApply = appliesOnServer(rollback.serverSideApply, target.record);
  return {
    ...shared(release, 'rollback'),
    ...waiting(rollback),
    revision: target.revision,
    serverSideApply,
    forceConflicts: serverSideApply,
    forceReplace: rollback.force === true && !serverSideApply,
    cleanupOnFail: rollback.cleanupOnFail === true,
    maxHistory: historyMax(release),
  };
}

export function toTestOptions(release: HelmRelease): TestOptions {
  const filters = release.spec.test?.filters ?? [];
  const names = (isExcluded: boolean): readonly string[] =>
    filters.filter(({ exclude }) => (exclude === true) === isExcluded).map(({ name }) => name);
  const only = names(false);
  return {
    ...shared(release, 'test'),
    except: names(true),
    ...(only.length === 0 ? {} : { only }),
  };
}

/** Of the release where it was last seen: its target may have changed since. */
export function toUninstallOptions(
  release: HelmRelease,
  {
    namespace,
    storageNamespace,
  }: { readonly namespace: string; readonly storageNamespace: string },
): UninstallOptions {
  const { uninstall = {} } = release.spec;
  const PROPAGATION = { foreground: 'Foreground', orphan: 'Orphan' } as const;
  const { deletionPropagation = '' } = uninstall;
  return {
    ...shared(release, 'uninstall'),
    namespace,
    storageNamespace,
    disableHooks: uninstall.disableHooks === true,
    wait: uninstall.disableWait !== true,
    keepHistory: uninstall.keepHistory === true,
    propagation:
      deletionPropagation === 'foreground' || deletionPropagation === 'orphan'
        ? PROPAGATION[deletionPropagation]
        : 'Background',
  };
}

function shared(release: HelmRelease, action: TimedAction) {
  return {
    namespace: releaseNamespace(release),
    storageNamespace: release.status.storageNamespace ?? release.metadata.namespace ?? '',
    timeoutMs: timeoutMs(release, action),
    fieldManager: FIELD_MANAGER,
  };
}

function rendering(release: HelmRelease, skipSchemaValidation: boolean | undefined) {
  return {
    skipSchemaValidation: skipSchemaValidation === true,
    postRenderer: postRendererOf(release),
    crdLabels: originLabels(release),
  };
}

function waiting(spec: {
  readonly disableWait?: boolean;
  readonly disableWaitForJobs?: boolean;
  readonly disableHooks?: boolean;
}) {
  const wait = spec.disableWait !== true;
  return {
    wait,
    waitForJobs: wait && spec.disableWaitForJobs !== true,
    disableHooks: spec.disableHooks === true,
  };
}

function crdPolicy(text: string | undefined): 'skip' | 'create' | 'replace' {
  return text === 'Skip' || text === 'CreateReplace' ? CRDS[text] : 'create';
}

function appliesOnServer(mode: string | undefined, record: Release | undefined): boolean {
  if (mode === 'enabled' || mode === 'disabled') return mode === 'enabled';
  return record?.applyMethod === 'ssa';
}

function historyMax({ spec }: HelmRelease): number {
  return spec.maxHistory ?? HISTORY_MAX_DEFAULT;
}
