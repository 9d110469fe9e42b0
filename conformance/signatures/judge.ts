import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { ownProgram } from '../tools/own-program.ts';

/** A signature of notation, and what notation's own verifier says of it. */
export interface JudgedSignature {
  readonly name: string;
  readonly mediaType: string;
  /** Base64. */
  readonly envelope: string;
  readonly policy: unknown;
  /** PEM, of what is trusted. */
  readonly certificates: readonly string[];
  /** `verified`, `ignored`, or why not. */
  readonly says: string;
}

/** The program; undefined without Go. */
export function judgeProgram(): string | undefined {
  return ownProgram(join(import.meta.dirname, 'judge'), 'signatures-judge');
}

/** Signatures of a manifest. Their authorities answer on the loopback address until the value is disposed of. */
export async function judgedSignatures(
  program: string,
  manifest: { readonly digest: string; readonly size: number },
): Promise<AsyncDisposable & { readonly signatures: readonly JudgedSignature[] }> {
  const child = spawn(program, [manifest.digest, String(manifest.size)], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const lines = createInterface({ input: child.stdout });
  for await (const line of lines) {
    const signatures = JSON.parse(line) as readonly JudgedSignature[];
    return { signatures, [Symbol.asyncDispose]: () => end(child) };
  }
  throw new Error('the judge says nothing');
}

async function end(child: ChildProcess): Promise<void> {
  const gone = new Promise((resolve) => child.once('exit', resolve));
  child.stdin?.end();
  await gone;
}
