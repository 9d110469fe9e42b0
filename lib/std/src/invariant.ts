import { CapstanError } from './error.ts';

/** Asserts what the code relies on. A failure is a bug of ours: it fails the object at hand, never the process. */
export function invariant(condition: unknown, message: string): asserts condition {
  if (!condition) throw new CapstanError('INVARIANT', message, { kind: 'bug' });
}

/** For the end of an exhaustive `switch`. */
export function unreachable(value: never): never {
  throw new CapstanError('INVARIANT', `unexpected value ${JSON.stringify(value)}`, { kind: 'bug' });
}
