import { goQuote } from './go-text.ts';
import type { ManagerFields } from './managers.ts';
import { type FieldPath, formatPath } from './path-element.ts';
import { compareText } from './value.ts';

/** A field that an apply would change and that another manager owns with another value. */
export interface Conflict {
  /** The identity of the owner, see `managerId`. */
  readonly managerId: string;
  readonly owner: ManagerFields;
  readonly path: FieldPath;
}

/** One cause of the server's answer 409: `conflict with "kubectl" using apps/v1` at `.spec.replicas`. */
export interface ConflictCause {
  readonly reason: 'FieldManagerConflict';
  readonly message: string;
  readonly field: string;
}

export function conflictCauses(conflicts: readonly Conflict[]): readonly ConflictCause[] {
  return conflicts.map(({ owner, path }) => ({
    reason: 'FieldManagerConflict',
    message: `conflict with ${formatManager(owner)}`,
    field: formatPath(path),
  }));
}

/** The server's text: one line for one conflict, else grouped by manager. */
export function formatConflicts(conflicts: readonly Conflict[]): string {
  const [first] = conflicts;
  if (conflicts.length === 1 && first !== undefined)
    return `Apply failed with 1 conflict: conflict with ${formatManager(first.owner)}: ${formatPath(first.path)}`;
  const byManager = new Map<string, Conflict[]>();
  for (const conflict of conflicts) {
    const group = byManager.get(conflict.managerId);
    if (group === undefined) byManager.set(conflict.managerId, [conflict]);
    else group.push(conflict);
  }
  const lines: string[] = [];
  for (const id of [...byManager.keys()].sort(compareText)) {
    const group = byManager.get(id)!;
    lines.push(`conflicts with ${formatManager(group[0]!.owner)}:`);
    lines.push(...group.map(({ path }) => `- ${formatPath(path)}`));
  }
  return `Apply failed with ${conflicts.length} conflicts: ${lines.join('\n')}`;
}

function formatManager(owner: ManagerFields): string {
  let text = goQuote(owner.manager);
  if (owner.subresource !== '') text += ` with subresource ${goQuote(owner.subresource)}`;
  return owner.operation === 'Update' ? `${text} using ${owner.apiVersion}` : text;
}
