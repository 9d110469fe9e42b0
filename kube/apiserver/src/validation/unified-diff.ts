/**
 * A unified diff without file names, by the algorithm of Python's difflib (github.com/pmezard/go-difflib), with which the
 * server shows what differs between two structs: the longest run of lines in common, then the same to its left and right. In
 * long texts, lines that occur often are not looked for.
 */
export function unifiedDiff(before: readonly string[], after: readonly string[]): string {
  const lines: string[] = [];
  for (const group of groupOperations(operations(before, after))) {
    const first = group[0];
    const last = group.at(-1);
    if (first === undefined || last === undefined) continue;
    lines.push(
      `@@ -${range(first.before, last.beforeEnd)} +${range(first.after, last.afterEnd)} @@`,
    );
    for (const { kind, before: from, beforeEnd, after: to, afterEnd } of group) {
      if (kind === 'equal') {
        for (const line of before.slice(from, beforeEnd)) lines.push(` ${line}`);
        continue;
      }
      for (const line of before.slice(from, beforeEnd)) lines.push(`-${line}`);
      for (const line of after.slice(to, afterEnd)) lines.push(`+${line}`);
    }
  }
  return lines.map((line) => `${line}\n`).join('');
}

interface Match {
  readonly before: number;
  readonly after: number;
  readonly size: number;
}

interface Operation {
  readonly kind: 'equal' | 'change';
  readonly before: number;
  readonly beforeEnd: number;
  readonly after: number;
  readonly afterEnd: number;
}

const CONTEXT = 3;
/** Texts of at least this many lines leave out lines that make up more than a hundredth of them. */
const LONG_TEXT = 200;

function range(start: number, end: number): string {
  const length = end - start;
  if (length === 1) return String(start + 1);
  return `${length === 0 ? start : start + 1},${length}`;
}

/** Where each line of the second text stands, without the lines that are too common. */
function positions(after: readonly string[]): Map<string, number[]> {
  const found = new Map<string, number[]>();
  for (const [i, line] of after.entries()) {
    const known = found.get(line);
    if (known === undefined) found.set(line, [i]);
    else known.push(i);
  }
  if (after.length < LONG_TEXT) return found;
  const most = Math.floor(after.length / 100) + 1;
  for (const [line, places] of found) if (places.length > most) found.delete(line);
  return found;
}

function operations(before: readonly string[], after: readonly string[]): Operation[] {
  const found: Operation[] = [];
  let [i, j] = [0, 0];
  for (const match of matchingBlocks(before, after)) {
    if (i < match.before || j < match.after) {
      found.push({
        kind: 'change',
        before: i,
        beforeEnd: match.before,
        after: j,
        afterEnd: match.after,
      });
    }
    i = match.before + match.size;
    j = match.after + match.size;
    if (match.size > 0) {
      found.push({
        kind: 'equal',
        before: match.before,
        beforeEnd: i,
        after: match.after,
        afterEnd: j,
      });
    }
  }
  return found;
}

function matchingBlocks(before: readonly string[], after: readonly string[]): Match[] {
  const places = positions(after);
  const found: Match[] = [];
  const search = (from: number, to: number, low: number, high: number): void => {
    const match = longestMatch({ before, after, places }, [from, to, low, high]);
    if (match.size === 0) return;
    if (from < match.before && low < match.after) search(from, match.before, low, match.after);
    found.push(match);
    const [i, j] = [match.before + match.size, match.after + match.size];
    if (i < to && j < high) search(i, to, j, high);
  };
  search(0, before.length, 0, after.length);
  const joined: Match[] = [];
  for (const match of found) {
    const last = joined.at(-1);
    if (
      last !== undefined &&
      last.before + last.size === match.before &&
      last.after + last.size === match.after
    ) {
      joined[joined.length - 1] = { ...last, size: last.size + match.size };
    } else joined.push(match);
  }
  return [...joined, { before: before.length, after: after.length, size: 0 }];
}

function longestMatch(
  texts: {
    readonly before: readonly string[];
    readonly after: readonly string[];
    readonly places: ReadonlyMap<string, readonly number[]>;
  },
  [from, to, low, high]: readonly [number, number, number, number],
): Match {
  const { before, after, places } = texts;
  let [bestBefore, bestAfter, size] = [from, low, 0];
  let lengths = new Map<number, number>();
  for (let i = from; i < to; i++) {
    const next = new Map<number, number>();
    for (const j of places.get(before[i] ?? '') ?? []) {
      if (j < low) continue;
      if (j >= high) break;
      const length = (lengths.get(j - 1) ?? 0) + 1;
      next.set(j, length);
      if (length > size) [bestBefore, bestAfter, size] = [i - length + 1, j - length + 1, length];
    }
    lengths = next;
  }
  // Lines that were not looked for may still stand on both sides of what was found.
  while (bestBefore > from && bestAfter > low && before[bestBefore - 1] === after[bestAfter - 1]) {
    bestBefore--;
    bestAfter--;
    size++;
  }
  while (
    bestBefore + size < to &&
    bestAfter + size < high &&
    before[bestBefore + size] === after[bestAfter + size]
  ) {
    size++;
  }
  return { before: bestBefore, after: bestAfter, size };
}

/** Changes with three lines around them; those that are near each other stand together. */
function groupOperations(all: readonly Operation[]): Operation[][] {
  const changed = all.some(({ kind }) => kind === 'change');
  if (!changed) return [];
  const trimmed = [...all];
  const first = trimmed[0];
  if (first?.kind === 'equal') {
    trimmed[0] = {
      ...first,
      before: Math.max(first.before, first.beforeEnd - CONTEXT),
      after: Math.max(first.after, first.afterEnd - CONTEXT),
    };
  }
  const last = trimmed.at(-1);
  if (last?.kind === 'equal') {
    trimmed[trimmed.length - 1] = {
      ...last,
      beforeEnd: Math.min(last.beforeEnd, last.before + CONTEXT),
      afterEnd: Math.min(last.afterEnd, last.after + CONTEXT),
    };
  }
  const groups: Operation[][] = [];
  let group: Operation[] = [];
  for (const operation of trimmed) {
    const { kind, before, beforeEnd, after, afterEnd } = operation;
    if (kind === 'equal' && beforeEnd - before > CONTEXT * 2) {
      group.push({
        kind,
        before,
        beforeEnd: Math.min(beforeEnd, before + CONTEXT),
        after,
        afterEnd: Math.min(afterEnd, after + CONTEXT),
      });
      groups.push(group);
      group = [
        {
          kind,
          before: Math.max(before, beforeEnd - CONTEXT),
          beforeEnd,
          after: Math.max(after, afterEnd - CONTEXT),
          afterEnd,
        },
      ];
    } else group.push(operation);
  }
  if (group.some(({ kind }) => kind === 'change')) groups.push(group);
  return groups;
}
