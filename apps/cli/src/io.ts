/** What a command may touch: passed in, so that a test can run it in its own process. */
export interface Io {
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  out(text: string): void;
  err(text: string): void;
  /** All of standard input. */
  readInput(): Promise<Uint8Array>;
  /** Aborted by Ctrl-C and SIGTERM: a command that serves stops then. */
  readonly signal: AbortSignal;
}

/** Runs one command and gives its exit code. Errors it throws are printed by main. */
export type Command = (args: readonly string[], io: Io) => Promise<number>;
