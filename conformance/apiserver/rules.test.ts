import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { type Answer, differences, runScript, type Script } from '@capstan/kube-apiserver/testing';
import { type Cluster, startCluster, whyNoCluster } from '../cluster/cluster.ts';
import { RULE_GROUPS } from './rules/cases.ts';
import { ratchetScript } from './rules/ratchet.ts';
import {
  acceptedOf,
  casesOf,
  definitionScript,
  type Field,
  fieldsOf,
  rulesScript,
  ruleVerdict,
} from './rules/script.ts';
import { sendToOurs, sendToReal } from './servers.ts';

/** Of the cases of `rules/deep.ts`, some 4,500, this share, chosen by a fixed seed. */
const SHARE = 0.08;
/** Judged by themselves: together their rules cost more than a definition may. */
const COSTLY = /^(cost|budget)/;

describe('both servers judge objects by rules alike', { skip: whyNoCluster() }, () => {
  let cluster: Cluster;
  // The server's own timers do not keep the process alive.
  const alive = setInterval(() => undefined, 60_000);
  before(async () => {
    cluster = await startCluster({ args: ['-with', ''] });
  });
  after(async () => {
    clearInterval(alive);
    await cluster.stop();
  });

  const compare = async (script: Script): Promise<readonly Answer[]> => {
    const expected = await runScript(script, sendToReal(cluster), { settles: true });
    const actual = await runScript(script, await sendToOurs(), { settles: false });
    const found = script.steps.flatMap(({ headers }, i) =>
      headers === undefined
        ? []
        : differences(ruleVerdict(expected[i]), ruleVerdict(actual[i])).map(
            (line) => `${headers['x-title']}: ${line}`,
          ),
    );
    assert.deepEqual(found, []);
    return expected;
  };
  const compareRules = async (name: string, given: readonly Field[]): Promise<void> => {
    let fields = given;
    for (let isAccepted = false; !isAccepted; ) {
      const [answer] = await compare(definitionScript(name, fields));
      isAccepted = answer?.status === 201;
      const accepted = acceptedOf(fields, answer);
      assert.ok(isAccepted || accepted.length < fields.length, `${name} is refused as a whole`);
      fields = accepted;
    }
    await compare(rulesScript(name, fields, sampled(casesOf(fields))));
  };

  const groups = RULE_GROUPS.filter(({ name }) => !COSTLY.test(name));
  test('rules of every kind of value', () => compareRules('all', groups.flatMap(fieldsOf)));
  for (const group of RULE_GROUPS.filter(({ name }) => COSTLY.test(name))) {
    test(`rules that cost much: ${group.name}`, () => compareRules(group.name, fieldsOf(group)));
  }
  test('a definition becomes stricter', async () => {
    await compare(ratchetScript());
  });
});

function sampled<T>(cases: readonly T[]): readonly T[] {
  let state = 20_261_130;
  return cases.filter(() => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff;
    return state / 0x80000000 < SHARE || cases.length < 50;
  });
}
