/** What conditions and events say, in the original's words. */
import type { ReleaseSnapshot } from '@capstan/flux-api';
import { chartText, fullName } from './snapshots.ts';

export interface Target {
  readonly namespace: string;
  readonly name: string;
  /** `podinfo@6.0.0` */
  readonly chart: string;
}

const on = (one: ReleaseSnapshot): string => `${fullName(one)} with chart ${chartText(one)}`;

export const MESSAGES = {
  installed: (one: ReleaseSnapshot) => `Helm install succeeded for release ${on(one)}`,
  installFailed: ({ namespace, name, chart }: Target, problem: string) =>
    `Helm install failed for release ${namespace}/${name} with chart ${chart}: ${problem}`,
  upgraded: (one: ReleaseSnapshot) => `Helm upgrade succeeded for release ${on(one)}`,
  upgradeFailed: ({ namespace, name, chart }: Target, problem: string) =>
    `Helm upgrade failed for release ${namespace}/${name} with chart ${chart}: ${problem}`,
  testPending: (one: ReleaseSnapshot) => `Helm release ${on(one)} is awaiting tests`,
  testFailed: (one: ReleaseSnapshot, problem: string) =>
    `Helm test failed for release ${on(one)}: ${problem}`,
  tested: (one: ReleaseSnapshot, hooks: number) =>
    `Helm test succeeded for release ${on(one)}: ${
      hooks === 0
        ? 'no test hooks'
        : `${hooks} test ${hooks > 1 ? 'hooks' : 'hook'} completed successfully`
    }`,
  rolledBack: (one: ReleaseSnapshot) => `Helm rollback to previous release ${on(one)} succeeded`,
  rollbackFailed: (one: ReleaseSnapshot, problem: string) =>
    `Helm rollback to previous release ${on(one)} failed: ${problem}`,
  remediated: (one: ReleaseSnapshot) =>
    `Helm uninstall remediation for release ${on(one)} succeeded`,
  remediationFailed: (one: ReleaseSnapshot, problem: string) =>
    `Helm uninstall remediation for release ${on(one)} failed: ${problem}`,
  uninstalled: (one: ReleaseSnapshot) => `Helm uninstall succeeded for release ${on(one)}`,
  uninstallFailed: (one: ReleaseSnapshot, problem: string) =>
    `Helm uninstall failed for release ${on(one)}: ${problem}`,
  alreadyGone: (one: ReleaseSnapshot) =>
    `Release ${fullName(one)} was not found, assuming it is uninstalled`,
  alreadyUninstalled: (one: ReleaseSnapshot) => `Release ${fullName(one)} was already uninstalled`,
  unlocked: (one: ReleaseSnapshot, status: string) =>
    `Unlocked Helm release ${on(one)} in ${status} state`,
  unlockFailed: (one: ReleaseSnapshot, status: string, problem: string) =>
    `Unlock of Helm release ${on(one)} in ${status} state failed: ${problem}`,
};
