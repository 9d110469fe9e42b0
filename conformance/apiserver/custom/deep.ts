// Objects of CustomResourceDefinitions, made from their schemas, on both servers.
//   node conformance/apiserver/custom/deep.ts [SERVER TOKEN CAFILE] [--definitions FILE] [--from N] [--take N] [--objects N]
// FILE holds definitions as JSON, one a line; without it those of `own.ts` are taken. Prints the differences of whole answers, and
// how many were the same.
import { readFileSync } from 'node:fs';
import { startCluster } from '../../cluster/cluster.ts';
import { sendToReal } from '../servers.ts';
import { compareBatch } from './batch.ts';
import { OWN } from './own.ts';
import type { Definition } from './script.ts';

const args = process.argv.slice(2);
const option = (name: string): string | undefined =>
  args.includes(name) ? args[args.indexOf(name) + 1] : undefined;
const file = option('--definitions');
const all =
  file === undefined
    ? OWN
    : readFileSync(file, 'utf8')
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as Definition);
const from = Number(option('--from') ?? 0);
const definitions = all.slice(from, from + Number(option('--take') ?? all.length));
const BATCH = 20;

const alive = setInterval(() => undefined, 60_000);
const given = args[0]?.startsWith('http') === true;
const cluster = given ? undefined : await startCluster({ args: ['-with', ''] });
const real = sendToReal(
  cluster ?? { server: args[0] ?? '', token: args[1] ?? '', caFile: args[2] ?? '' },
);
let [kinds, same, different] = [0, 0, 0];
try {
  for (let i = 0; i < definitions.length; i += BATCH) {
    const batch = definitions.slice(i, i + BATCH);
    const found = await compareBatch(batch, real, Number(option('--objects') ?? 12));
    for (const [title, lines] of found.different) {
      console.log(title);
      for (const line of lines.slice(0, 5)) console.log(`   ${line}`);
    }
    kinds += found.kinds;
    same += found.same;
    different += found.different.length;
  }
} finally {
  clearInterval(alive);
  await cluster?.stop();
}
console.log(`${kinds} kinds, ${same} same, ${different} different`);
