// For work on the server: runs the scripts against both servers and prints the differences.
//   node conformance/apiserver/compare.ts SERVER TOKEN CAFILE [script name]

import { differences, runScript } from '@capstan/kube-apiserver/testing';
import { allScripts } from './scripts/all.ts';
import { sendToOurs, sendToReal } from './servers.ts';

const [server = '', token = '', caFile = '', pattern = ''] = process.argv.slice(2);
const real = sendToReal({ server, token, caFile });
// The server's own timers do not keep a process alive.
const alive = setInterval(() => undefined, 60_000);
let same = 0;
let different = 0;
for (const script of allScripts().filter(({ name }) => name.includes(pattern))) {
  const ours = await sendToOurs();
  const [expected, actual] = [
    await runScript(script, real, { settles: true }),
    await runScript(script, ours, { settles: false }),
  ];
  for (const [i, step] of script.steps.entries()) {
    const found = differences(expected[i], actual[i]);
    if (found.length === 0) {
      same++;
      continue;
    }
    different++;
    console.log(
      `${script.name} #${i} ${step.method} ${step.path.slice(0, 120)} ${step.type ?? ''}`,
    );
    for (const line of found.slice(0, 8)) console.log(`   ${line}`);
  }
}
clearInterval(alive);
console.log(`${same} same, ${different} different`);
