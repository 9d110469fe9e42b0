import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { LuaJson } from './json.ts';
import { type LuaOptions, type LuaOutcome, parseLuaScript, runLua } from './run-lua.ts';

const NOW = Date.UTC(2026, 0, 2, 3, 4, 5);

function run(source: string, options: Partial<LuaOptions> = {}): LuaOutcome {
  const script = parseLuaScript(source);
  if ('error' in script) return { kind: 'error', message: script.error };
  return runLua(script, { globals: {}, openLibraries: true, nowMs: NOW, ...options });
}

function check(table: readonly (readonly [string, LuaJson])[], options?: Partial<LuaOptions>) {
  for (const [source, expected] of table) {
    const outcome = run(source, options);
    assert.deepEqual(outcome.kind === 'value' ? outcome.value : outcome, expected, source);
  }
}

test('numbers print as GopherLua prints them', () => {
  check([
    ['return 10 / 2', 5],
    ['return tostring(10 / 2)', '5'],
    ['return tostring(1e15)', '1000000000000000'],
    ['return 1234567.5 .. ""', '1.2345675e+06'],
    ['return 0.1 .. "|" .. -0.5', '0.1|-0.5'],
    ['return tostring(1/0) .. tostring(-1/0)', '+Inf-Inf'],
    ['return "10" + 5', 15],
    ['return "0x10" + 0', 16],
    ['return 7 % -3', -2],
    ['return 2 ^ 10', 1024],
    ['return tonumber("12"), 1', 12],
    ['return tonumber("1.5")', 1.5],
    ['return tonumber("0x1f")', 31],
    ['return tonumber("zz", 36)', 1295],
    ['return tostring(tonumber("x"))', 'nil'],
  ]);
});

test('statements: loops, goto, closures, varargs, methods, several values', () => {
  check([
    ['local n = 0; for i = 10, 1, -3 do n = n + i end; return n', 22],
    ['for i = 1, 3 do if i == 2 then goto next end; x = (x or 0) + i; ::next:: end; return x', 4],
    ['local i = 0; repeat local done = i >= 3; i = i + 1 until done; return i', 4],
    ['local f = {}; for i = 1, 3 do f[i] = function() return i end end; return f[1]() + f[3]()', 4],
    [
      'local function sum(...) local n = 0; for _, v in ipairs({...}) do n = n + v end return n end; return sum(1, 2, 3)',
      6,
    ],
    [
      'local t = {n = 1}; function t:add(k) self.n = self.n + k; return self end; return t:add(2):add(3).n',
      6,
    ],
    ['local a, b, c = (function() return 1, 2 end)(); return {a, b, tostring(c)}', [1, 2, 'nil']],
    ['local a, b = 1, 2; a, b = b, a; return {a, b}', [2, 1]],
    ['return select("#", nil, nil)', 2],
    ['return not nil == true and (nil or "x") or "y"', 'x'],
    ['return #"héllo"', 6],
    ['--[==[ long\n]] comment ]==] return [[a\nb]]', 'a\nb'],
  ]);
});

test('tables: lengths, holes, metatables, the order of pairs', () => {
  check([
    ['local t = {1, 2, nil, 4}; return #t', 4],
    ['local t = {}; t[1] = "a"; t[2] = "b"; t[2] = nil; return #t', 1],
    [
      'local k = {}; for key in pairs({b = 1, a = 2, 5}) do k[#k + 1] = tostring(key) end; return k',
      ['1', 'b', 'a'],
    ],
    [
      'local t = setmetatable({}, {__index = function(_, key) return key .. "!" end}); return t.x',
      'x!',
    ],
    ['return tostring(setmetatable({}, {__tostring = function() return "me" end}))', 'me'],
    ['local t = {3, 1, 2}; table.sort(t, function(a, b) return a > b end); return t', [3, 2, 1]],
    [
      'local t = {1, 2}; table.insert(t, 1, 0); table.insert(t, 3); table.remove(t, 2); return table.concat(t, ",")',
      '0,2,3',
    ],
    ['return table.getn({1, 2, 3})', 3],
    ['return {}', []],
    ['return {a = {}, b = {1}}', { a: [], b: [1] }],
  ]);
});

