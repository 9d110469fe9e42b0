import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Json, KubeObject } from '@capstan/kube-object';
import { createCelCompiler } from '@capstan/lib-expressions';
import { assessHealth } from './assess-health.ts';
import { celRule, luaRule } from './script-rules.ts';

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

test('an expression without a kind judges every kind of its group', () => {
  const rule = celRule(
    { apiVersion: 'example.com/v1', current: 'true' },
    { compile: createCelCompiler() },
  );
  assert.equal(rule.kind, '*');
});

test('health expressions judge in the order of Flux: generation, inProgress, failed, current', () => {
  const rule = celRule(
    {
      apiVersion: 'example.io/v1',
      kind: 'Widget',
      inProgress: 'has(status.busy) && status.busy',
      failed:
        "has(status.conditions) && status.conditions.exists(c, c.type == 'Failed' && c.status == 'True')",
      current: 'status.ready',
    },
    { compile: createCelCompiler() },
  );
  const judge = (fields: { readonly [name: string]: Json }) =>
    tell(assessHealth(widget(fields), { base: 'condition', custom: [rule] }, { nowMs: 0 }));
  assert.equal(judge({ status: { ready: true } }), 'Healthy');
  assert.equal(judge({ status: { ready: false } }), 'Progressing');
  assert.equal(judge({ status: { ready: true, observedGeneration: 1 } }), 'Progressing');
  assert.equal(judge({ status: { ready: true, busy: true } }), 'Progressing');
  assert.equal(judge({ status: { conditions: [{ type: 'Failed', status: 'True' }] } }), 'Degraded');
  assert.equal(
    judge({ status: {} }),
    "Progressing: failed to evaluate the CEL expression 'status.ready': no such key: ready",
  );
});
