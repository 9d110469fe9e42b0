import { badRequest, invalid } from './api-error.ts';
import type { Call } from './handle-request.ts';
import type { WriteOptions } from './write-object.ts';

const FIELD_MANAGER_MAX = 128;

/** dryRun, fieldManager and fieldValidation from the query, checked as the server does. */
export function readWriteParameters(
  call: Call,
): Pick<WriteOptions, 'dryRun' | 'fieldManager' | 'fieldValidation'> {
  const { query } = call;
  const dryRun = query.getAll('dryRun').filter((value) => value !== '');
  const kind = { create: 'CreateOptions', update: 'UpdateOptions', patch: 'PatchOptions' }[
    call.info.verb
  ];
  const subject = { group: 'meta.k8s.io', kind: kind ?? 'UpdateOptions', name: '' };
  for (const value of dryRun) {
    if (value === 'All') continue;
    throw invalid(subject, [
      {
        reason: 'FieldValueNotSupported',
        field: 'dryRun',
        value: dryRun,
        detail: 'supported values: "All"',
      },
    ]);
  }
  const fieldValidation = query.get('fieldValidation') ?? '';
  if (!['', 'Ignore', 'Warn', 'Strict'].includes(fieldValidation)) {
    throw invalid(subject, [
      {
        reason: 'FieldValueNotSupported',
        field: 'fieldValidation',
        value: fieldValidation,
        detail: 'supported values: "", "Ignore", "Strict", "Warn"',
      },
    ]);
  }
  const fieldManager = query.get('fieldManager') ?? '';
  if (fieldManager.length > FIELD_MANAGER_MAX) {
    throw invalid(subject, [
      {
        reason: 'FieldValueTooLong',
        field: 'fieldManager',
        detail: `may not be more than ${FIELD_MANAGER_MAX} bytes`,
      },
    ]);
  }
  if (/[^\x20-\x7e\u00a0-\uffff]/.test(fieldManager)) {
    throw badRequest('fieldManager should only contain printable characters');
  }
  return {
    dryRun: dryRun.length > 0,
    fieldManager:
      fieldManager === '' ? managerOf(call.request.headers['user-agent']) : fieldManager,
    fieldValidation: fieldValidation === '' ? 'Warn' : (fieldValidation as 'Warn'),
  };
}

/** Without a fieldManager the user agent's first word names the manager. */
function managerOf(userAgent: string | undefined): string {
  const first = (userAgent ?? '').split('/')[0]!.split(' ')[0]!;
  const printable = first.replace(/[^\x20-\x7e]/g, '').slice(0, FIELD_MANAGER_MAX);
  return printable === '' ? 'unknown' : printable;
}
