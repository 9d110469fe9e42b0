// Objects of every built-in kind, changed at one place each, sent to both servers as a dry run: create, and update of a valid object.
//   node conformance/apiserver/validation/deep.ts [SERVER TOKEN CAFILE] [--only NAME] [--updates]
// Prints the differences in status, reason, message and causes, and how many answers were the same.
import {
  type Answer,
  differences,
  runScript,
  type Script,
  type Send,
} from '@capstan/kube-apiserver/testing';
import { startCluster } from '../../cluster/cluster.ts';
import { prepare } from '../scripts/kinds.ts';
import { sendToOurs, sendToReal } from '../servers.ts';
import { mutationsOf } from './mutations.ts';
import { RICH, type RichSample } from './rich-samples.ts';

const args = process.argv.slice(2);
const option = (name: string): string | undefined =>
  args.includes(name) ? args[args.indexOf(name) + 1] : undefined;
const only = option('--only');
const updates = args.includes('--updates');

/** Only what tells valid from invalid; the objects themselves are compared by the other scripts. */
function verdict(answer: Answer | undefined): unknown {
  const { code, reason, message, details } = (answer?.body ?? {}) as Record<string, unknown>;
  if (answer !== undefined && answer.status < 300) return { status: answer.status };
  return {
    status: answer?.status,
    code,
    reason,
    message: sortErrors(message),
    details: withoutDiff(details),
  };
}

/** Some messages end with what differs between two Go structs, shown in another way each time. */
function withoutDiff(value: unknown): unknown {
  if (typeof value === 'string') return value.split('\n')[0];
  if (Array.isArray(value)) return value.map(withoutDiff);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, withoutDiff(item)]));
}

/**
 * Which of several errors comes first is not part of the contract (their causes are compared one by one), nor how Go shows
 * what differs between two structs.
 */
function sortErrors(message: unknown): unknown {
  if (typeof message !== 'string') return message;
  const several = message.indexOf(': [');
  return several >= 0 ? message.slice(0, several) : message.split('\n')[0];
}

export function validationScript(name: string, sample: RichSample, update: boolean): Script {
  const namespace = `v-${name}${update ? '-u' : ''}`;
  const path = sample.path.replace('NS', namespace);
  const object = JSON.parse(
    JSON.stringify(sample.object)
      .replaceAll('"NS"', JSON.stringify(namespace))
      .replace('"name":"sample"', '"name":"rich"'),
  ) as Record<string, unknown>;
  return {
    name: `${name}${update ? ' (update)' : ''}`,
    steps: [
      ...prepare(namespace),
      {
        method: 'POST',
        path: update ? path : `${path}?dryRun=All`,
        body: object,
        headers: { 'x-title': 'unchanged' },
      },
      ...mutationsOf(object).map(({ title, object: mutated, patch }) => ({
        method: update ? 'PATCH' : 'POST',
        path: update ? `${path}/rich?dryRun=All` : `${path}?dryRun=All`,
        body: update ? patch : mutated,
        ...(update ? { type: 'application/json-patch+json' } : {}),
        headers: { 'x-title': title.replace(/[^\x20-\x7e]/g, '') },
      })),
      ...(update ? [{ method: 'DELETE', path: `${path}/rich` }] : []),
    ],
  };
}

const alive = setInterval(() => undefined, 60_000);
const given = args[0]?.startsWith('http') === true;
const cluster = given ? undefined : await startCluster({ args: ['-with', ''] });
const toReal = sendToReal(
  cluster ?? { server: args[0] ?? '', token: args[1] ?? '', caFile: args[2] ?? '' },
);
/** Some of these make the real server's handler panic, which ends the connection: nothing to compare with. */
const real: Send = (request) => toReal(request).catch(() => ({ status: 0, headers: {}, text: '' }));
let same = 0;
let different = 0;
try {
  for (const [name, sample] of Object.entries(RICH)) {
    if (only !== undefined && only !== name) continue;
    const script = validationScript(name, sample, updates);
    const expected = await runScript(script, real, { settles: false });
    const actual = await runScript(script, await sendToOurs(), { settles: false });
    let wrong = 0;
    let compared = 0;
    for (const [i, step] of script.steps.entries()) {
      if (step.headers === undefined || expected[i]?.status === 0) continue;
      compared++;
      const found = differences(verdict(expected[i]), verdict(actual[i]));
      if (found.length === 0) continue;
      wrong++;
      console.log(`${script.name}: ${step.headers['x-title']}`);
      for (const line of found.slice(0, 6)) console.log(`   ${line}`);
    }
    same += compared - wrong;
    different += wrong;
    console.log(`== ${script.name}: ${compared - wrong} same, ${wrong} different`);
  }
} finally {
  clearInterval(alive);
  await cluster?.stop();
}
console.log(`${same} same, ${different} different`);
