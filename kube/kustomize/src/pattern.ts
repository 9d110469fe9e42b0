import { messageOf } from '@capstan/lib-std';
import { RE2JS } from 're2js';
import type { KustomizeCache } from './cache.ts';
import { failure } from './failure.ts';

export type Matcher = (text: string) => boolean;

/** Text in which no character means anything to a regular expression. */
const LITERAL = /^[A-Za-z0-9_/ -]*$/;
/** Patterns that JavaScript and Go read alike, and that take linear time in both: literals, `.`, one `.*` a place, `|`. */
const SIMPLE = /^(?:[A-Za-z0-9_/-]|\.(?![*+?{])|\.\*(?!.*\.\*)|\\[.-]|\|)*$/;

export function isLiteral(pattern: string): boolean {
  return LITERAL.test(pattern);
}

/**
 * A Go regular expression as a test whether it matches somewhere in a text. Runs in linear time whatever the pattern;
 * a bad pattern fails with Go's words.
 */
export function compilePattern(cache: KustomizeCache, pattern: string): Matcher {
  return cache.pattern(pattern, () => compile(pattern));
}

/** As `compilePattern`, for a pattern that must match the whole text. */
export function compileAnchored(cache: KustomizeCache, pattern: string): Matcher {
  if (isLiteral(pattern)) return (text) => text === pattern;
  if (SIMPLE.test(pattern)) {
    return cache.pattern(`^(?:${pattern})$`, () => {
      const simple = new RegExp(`^(?:${pattern})$`, 's');
      // A dot does not match a line end in Go.
      return (text) => !text.includes('\n') && simple.test(text);
    });
  }
  return compilePattern(cache, `^(?:${pattern})$`);
}

function compile(pattern: string): Matcher {
  try {
    const compiled = RE2JS.compile(pattern);
    return (text) => compiled.matcher(text).find();
  } catch (error) {
    throw failure(messageOf(error));
  }
}
