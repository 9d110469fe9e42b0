import type { FieldError, Json } from '@capstan/kube-object';
import { listAt, objectAt, textAt } from '../json.ts';
import {
  type Check,
  duplicateAt,
  fields,
  given,
  goStruct,
  invalidAt,
  items,
  notSupportedAt,
  oneOf,
  requiredAt,
} from './checks.ts';
import { descendingPath, userId } from './common.ts';

const PROFILE_TYPES = ['Localhost', 'RuntimeDefault', 'Unconfined'];
const LISTED = `supported values: ${PROFILE_TYPES.map((type) => JSON.stringify(type)).join(', ')}`;

function profileType(type: string, at: string, name: string): readonly FieldError[] {
  if (type === '') return [requiredAt(at, `type is required when ${name} is set`)];
  return PROFILE_TYPES.includes(type) ? [] : [notSupportedAt(at, type, LISTED)];
}

const seccompProfile: Check = given((value, at) => {
  const type = textAt(value, 'type');
  const path = objectAt(value)['localhostProfile'];
  const errors = [...profileType(type, `${at}.type`, 'seccompProfile')];
  const where = `${at}.localhostProfile`;
  if (type === 'Localhost') {
    return [
      ...errors,
      ...(path === undefined
        ? [requiredAt(where, 'must be set when seccomp type is Localhost')]
        : descendingPath(path, where)),
    ];
  }
  if (path === undefined) return errors;
  const shown = goStruct(value, { Type: '', LocalhostProfile: null });
  const detail = 'can only be set when seccomp type is Localhost';
  return [...errors, { ...invalidAt(where, value, detail), shown }];
});

const PROFILE_BYTES_MAX = 4095;

const appArmorProfile: Check = given((value, at) => {
  const type = textAt(value, 'type');
  const path = objectAt(value)['localhostProfile'];
  const where = `${at}.localhostProfile`;
  if (type !== 'Localhost') {
    return [
      ...profileType(type, `${at}.type`, 'appArmorProfile'),
      ...(path === undefined
        ? []
        : [invalidAt(where, path, 'can only be set when AppArmor type is Localhost')]),
    ];
  }
  const text = typeof path === 'string' ? path : '';
  if (text.trim() !== text) {
    return [invalidAt(where, text, 'must not be padded with whitespace')];
  }
  if (text === '') return [requiredAt(where, 'must be set when AppArmor type is Localhost')];
  if (text.length <= PROFILE_BYTES_MAX) return [];
  return [
    {
      reason: 'FieldValueTooLong',
      field: where,
      detail: `may not be more than ${PROFILE_BYTES_MAX} bytes`,
    },
  ];
});

/** What a security context may say beside fields of its own. */
const contradictions =
  (hostUsers: boolean): Check =>
  (value, at) => {
    const context = objectAt(value);
    const errors: FieldError[] = [];
    if (hostUsers && context['procMount'] === 'Unmasked') {
      const detail = '`hostUsers` must be false to use `Unmasked`';
      errors.push(invalidAt(`${at}.procMount`, 'Unmasked', detail));
    }
    if (context['allowPrivilegeEscalation'] !== false) return errors;
    const both = 'cannot set `allowPrivilegeEscalation` to false and';
    const shown = showSecurityContext(value);
    if (context['privileged'] === true) {
      errors.push({ ...invalidAt(at, null, `${both} \`privileged\` to true`), shown });
    }
    if (listAt(value, 'capabilities', 'add').includes('CAP_SYS_ADMIN')) {
      errors.push({ ...invalidAt(at, null, `${both} \`capabilities.Add\` CAP_SYS_ADMIN`), shown });
    }
    return errors;
  };

function showSecurityContext(value: Json | undefined): string {
  const context = { ...objectAt(value) };
  const profile = (name: string) =>
    context[name] === undefined
      ? null
      : (JSON.parse(goStruct(context[name], { Type: '', LocalhostProfile: null })) as Json);
  const capabilities = objectAt(value, 'capabilities');
  return JSON.stringify({
    Capabilities:
      context['capabilities'] === undefined
        ? null
        : { Add: capabilities['add'] ?? null, Drop: capabilities['drop'] ?? null },
    Privileged: context['privileged'] ?? null,
    SELinuxOptions:
      context['seLinuxOptions'] === undefined
        ? null
        : (JSON.parse(
            goStruct(context['seLinuxOptions'], { User: '', Role: '', Type: '', Level: '' }),
          ) as Json),
    WindowsOptions: context['windowsOptions'] ?? null,
    RunAsUser: context['runAsUser'] ?? null,
    RunAsGroup: context['runAsGroup'] ?? null,
    RunAsNonRoot: context['runAsNonRoot'] ?? null,
    ReadOnlyRootFilesystem: context['readOnlyRootFilesystem'] ?? null,
    AllowPrivilegeEscalation: context['allowPrivilegeEscalation'] ?? null,
    ProcMount: context['procMount'] ?? null,
    SeccompProfile: profile('seccompProfile'),
    AppArmorProfile: profile('appArmorProfile'),
  });
}

const userAndGroup = { runAsUser: userId, runAsGroup: userId };

export function containerSecurity(hostUsers: boolean): Check {
  const checks = fields({
    ...userAndGroup,
    procMount: given(oneOf('Default', 'Unmasked')),
    seccompProfile,
    appArmorProfile,
  });
  return given((value, at) => [...checks(value, at), ...contradictions(hostUsers)(value, at)]);
}

const SYSCTL = /^([a-z0-9]([-_a-z0-9]*[a-z0-9])?[./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?$/;
const SYSCTL_PROBLEM =
  'must have at most 253 characters and match regex ^([a-z0-9]([-_a-z0-9]*[a-z0-9])?[\\./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?$';

const sysctls: Check = (value, at) => {
  const seen = new Set<string>();
  return (Array.isArray(value) ? value : []).flatMap((item: Json, i) => {
    const name = textAt(item, 'name');
    const where = `${at}[${i}].name`;
    const repeated = seen.has(name);
    seen.add(name);
    if (name === '') return [requiredAt(where)];
    if (name.length > 253 || !SYSCTL.test(name)) return [invalidAt(where, name, SYSCTL_PROBLEM)];
    return repeated ? [duplicateAt(where, name)] : [];
  });
};

/** core.PodSecurityContext. */
export const podSecurity: Check = fields({
  fsGroup: userId,
  ...userAndGroup,
  supplementalGroups: items(userId),
  sysctls,
  fsGroupChangePolicy: given(oneOf('Always', 'OnRootMismatch')),
  seccompProfile,
  appArmorProfile,
  supplementalGroupsPolicy: given(oneOf('Merge', 'Strict')),
  seLinuxChangePolicy: given(oneOf('MountOption', 'Recursive')),
});
