import { parseLuaScript, runLua } from '@capstan/lib-expressions';
import type { HealthStatus, ScriptRule, Verdict } from './types.ts';

const STATUSES: readonly string[] = [
  'Healthy',
  'Suspended',
  'Progressing',
  'Missing',
  'Degraded',
  'Unknown',
];

/** A health script as administrators write it: reads `obj`, returns a table with status and message. */
export interface LuaHealth {
  /** Globs. */
  readonly group: string;
  readonly kind: string;
  readonly script: string;
  /** Whether the script may use the libraries of Lua (never files or programs). */
  readonly openLibraries: boolean;
}

/** A script's verdict; what fails or takes too long is Unknown, with its reason (Argo CD documentation: "Resource Health"). */
export function luaRule(
  { group, kind, script, openLibraries }: LuaHealth,
  { now }: { readonly now: () => number },
): ScriptRule {
  const parsed = parseLuaScript(script);
  return {
    group,
    kind,
    judge: (object) => {
      if ('error' in parsed) return { status: 'Unknown', message: parsed.error };
      const globals = { obj: object, actionParams: {} };
      const outcome = runLua(parsed, { globals, openLibraries, nowMs: now() });
      if (outcome.kind === 'error') return { status: 'Unknown', message: outcome.message };
      if (outcome.type === 'nil') return undefined;
      if (outcome.type !== 'table') {
        const message = `expect table output from Lua script, not ${outcome.type}`;
        return { status: 'Unknown', message };
      }
      return toVerdict(outcome.value);
    },
  };
}

function toVerdict(table: unknown): Verdict | undefined {
  // A table without entries says nothing.
  if (typeof table !== 'object' || table === null || Array.isArray(table)) return undefined;
  const { status, message, deletionMessage } = table as { readonly [field: string]: unknown };
  if (typeof status !== 'string' || !STATUSES.includes(status)) {
    return { status: 'Unknown', message: 'Lua returned an invalid health status' };
  }
  return {
    status: status as HealthStatus,
    ...(isText(message) ? { message } : {}),
    ...(isText(deletionMessage) ? { deletionMessage } : {}),
  };
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}
