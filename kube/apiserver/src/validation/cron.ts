interface Bounds {
  readonly min: number;
  readonly max: number;
  readonly names?: readonly string[];
  /** The number of the first name. */
  readonly first?: number;
}

const FIELDS: readonly Bounds[] = [
  { min: 0, max: 59 },
  { min: 0, max: 23 },
  { min: 1, max: 31 },
  {
    min: 1,
    max: 12,
    first: 1,
    names: ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'],
  },
  { min: 0, max: 6, first: 0, names: ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'] },
];
const DESCRIPTORS: ReadonlySet<string> = new Set([
  '@yearly',
  '@annually',
  '@monthly',
  '@weekly',
  '@daily',
  '@midnight',
  '@hourly',
]);
const EVERY = /^@every ([-+]?(\d+(\.\d*)?|\.\d+)(ns|us|µs|ms|s|m|h))+$/;

/** What is wrong with a cron schedule, in the words of the library that the real server reads it with; undefined: nothing. */
export function scheduleProblem(schedule: string): string | undefined {
  const text = schedule.replace(/^(CRON_)?TZ=\S* */, '').trim();
  if (text.startsWith('@')) {
    if (DESCRIPTORS.has(text) || EVERY.test(text)) return undefined;
    if (!text.startsWith('@every ')) return `unrecognized descriptor: ${text}`;
    const given = text.slice('@every '.length);
    return `failed to parse duration ${text}: time: invalid duration ${JSON.stringify(given)}`;
  }
  const fields = text === '' ? [] : text.split(/\s+/);
  if (fields.length !== FIELDS.length) {
    return `expected exactly 5 fields, found ${fields.length}: [${fields.join(' ')}]`;
  }
  for (const [i, field] of fields.entries()) {
    for (const range of field.split(',').filter((part) => part !== '')) {
      const problem = rangeProblem(range, FIELDS[i] as Bounds);
      if (problem !== undefined) return problem;
    }
  }
  return undefined;
}

/** `*`, `5`, `1-5`, `mon-fri`, each with `/step`. */
function rangeProblem(range: string, bounds: Bounds): string | undefined {
  const [span = '', step, ...slashes] = range.split('/');
  const [low = '', high, ...hyphens] = span.split('-');
  const isAny = low === '*' || low === '?';
  const numbers = [isAny ? bounds.min : readNumber(low, bounds)];
  if (!isAny && high !== undefined) {
    if (typeof numbers[0] === 'string') return numbers[0];
    if (hyphens.length > 0) return `too many hyphens: ${range}`;
    numbers.push(readNumber(high, bounds));
  }
  const every = step === undefined ? 1 : readNumber(step);
  for (const number of numbers) if (typeof number === 'string') return number;
  if (slashes.length > 0) return `too many slashes: ${range}`;
  if (typeof every === 'string') return every;
  const start = Number(numbers[0]);
  const toEnd = isAny || (high === undefined && step !== undefined);
  const end = toEnd ? bounds.max : Number(numbers.at(-1));
  if (start < bounds.min) {
    return `beginning of range (${start}) below minimum (${bounds.min}): ${range}`;
  }
  if (end > bounds.max) return `end of range (${end}) above maximum (${bounds.max}): ${range}`;
  if (start > end) {
    return `beginning of range (${start}) beyond end of range (${end}): ${range}`;
  }
  return every === 0 ? `step of range should be a positive number: ${range}` : undefined;
}

/** The number, or what is wrong. */
function readNumber(
  text: string,
  { names = [], first = 0 }: Partial<Bounds> = {},
): number | string {
  const named = names.indexOf(text.toLowerCase());
  if (named >= 0) return named + first;
  if (/^[+-]?\d+$/.test(text)) {
    const number = Number(text);
    return number < 0 ? `negative number (${number}) not allowed: ${text}` : number;
  }
  return `failed to parse int from ${text}: strconv.Atoi: parsing ${JSON.stringify(text)}: invalid syntax`;
}
