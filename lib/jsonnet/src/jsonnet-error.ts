import { CapstanError } from '@capstan/lib-std';
import type { Place } from './syntax.ts';

export function placeText({ file, line, column }: Place): string {
  return `${file}:${line}:${column}`;
}

/** What is wrong with a program, and where; frames are added on the way out. */
export function jsonnetError(message: string, at?: Place): CapstanError {
  const text = at === undefined ? message : `${placeText(at)}: ${message}`;
  return new CapstanError('JSONNET_FAILED', text, { hint: 'correct the Jsonnet program' });
}

export function limitError(message: string): CapstanError {
  return new CapstanError('JSONNET_LIMIT', message, {
    hint: 'make the program do less: depth, steps and texts are bounded',
  });
}
