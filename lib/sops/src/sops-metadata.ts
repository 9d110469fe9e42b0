import { sopsError } from './sops-error.ts';

/** What one master key encrypted: the data key, or a part of it. */
export interface MasterKey {
  readonly service: 'age' | 'pgp' | 'kms' | 'gcp_kms' | 'azure_kv' | 'hc_vault' | 'hckms';
  readonly fields: Readonly<Record<string, unknown>>;
}

export interface SopsMetadata {
  /** Any key of a group opens it. */
  readonly groups: readonly (readonly MasterKey[])[];
  /** How many groups have to be opened; 0: there is one. */
  readonly threshold: number;
  readonly mac: string;
  readonly lastModified: string;
  readonly macOnlyEncrypted: boolean;
  readonly rules: SelectionRules;
}

/** Which values are encrypted; the last rule that is set decides. */
export interface SelectionRules {
  readonly unencryptedSuffix: string;
  readonly encryptedSuffix: string;
  readonly unencryptedRegex: string;
  readonly encryptedRegex: string;
  readonly unencryptedCommentRegex: string;
  readonly encryptedCommentRegex: string;
}

const SERVICES = ['age', 'pgp', 'kms', 'gcp_kms', 'azure_kv', 'hc_vault', 'hckms'] as const;
const KEYS_MAX = 200;
const DEFAULT_SUFFIX = '_unencrypted';

/** Reads the `sops` part of a file. Throws SOPS_METADATA. */
export function readMetadata(value: unknown): SopsMetadata {
  if (!isRecord(value)) throw sopsError('SOPS_METADATA', 'the sops metadata is no mapping');
  const given = value['key_groups'];
  const groups = Array.isArray(given) && given.length > 0 ? given : [value];
  const keys = groups.map((group: unknown) => readGroup(group));
  if (keys.flat().length > KEYS_MAX) {
    throw sopsError('SOPS_LIMIT', `the file names more than ${KEYS_MAX} keys`);
  }
  const text = (name: string) => (typeof value[name] === 'string' ? value[name] : '');
  const rules: SelectionRules = {
    unencryptedSuffix: text('unencrypted_suffix'),
    encryptedSuffix: text('encrypted_suffix'),
    unencryptedRegex: text('unencrypted_regex'),
    encryptedRegex: text('encrypted_regex'),
    unencryptedCommentRegex: text('unencrypted_comment_regex'),
    encryptedCommentRegex: text('encrypted_comment_regex'),
  };
  const isBare = Object.values(rules).every((rule) => rule === '');
  if (text('mac') === '') throw sopsError('SOPS_METADATA', 'the sops metadata holds no mac');
  return {
    groups: keys,
    threshold: Number(value['shamir_threshold'] ?? 0) || 0,
    mac: text('mac'),
    lastModified: text('lastmodified'),
    macOnlyEncrypted: /^(?:true|1)$/i.test(String(value['mac_only_encrypted'] ?? '')),
    rules: isBare ? { ...rules, unencryptedSuffix: DEFAULT_SUFFIX } : rules,
  };
}

function readGroup(group: unknown): readonly MasterKey[] {
  if (!isRecord(group)) return [];
  return SERVICES.flatMap((service) => {
    const list = group[service];
    return Array.isArray(list)
      ? list.filter(isRecord).map((fields): MasterKey => ({ service, fields }))
      : [];
  });
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
