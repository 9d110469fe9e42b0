import { spawnSync } from 'node:child_process';
import { ChartError, type PostRenderer } from '@capstan/kube-helm';
import type { ParsedFlags } from '../flags.ts';
import type { Io } from '../io.ts';

const OUTPUT_BYTES_MAX = 256 * 1024 * 1024;

/** The program of --post-renderer: manifests go in, what it prints takes their place. Helm 3 gives it no hooks. */
export function postRendererOf(
  flags: ParsedFlags,
  flavor: 3 | 4,
  io: Io,
): { readonly postRenderer?: PostRenderer } {
  const program = flags.text('post-renderer');
  if (program === undefined || program === '') return {};
  const run = (manifests: string): string => {
    const { status, stdout, stderr, error } = spawnSync(
      program,
      [...flags.texts('post-renderer-args')],
      { cwd: io.cwd, input: manifests, encoding: 'utf8', maxBuffer: OUTPUT_BYTES_MAX },
    );
    if (error !== undefined) throw failure(program, error.message);
    if (status !== 0) throw failure(program, `exit status ${status}\n${stderr}`);
    if (stdout === '') throw failure(program, 'the program printed nothing');
    return stdout;
  };
  return { postRenderer: { run, strategy: flavor === 3 ? 'nohooks' : 'combined' } };
}

function failure(program: string, reason: string): ChartError {
  return new ChartError(
    'POST_RENDERER',
    `error while running command ${program}: ${reason.trimEnd()}`,
  );
}