test('strings and patterns', () => {
  check([
    ['return {string.find("hello world", "o w")}', [5, 7]],
    ['return string.match("v1.22.3", "v(%d+)%.(%d+)")', '1'],
    ['return {("key = value"):match("^(%w+)%s*=%s*(%w+)$")}', ['key', 'value']],
    ['return {string.gsub("hello", "l+", "L")}', ['heLo', 1]],
    ['return (string.gsub("abc", "%w", "%0%0"))', 'aabbcc'],
    ['return (string.gsub("$name", "%$(%w+)", {name = "x"}))', 'x'],
    ['local n = 0; for word in string.gmatch("a bb ccc", "%a+") do n = n + #word end; return n', 6],
    [
      'return string.format("%s is %d of %5.2f|%-4s|%04d", "x", 3, 1.5, "ab", 42)',
      'x is 3 of  1.50|ab  |0042',
    ],
    ['return ("x"):rep(3) .. string.upper("abc"):lower():sub(-2)', 'xxxbc'],
    ['return {string.find("a.b", ".", 1, true)}', [2, 2]],
    ['return string.match("[[x]]", "%b[]")', '[[x]]'],
  ]);
});

test('os tells only the time that was given', () => {
  check([
    ['return os.time()', NOW / 1000],
    ['return os.date("!%Y-%m-%dT%H:%M:%SZ")', '2026-01-02T03:04:05Z'],
    ['return os.time({year = 2026, month = 1, day = 2, hour = 3, min = 4, sec = 5})', NOW / 1000],
    ['return tostring(io) .. tostring(os.execute) .. tostring(dofile)', 'nilnilnil'],
  ]);
});

test('without open libraries, strings have no methods and os is only required', () => {
  const closed = { openLibraries: false };
  check([['local os = require("os"); return os.date("%Y")', '2026']], closed);
  assert.deepEqual(run('\n\nos.getenv("HOME")', closed), {
    kind: 'error',
    message: "<string>:3: attempt to index a non-table object(nil) with key 'getenv'",
  });
  assert.equal(run('return ("x"):upper()', closed).kind, 'error');
});

test('errors say the line; pcall catches them', () => {
  check([
    ['local ok, why = pcall(error, "x", 0); return {ok, why}', [false, 'x']],
    ['local ok, why = pcall(function() error({code = 3}) end); return why.code', 3],
    [
      'local ok, why = pcall(function()\n local x = nil + 1 end); return why',
      '<string>:2: cannot perform add operation between nil and number',
    ],
  ]);
  assert.deepEqual(run('local x = {}\nreturn x.a.b'), {
    kind: 'error',
    message: "<string>:2: attempt to index a non-table object(nil) with key 'b'",
  });
  assert.deepEqual(run('return nil < 1'), {
    kind: 'error',
    message: '<string>:1: attempt to compare nil with number',
  });
  assert.match((run('if x then') as { message: string }).message, /EOF/);
  assert.match((run('local x = = 1') as { message: string }).message, /line:1.*near '='/);
});

test('every run ends: steps, memory, calls and patterns have limits that no script can catch', () => {
  const endless = [
    'while true do end',
    'while true do pcall(error) end',
    'pcall(function() while true do end end); return 1',
    'local s = "x"; while true do s = s .. s end',
    'local t = {}; for i = 1, 1e9 do t[i] = i end',
    'local t = {}; t[60000000] = 1',
    'return string.rep("x", 1e9)',
    'return string.find(string.rep("a", 3000), ".-.-.-.-b")',
    'local t = setmetatable({}, {}); getmetatable(t).__index = function(_, k) return t[k .. "x"] end; return t.a',
    'local function f() return f() end; return f()',
    `return ${'('.repeat(5000)}1${')'.repeat(5000)}`,
  ];
  for (const source of endless) assert.equal(run(source).kind, 'error', source);
});

test('the input cannot be changed, and each run has a world of its own', () => {
  const obj = { spec: { list: [1, 2] } };
  check([['obj.spec.list[1] = 5; leaked = 1; return obj.spec', { list: [5, 2] }]], {
    globals: { obj },
  });
  assert.deepEqual(obj, { spec: { list: [1, 2] } });
  check([['return tostring(leaked)', 'nil']], { globals: { obj } });
});
