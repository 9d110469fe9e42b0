// Rules of CustomResourceDefinitions, each tried with many values, on both servers.
//   node conformance/apiserver/rules/deep.ts [SERVER TOKEN CAFILE] [--only GROUP]
// Prints the differences in status, reason, message and causes, and how many answers were the same.
import { type Answer, differences, runScript, type Script } from '@capstan/kube-apiserver/testing';
import { startCluster } from '../../cluster/cluster.ts';
import { sendToOurs, sendToReal } from '../servers.ts';
import { RULE_GROUPS } from './cases.ts';
import { ratchetScript } from './ratchet.ts';
import {
  acceptedOf,
  casesOf,
  definitionScript,
  type Field,
  fieldsOf,
  rulesScript,
  ruleVerdict,
} from './script.ts';

const args = process.argv.slice(2);
const only = args.includes('--only') ? args[args.indexOf('--only') + 1] : undefined;
const alive = setInterval(() => undefined, 60_000);
const given = args[0]?.startsWith('http') === true;
const cluster = given ? undefined : await startCluster({ args: ['-with', ''] });
const real = sendToReal(
  cluster ?? { server: args[0] ?? '', token: args[1] ?? '', caFile: args[2] ?? '' },
);
let same = 0;
let different = 0;
try {
  for (const group of RULE_GROUPS) {
    if (only !== undefined && only !== group.name) continue;
    await compare(group.name, fieldsOf(group));
  }
  if (only === undefined || only === 'ratchet') await both(ratchetScript());
} finally {
  clearInterval(alive);
  await cluster?.stop();
}
console.log(`${same} same, ${different} different`);

async function compare(name: string, given: readonly Field[]): Promise<void> {
  let fields = given;
  for (let isAccepted = false; !isAccepted && fields.length > 0; ) {
    const [answer] = await both(definitionScript(name, fields));
    isAccepted = answer?.status === 201;
    const accepted = acceptedOf(fields, answer);
    if (!isAccepted && accepted.length === fields.length) {
      console.log(`${name} costs too much as a whole`);
      return;
    }
    fields = accepted;
  }
  await both(rulesScript(name, fields, casesOf(fields)));
  console.log(`== ${name}: ${fields.length} of ${given.length} rules are accepted`);
}

async function both(script: Script): Promise<readonly Answer[]> {
  const expected = await runScript(script, real, { settles: true });
  const actual = await runScript(script, await sendToOurs(), { settles: false });
  for (const [i, step] of script.steps.entries()) {
    if (step.headers === undefined) continue;
    const found = differences(ruleVerdict(expected[i]), ruleVerdict(actual[i]));
    if (found.length === 0) {
      same++;
      continue;
    }
    different++;
    console.log(step.headers['x-title']);
    for (const line of found.slice(0, 4)) console.log(`   ${line}`);
  }
  return expected;
}
