// The released flux command against `capstan serve`, on the sandbox and on a real control plane;
// not part of .ci/run, which has no such program.
// `node conformance/flux-cli/against.ts FLUX [sandbox|real]`, where FLUX is the path of the program.
import { closingLine } from '../tools/run-suite.ts';
import { prepare, type Step } from './commands.ts';
import { createFluxWorld, type FluxWorld, type Ran, type Server, versionOf } from './world.ts';

const COMES_MS = 15_000;

const [flux = 'flux', only] = process.argv.slice(2);
const counts = { passed: 0, failed: 0 };
const version = versionOf(flux);
if (version === undefined) throw new Error(`${flux} is no flux command: name its path`);
for (const server of ['sandbox', 'real'] as const) {
  if (only === undefined || only === server) await runOn(server);
}
console.log(closingLine(counts));
process.exitCode = counts.failed > 0 ? 1 : 0;

async function runOn(server: Server): Promise<void> {
  console.log(`${version} on ${server}`);
  await using world = await createFluxWorld(flux, server);
  await world.client.apply(
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'flux-system' } },
    { fieldManager: 'kubectl' },
  );
  for (const step of await prepare(world)) {
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
