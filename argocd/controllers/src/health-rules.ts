import { type HealthRule, luaRule, popularRules } from '@capstan/engine-health';
import type { Customization } from './resource-customizations.ts';

/**
 * The scripts of argocd-cm, those for exactly one kind before those for several, then the rules that come with us
 * (documentation: "Custom Health Checks").
 */
export function toHealthRules(customizations: readonly Customization[]): readonly HealthRule[] {
  const scripts = customizations.flatMap(({ group, kind, healthLua, useOpenLibs }) => {
    if (healthLua === undefined || healthLua === '') return [];
    const rule = luaRule(
      { group, kind, script: healthLua, openLibraries: useOpenLibs },
      { now: () => Date.now() },
    );
    return [{ rule, isPattern: /[*?[]/.test(`${group}/${kind}`) }];
  });
  scripts.sort((a, b) => Number(a.isPattern) - Number(b.isPattern));
  return [...scripts.map(({ rule }) => rule), ...popularRules()];
}
