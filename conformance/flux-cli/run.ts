// The official flux command against `capstan serve`: all steps on the sandbox, those of `REAL` on a real control plane.
// `node conformance/flux-cli/run.ts [sandbox|real|real-all] [FLUX]`; FLUX is the path of another build of it.
import { whyNoCluster } from '../cluster/cluster.ts';
import { officialProgram, whyNotOfficial } from '../tools/official.ts';
import { closingLine } from '../tools/run-suite.ts';
import { prepare, type Step } from './commands.ts';
import { createFluxWorld, type FluxWorld, type Ran, type Server, versionOf } from './world.ts';

const COMES_MS = 15_000;

const VERSION = '2.9.5';
/** What a real API server may answer otherwise than ours: creation, waits, watches, deletion. */
const REAL =
  /^(create (source|kustom|helmrel)|(push|tag) |reconcile|suspend|resume|tree|trace|diff kustom|delete|get all)(?!.*alert)/;

const [only, path] = process.argv.slice(2);
const counts = { passed: 0, failed: 0, skipped: 0 };
const why = path === undefined && whyNotOfficial('flux', VERSION);
if (typeof why === 'string') {
  console.log(why);
  counts.skipped++;
} else await runAll(path ?? officialProgram('flux', VERSION));
console.log(closingLine(counts));
process.exitCode = counts.failed > 0 ? 1 : 0;

async function runAll(flux: string): Promise<void> {
  const version = versionOf(flux);
  if (version === undefined) throw new Error(`${flux} is no flux command: name its path`);
  if (only === undefined || only === 'sandbox') await runOn('sandbox', { flux, version });
  if (only === 'sandbox') return;
  const noCluster = whyNoCluster();
  if (typeof noCluster !== 'string') await runOn('real', { flux, version });
  else {
    console.log(noCluster);
    counts.skipped++;
  }
}

async function runOn(
  server: Server,
  { flux, version }: { readonly flux: string; readonly version: string },
): Promise<void> {
  console.log(`${version} on ${server}`);
  await using world = await createFluxWorld(flux, server);
  await world.client.apply(
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'flux-system' } },
    { fieldManager: 'kubectl' },
  );
  for (const step of await prepare(world)) {
    const isLeftOut = server === 'real' && only !== 'real-all' && !REAL.test(step.args.join(' '));
    if (isLeftOut && step.first === undefined) continue;
    await step.first?.();
    const { ran, problems } = await perform(world, step);
    if (problems.length === 0) counts.passed++;
    else counts.failed++;
    const took = `${(ran.tookMs / 1000).toFixed(1)} s`;
    console.log(`${problems.length === 0 ? '✔' : '✖'} flux ${step.args.join(' ')} (${took})`);
    if (problems.length > 0) console.log(`  ${problems.join('\n  ')}\n${ran.output}`);
  }
}

async function perform(
  world: FluxWorld,
  step: Step,
): Promise<{ readonly ran: Ran; readonly problems: readonly string[] }> {
  const endMs = Date.now() + COMES_MS;
  for (;;) {
    const ran = await world.flux(step.args, step.input);
    const problems = judge(step, ran);
    if (problems.length === 0 || step.comes !== true || Date.now() > endMs) {
      return { ran, problems };
    }
  }
}

function judge({ code = 0, says = [] }: Step, ran: Ran): readonly string[] {
  return [
    ...(ran.code === code ? [] : [`ended with ${ran.code}, not ${code}`]),
    ...says.filter((one) => !one.test(ran.output)).map((one) => `does not say ${one}`),
  ];
}
