import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Json, KubeObject } from '@capstan/kube-object';
import { assessHealth } from './assess-health.ts';
import { luaRule } from './script-rules.ts';

function widget(fields: { readonly [name: string]: Json } = {}): KubeObject {
  return {
    apiVersion: 'example.io/v1',
    kind: 'Widget',
    metadata: { name: 'w', generation: 2 },
    ...fields,
  };
}

function byLua(script: string, object = widget()): string {
  const rule = luaRule(
    { group: 'example.io', kind: '*', script, openLibraries: false },
    { now: () => 0 },
  );
  return tell(assessHealth(object, { base: 'workload', custom: [rule] }, { nowMs: 0 }));
}

function tell(health: ReturnType<typeof assessHealth>): string {
  return [health?.status ?? 'none', health?.message]
    .filter((part) => part !== undefined)
    .join(': ');
}

test("an administrator's script judges, and what goes wrong in it is Unknown", () => {
  const script = `
    hs = {}
    if obj.status ~= nil and obj.status.ready then
      hs.status = "Healthy"
    else
      hs.status = "Progressing"
      hs.message = "waiting for " .. obj.metadata.name
    end
    return hs`;
  assert.equal(byLua(script), 'Progressing: waiting for w');
  assert.equal(byLua(script, widget({ status: { ready: true } })), 'Healthy');
  assert.equal(byLua('return 1'), 'Unknown: expect table output from Lua script, not number');
  assert.equal(byLua('return {status = "Fine"}'), 'Unknown: Lua returned an invalid health status');
  assert.equal(byLua('return {}'), 'none');
  assert.equal(byLua('return nil'), 'none');
  assert.match(byLua('while true do end'), /^Unknown: the script takes more than/);
  assert.match(byLua('return obj.spec.x'), /^Unknown: <string>:1: attempt to index/);
  assert.match(byLua('return ('), /^Unknown: <string>/);
});
