import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JsonObject } from '@capstan/kube-object';
import { PROBE_API_VERSION, parseProbe } from './probe-spec.ts';
import { nextVerdict, UNPROBED, type Verdict } from './verdict.ts';

/** `+` is a success, `-` a failure; answers the first letter of the verdict after each. */
function verdicts(outcomes: string, failureThreshold: number, successThreshold: number): string {
  let verdict: Verdict = UNPROBED;
  let told = '';
  for (const [index, sign] of [...outcomes].entries()) {
    const outcome = { ok: sign === '+', message: `${sign}${index}` };
    verdict = nextVerdict(verdict, outcome, { failureThreshold, successThreshold });
    told += verdict.health.status[0];
  }
  return told;
}

test('a verdict turns after as many outcomes in a row as the thresholds say', () => {
  assert.equal(verdicts('+-+', 1, 1), 'HDH');
  assert.equal(verdicts('--+--+---', 3, 1), 'PPHHHHHHD');
  assert.equal(verdicts('---+-++', 3, 2), 'PPDDDDH');
  assert.equal(verdicts('-+-+', 3, 2), 'PPPP');
});

test('what is Healthy keeps its words, what is Degraded says the latest failure', () => {
  const thresholds = { failureThreshold: 1, successThreshold: 1 };
  const first = nextVerdict(UNPROBED, { ok: true, message: 'answered 200' }, thresholds);
  const second = nextVerdict(first, { ok: true, message: 'answered 204' }, thresholds);
  assert.equal(second.health.message, 'answered 200');
  const third = nextVerdict(second, { ok: false, message: 'answered 503' }, thresholds);
  const fourth = nextVerdict(third, { ok: false, message: 'ECONNREFUSED' }, thresholds);
  assert.deepEqual(fourth.health, { status: 'Degraded', message: 'ECONNREFUSED' });
});

const parse = (spec: JsonObject) =>
  parseProbe({ apiVersion: PROBE_API_VERSION, kind: 'HealthProbe', metadata: { name: 'x' }, spec });

test('a spec is read with defaults', () => {
  assert.deepEqual(parse({ grpc: { host: 'api', port: 9090 } }), {
    target: { kind: 'grpc', host: 'api', port: 9090, service: '', tls: false },
    intervalMs: 10_000,
    timeoutMs: 5_000,
    failureThreshold: 3,
    successThreshold: 1,
  });
  assert.deepEqual(parse({ dns: { name: 'a.example' }, intervalSeconds: 1, timeoutSeconds: 2 }), {
    target: { kind: 'dns', name: 'a.example', type: 'A' },
    intervalMs: 1_000,
    timeoutMs: 2_000,
    failureThreshold: 3,
    successThreshold: 1,
  });
});

test('a spec that cannot be asked says what is wrong', () => {
  const rows: readonly (readonly [JsonObject, RegExp])[] = [
    [{}, /exactly one of http, tcp, grpc, dns/],
    [{ tcp: { host: 'a', port: 1 }, dns: { name: 'a' } }, /exactly one/],
    [{ http: { url: 'file:///etc/passwd' } }, /http\.url/],
    [{ http: { url: 'http://u:p@a/' } }, /credentials/],
    [{ http: { url: 'http://a/', method: 'POST' } }, /only GET and HEAD/],
    [{ tcp: { host: 'a' } }, /tcp\.port/],
    [{ grpc: { port: 1 } }, /grpc\.host/],
    [{ dns: { name: 'a', type: 'ANY' } }, /dns\.type/],
    [{ sql: { engine: 'sqlite', host: 'a' } }, /sql\.engine: one of postgres, mysql/],
    [{ sql: { engine: 'mysql', host: 'a' } }, /sql\.secretRef\.name/],
  ];
  for (const [spec, expected] of rows) {
    const read = parse(spec);
    assert.match('error' in read ? read.error : 'no error', expected);
  }
});

test('a database is asked at the port of its engine, with the login of a Secret', () => {
  const spec = { engine: 'postgres', host: 'db.prod.svc', secretRef: { name: 'login' } };
  const read = parse({ sql: spec });
  assert.deepEqual('target' in read && read.target, {
    kind: 'sql',
    engine: 'postgres',
    host: 'db.prod.svc',
    port: 5432,
    database: '',
    tls: false,
    secretName: 'login',
  });
});
