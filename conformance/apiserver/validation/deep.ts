// Objects of every built-in kind, changed at one place each, sent to both servers as a dry run: create, and update of a valid object.
//   node conformance/apiserver/validation/deep.ts [SERVER TOKEN CAFILE] [--only NAME] [--updates] [--record FILE | --replay FILE]
// Prints the differences in status, reason, message and causes, and how many answers were the same. `--record` keeps what the
// real server said, `--replay` compares with that, without a real server.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { type Answer, differences, runScript, type Send } from '@capstan/kube-apiserver/testing';
import { startCluster } from '../../cluster/cluster.ts';
import { sendToOurs, sendToReal } from '../servers.ts';
import { RICH } from './rich-samples.ts';
import { validationScript, verdict } from './script.ts';

const args = process.argv.slice(2);
const option = (name: string): string | undefined =>
  args.includes(name) ? args[args.indexOf(name) + 1] : undefined;
const only = option('--only');
const updates = args.includes('--updates');
const recording = option('--record');
const replayed = option('--replay');

const alive = setInterval(() => undefined, 60_000);
const given = args[0]?.startsWith('http') === true;
const cluster =
  given || replayed !== undefined ? undefined : await startCluster({ args: ['-with', ''] });
const known = new Map<string, Answer[]>(
  Object.entries(
    JSON.parse(
      existsSync(replayed ?? recording ?? '')
        ? readFileSync(replayed ?? recording ?? '', 'utf8')
        : '{}',
    ) as Record<string, Answer[]>,
  ),
);
const toReal =
  replayed === undefined
    ? sendToReal(cluster ?? { server: args[0] ?? '', token: args[1] ?? '', caFile: args[2] ?? '' })
    : undefined;
/** Some of these make the real server's handler panic, which ends the connection: nothing to compare with. */
const real: Send = async (request) =>
  (await toReal?.(request).catch(() => undefined)) ?? { status: 0, headers: {}, text: '' };
let same = 0;
let different = 0;
try {
  for (const [name, sample] of Object.entries(RICH)) {
    if (only !== undefined && only !== name) continue;
    const script = validationScript(name, sample, { update: updates });
    const expected =
      replayed === undefined
        ? await runScript(script, real, { settles: false })
        : (known.get(script.name) ?? []);
    if (recording !== undefined) {
      known.set(
        script.name,
        expected.map((answer) => (answer.status < 300 ? { ...answer, body: null } : answer)),
      );
      continue;
    }
    const actual = await runScript(script, await sendToOurs(), { settles: false });
    let wrong = 0;
    let compared = 0;
    for (const [i, step] of script.steps.entries()) {
      if (step.headers === undefined || (expected[i]?.status ?? 0) === 0) continue;
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
if (recording !== undefined) writeFileSync(recording, JSON.stringify(Object.fromEntries(known)));
else console.log(`${same} same, ${different} different`);
