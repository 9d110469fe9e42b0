// Records the real server's answers, which the unit tests of kube/apiserver replay without it.
//   node conformance/apiserver/record.ts [script name]
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { runScript } from '@capstan/kube-apiserver/testing';
import { startCluster } from '../cluster/cluster.ts';
import { allScripts } from './scripts/all.ts';
import { sendToReal } from './servers.ts';

const OUT = new URL('../../kube/apiserver/testdata/recorded/', import.meta.url);

const [pattern = ''] = process.argv.slice(2);
/** Compared on both servers only: they need simulated life, or are many of a kind. */
const NOT_KEPT = /^live-|^admission-expression-/;

const cluster = await startCluster({ args: ['-with', ''] });
try {
  if (pattern === '') rmSync(OUT, { recursive: true, force: true });
  mkdirSync(OUT, { recursive: true });
  const send = sendToReal(cluster);
  for (const script of allScripts().filter(({ name }) => name.includes(pattern))) {
    if (NOT_KEPT.test(script.name)) continue;
    const answers = await runScript(script, send, { settles: true });
    writeFileSync(new URL(`${script.name}.json`, OUT), `${JSON.stringify({ script, answers })}\n`);
  }
} finally {
  await cluster.stop();
}
