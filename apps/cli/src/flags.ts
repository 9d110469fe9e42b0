import { parseArgs } from 'node:util';
import { CapstanError, messageOf } from '@capstan/lib-std';

/** What flags a command takes: `string[]` collects each use, `list` also splits at commas. */
export interface FlagSpec {
  readonly kind: 'boolean' | 'string' | 'string[]' | 'list';
  readonly short?: string;
  /** The value of the bare flag, which takes no argument then (only `--flag=value`). */
  readonly bare?: string;
}

/** What every command of helm takes; there is no list of repositories and no cache here for the paths to lead to. */
export const GLOBAL_FLAGS: Readonly<Record<string, FlagSpec>> = {
  debug: { kind: 'boolean' },
  help: { kind: 'boolean', short: 'h' },
  namespace: { kind: 'string', short: 'n' },
  kubeconfig: { kind: 'string' },
  'kube-context': { kind: 'string' },
  'registry-config': { kind: 'string' },
  'repository-cache': { kind: 'string' },
  'repository-config': { kind: 'string' },
};

export interface ParsedFlags {
  readonly positionals: readonly string[];
  flag(name: string): boolean;
  text(name: string): string | undefined;
  texts(name: string): readonly string[];
}

/** Reads flags between and after positionals, `--flag value` and `--flag=value`, as the Go commands do. */
export function parseFlags(
  args: readonly string[],
  specs: Readonly<Record<string, FlagSpec>>,
): ParsedFlags {
  const options = Object.fromEntries(
    Object.entries(specs).map(([name, { kind, short }]) => [
      name,
      {
        type: kind === 'boolean' ? ('boolean' as const) : ('string' as const),
        multiple: kind === 'string[]' || kind === 'list',
        ...(short === undefined ? {} : { short }),
      },
    ]),
  );
  const { values, positionals } = read(withBooleans(withValues(args, specs), specs), options);
  return {
    positionals,
    flag: (name) => values[name] === true,
    text: (name) => {
      const value = values[name];
      return typeof value === 'string' ? value : undefined;
    },
    texts: (name) => {
      const value = values[name];
      const all = Array.isArray(value) ? value.map(String) : [];
      return specs[name]?.kind === 'list' ? all.flatMap((item) => item.split(',')) : all;
    },
  };
}

/** `--flag value` and `-f value` as `--flag=value`: the next argument is the value, also when it begins with a dash. */
function withValues(
  args: readonly string[],
  specs: Readonly<Record<string, FlagSpec>>,
): readonly string[] {
  const takers = new Map<string, string>();
  const bare = new Map<string, string>();
  for (const [name, { kind, short, bare: value }] of Object.entries(specs)) {
    if (kind === 'boolean') continue;
    if (value !== undefined) {
      bare.set(`--${name}`, value);
      continue;
    }
    takers.set(`--${name}`, name);
    if (short !== undefined) takers.set(`-${short}`, name);
  }
  const joined: string[] = [];
  for (let i = 0; i < args.length; i++) {
    const arg = args[i]!;
    if (arg === '--') return [...joined, ...args.slice(i)];
    const name = takers.get(arg);
    const value = args[i + 1];
    if (name === undefined) {
      const own = bare.get(arg);
      joined.push(own === undefined ? arg : `${arg}=${own}`);
      continue;
    }
    if (value === undefined) {
      const told = arg.startsWith('--') ? arg : `'${arg.slice(1)}' in ${arg}`;
      throw new CapstanError('FLAGS', `flag needs an argument: ${told}`);
    }
    joined.push(`--${name}=${value}`);
    i++;
  }
  return joined;
}

const TRUE = new Set(['1', 't', 'T', 'true', 'TRUE', 'True']);
const FALSE = new Set(['0', 'f', 'F', 'false', 'FALSE', 'False']);

/** `--flag=VALUE` of a boolean flag, which Node's own parser does not take: as the bare name, or not at all. The last counts. */
function withBooleans(
  args: readonly string[],
  specs: Readonly<Record<string, FlagSpec>>,
): readonly string[] {
  let read: string[] = [];
  for (const [at, arg] of args.entries()) {
    if (arg === '--') return [...read, ...args.slice(at)];
    const [, name = '', value = ''] = /^--([^=]+)=(.*)$/s.exec(arg) ?? [];
    if (specs[name]?.kind !== 'boolean') read.push(arg);
    else if (TRUE.has(value)) read.push(`--${name}`);
    else if (FALSE.has(value)) read = read.filter((one) => one !== `--${name}`);
    else {
      throw new CapstanError(
        'FLAGS',
        `invalid argument ${JSON.stringify(value)} for "--${name}" flag: strconv.ParseBool: parsing ${JSON.stringify(value)}: invalid syntax`,
      );
    }
  }
  return read;
}

function read(
  args: readonly string[],
  options: NonNullable<Parameters<typeof parseArgs>[0]>['options'],
): { values: Record<string, unknown>; positionals: string[] } {
  try {
    const parsed = parseArgs({
      args: [...args],
      ...(options === undefined ? {} : { options }),
      allowPositionals: true,
      strict: true,
    });
    return { values: parsed.values, positionals: parsed.positionals };
  } catch (error) {
    throw new CapstanError('FLAGS', flagMessage(messageOf(error)), { cause: error });
  }
}

/** The words of the Go commands where a script may look for them. */
function flagMessage(message: string): string {
  const unknown = /^Unknown option '(--?)([^']*)'/.exec(message);
  if (unknown !== null) {
    return unknown[1] === '--'
      ? `unknown flag: --${unknown[2]}`
      : `unknown shorthand flag: '${unknown[2]?.slice(0, 1)}' in -${unknown[2]}`;
  }
  return message;
}
