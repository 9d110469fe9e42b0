/**
 * Warm renders side by side with Go's text/template and Sprig: the same templates, parsed once in one process each, in turns
 * within one run. Prints microseconds per render, the median of the rounds, and the ratio (below 1: we are faster).
 */
import { performance } from 'node:perf_hooks';
import { TemplateSet } from '@capstan/lib-gotemplate';
import { revive } from '../../conformance/gotemplate/data.ts';
import { askOracle, oracleProgram } from '../../conformance/gotemplate/oracle.ts';
import { languages } from '../../conformance/gotemplate/ours.ts';
import { type Workload, workloads } from './templates.ts';

const ROUNDS = 5;
const MILLIS = 400;

function median(numbers: readonly number[]): number {
  return numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? 0;
}

/** A renderer that is set up once, as the oracle's is. */
function renderer(workload: Workload): () => string {
  const set = new TemplateSet(languages().sprig);
  for (const [name, text] of Object.entries(workload.templates)) set.parse(name, text);
  set.parse('t', workload.template);
  const data = revive(workload.data);
  return () => set.execute('t', data);
}

function measure(render: () => string): number {
  const warmUntil = performance.now() + MILLIS / 4;
  while (performance.now() < warmUntil) render();
  const start = performance.now();
  let count = 0;
  while (performance.now() < start + MILLIS) {
    render();
    count++;
  }
  return ((performance.now() - start) / count) * 1000;
}

const program = oracleProgram();
if (program === undefined) throw new Error('the benchmark needs Go for the other side');
const ratios: number[] = [];
for (const workload of workloads()) {
  const render = renderer(workload);
  const ours: number[] = [];
  const theirs: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    ours.push(measure(render));
    const { name: _name, ...question } = workload;
    const [answer] = await askOracle(program, [{ ...question, op: 'bench', millis: MILLIS }]);
    if (answer?.out !== render()) throw new Error(`${workload.name}: the outputs differ`);
    theirs.push((answer.nsPerOp ?? 0) / 1000);
  }
  const ratio = median(ours) / median(theirs);
  ratios.push(ratio);
  const row = [
    workload.name.padEnd(24),
    `ours ${median(ours).toFixed(1)} µs`,
    `Go ${median(theirs).toFixed(1)} µs`,
  ];
  console.log(`${row.join('  ')}  ratio ${ratio.toFixed(2)}`);
}
const mean = Math.exp(ratios.reduce((sum, ratio) => sum + Math.log(ratio), 0) / ratios.length);
console.log(`geometric mean of the ratios ${mean.toFixed(2)}`);
