import { BRACE_CLOSE, BRACKET_CLOSE, END, HASH, isBlank, isBreak, isBreakOrEnd } from './chars.ts';
import type { Scanner } from './scanner.ts';
import { FLOW_ENTRY, type Mark, VALUE } from './token.ts';

/** How far past the last comment line the original looks before it gives up; longer gaps split a comment block. */
const WINDOW = 512;

/** Takes a comment that follows a token on its own line. `anchorIndex` is the start of the token it belongs to. */
export function scanLineComment(scanner: Scanner, anchorIndex: number): void {
  const { text } = scanner;
  let at = scanner.pos;
  const limit = at + WINDOW;
  while (at < limit && isBlank(text.charCodeAt(at))) at++;
  if (at >= limit || text.charCodeAt(at) !== HASH || scanner.afterBreak()) return;
  const start: Mark = { index: at, line: scanner.line, column: scanner.columnAt(at) };
  const line = takeToBreak(scanner, at);
  scanner.comments.push({
    scanIndex: 0,
    anchorIndex,
    start,
    endIndex: 0,
    head: '',
    line,
    foot: '',
  });
}

/** The state of one run over a block of comment lines. */
interface Run {
  readonly scanner: Scanner;
  /** Type and start of the token before the comments. */
  readonly previousType: number;
  scanIndex: number;
  anchorIndex: number;
  start: Mark;
  text: string;
}

/**
 * Takes the comment lines that begin at the scanner's position, and splits them into comments: those that stand right
 * below content, or are indented less than what follows, are foot comments of what came before; the last is the head
 * comment of what comes next.
 */
export function scanComments(scanner: Scanner, scanMark: Mark): void {
  const { text } = scanner;
  const run = startRun(scanner, scanMark);
  const breaks = scanner.breaksBefore();
  let footLine = -1;
  if (scanMark.line > 0) {
    footLine = scanner.line - breaks + 1;
    if (breaks === 0 && scanner.column > 1) footLine++;
  }
  let firstEmpty = breaks <= 1;
  let recentEmpty = false;
  let { line, column } = scanner;
  let nextIndent = Math.max(scanner.indent, 0);
  let peek = 0;
  for (; peek < WINDOW; peek++) {
    const at = scanner.pos + peek;
    const c = text.charCodeAt(at);
    column++;
    if (isBlank(c)) continue;
    const closesFlow = scanner.flowLevel > 0 && (c === BRACKET_CLOSE || c === BRACE_CLOSE);
    if (closesFlow || isBreakOrEnd(c)) {
      if (closesFlow || !recentEmpty) {
        const dedented = run.start.column - 1 < nextIndent;
        const belowContent = run.start.line === footLine && run.previousType !== VALUE;
        if (closesFlow || (firstEmpty && (belowContent || dedented))) {
          if (run.text !== '' && dedented) run.anchorIndex = run.start.index;
          pushFoot(run, at);
        } else if (run.text !== '' && c !== END) {
          run.text += '\n';
        }
      }
      if (!isBreak(c)) break;
      firstEmpty = false;
      recentEmpty = true;
      column = 0;
      line++;
      continue;
    }
    if (column - 1 < nextIndent && column !== run.start.column) pushFoot(run, at);
    if (c !== HASH) break;
    if (run.text === '') run.start = { index: at, line, column };
    else run.text += '\n';
    recentEmpty = false;
    run.text += takeToBreak(scanner, at);
    // The character at the new position is the line break, which the loop's step passes over.
    peek = 0;
    column = 0;
    line = scanner.line;
    nextIndent = Math.max(scanner.indent, 0);
  }
  pushHead(run, scanner.pos + peek - 1);
}

function startRun(scanner: Scanner, scanMark: Mark): Run {
  const { tokens } = scanner;
  let previous = tokens[tokens.length - 1]!;
  if (previous.type === FLOW_ENTRY && tokens.length > 1) previous = tokens[tokens.length - 2]!;
  return {
    scanner,
    previousType: previous.type,
    scanIndex: scanMark.index,
    anchorIndex: previous.index,
    start: { index: 0, line: 0, column: 0 },
    text: '',
  };
}

function pushFoot(run: Run, at: number): void {
  if (run.text === '') return;
  run.scanner.comments.push({
    scanIndex: run.scanIndex,
    anchorIndex: run.anchorIndex,
    start: run.start,
    endIndex: at,
    head: '',
    line: '',
    foot: run.text,
  });
  run.scanIndex = at;
  run.anchorIndex = at;
  run.text = '';
}

function pushHead(run: Run, endIndex: number): void {
  if (run.text === '') return;
  run.scanner.comments.push({
    scanIndex: run.scanIndex,
    anchorIndex: run.start.index,
    start: run.start,
    endIndex,
    head: run.text,
    line: '',
    foot: '',
  });
}

/** Moves to `from`, over blanks and line breaks, then takes the text up to the next line break. */
function takeToBreak(scanner: Scanner, from: number): string {
  const { text } = scanner;
  while (scanner.pos < from) {
    if (isBreak(text.charCodeAt(scanner.pos))) scanner.skipBreak();
    else scanner.pos++;
  }
  while (!isBreakOrEnd(text.charCodeAt(scanner.pos))) scanner.pos++;
  return text.slice(from, scanner.pos);
}
