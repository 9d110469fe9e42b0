import { createJqCompiler, type JqQuery, type JqValue } from '@capstan/lib-expressions';
import { CLUSTER_RULES, CLUSTER_WORDS } from './popular/cluster-rules.ts';
import { DELIVERY_RULES, DELIVERY_WORDS } from './popular/delivery-rules.ts';
import { PLATFORM_RULES, PLATFORM_WORDS } from './popular/platform-rules.ts';
import { SERVICE_RULES, SERVICE_WORDS } from './popular/service-rules.ts';
import { VOCABULARY } from './popular/vocabulary.ts';
import type { HealthStatus, ScriptRule, Verdict } from './types.ts';

/**
 * Rules for kinds that other operators bring, to be put after what users say themselves. Verdicts and words are those of
 * Argo CD (documentation: "Resource Health", the custom checks that come with it). A rule is read when it is first needed.
 * Kinds with a rule of their own come before patterns.
 */
export function popularRules(): readonly ScriptRule[] {
  const compile = createJqCompiler();
  const rules: ScriptRule[] = [];
  for (const [table, words] of [
    [CLUSTER_RULES, CLUSTER_WORDS],
    [DELIVERY_RULES, DELIVERY_WORDS],
    [PLATFORM_RULES, PLATFORM_WORDS],
    [SERVICE_RULES, SERVICE_WORDS],
  ] as const) {
    for (const [kinds, query] of Object.entries(table)) {
      const judge = queryJudge(() => compile(`${VOCABULARY}${words}first(${query})`), kinds);
      const slash = kinds.indexOf('/');
      const group = kinds.slice(0, slash);
      for (const kind of kinds.slice(slash + 1).split(',')) rules.push({ group, kind, judge });
    }
  }
  return rules.sort((a, b) => Number(isPattern(a)) - Number(isPattern(b)));
}

function isPattern({ group, kind }: ScriptRule): boolean {
  return group.includes('*') || kind.includes('*');
}

function queryJudge(
  compile: () => JqQuery | { readonly error: string },
  name: string,
): ScriptRule['judge'] {
  let query: JqQuery | undefined;
  return (object) => {
    if (query === undefined) {
      const compiled = compile();
      if ('error' in compiled) throw new Error(`the rule of ${name}: ${compiled.error}`);
      query = compiled;
    }
    const outcome = query.run(object as JqValue);
    if (outcome.kind === 'error') return { status: 'Unknown', message: outcome.message };
    return toVerdict(outcome.values[0]);
  };
}

function toVerdict(verdict: JqValue | undefined): Verdict | undefined {
  if (typeof verdict !== 'object' || verdict === null || !('status' in verdict)) return undefined;
  const { status, message, deletionMessage } = verdict;
  if (typeof status !== 'string' || status === '') return undefined;
  return {
    status: status as HealthStatus,
    ...(typeof message === 'string' && message !== '' ? { message } : {}),
    ...(typeof deletionMessage === 'string' ? { deletionMessage } : {}),
  };
}
