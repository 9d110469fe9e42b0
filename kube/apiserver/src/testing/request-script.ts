/** One request of a script. `{{name}}` in path and body stands for what an earlier step kept under that name. */
export interface Step {
  readonly method: string;
  readonly path: string;
  /** JSON when it is not a string. */
  readonly body?: unknown;
  readonly type?: string;
  readonly accept?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Keeps a field of the answer: `metadata.resourceVersion`. */
  readonly keep?: Readonly<Record<string, string>>;
  /** How long the real server may take until what this step asked for is in force. */
  readonly settleMs?: number;
  /** Fields of the answer that are not compared, by path; each with its reason in the script. */
  readonly ignore?: readonly string[];
}

export interface Script {
  readonly name: string;
  readonly steps: readonly Step[];
}

export interface Answer {
  readonly status: number;
  readonly type: string;
  readonly warnings: string;
  readonly body: unknown;
}

export type Send = (request: {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
}) => Promise<{
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
}>;

/**
 * Runs a script against a server; the answers come with what differs from run to run masked. A server that `settles` gets the
 * pauses that the script asks for, `patience` times as long (once).
 */
export async function runScript(
  script: Script,
  send: Send,
  options: { readonly settles: boolean; readonly patience?: number },
): Promise<Answer[]> {
  const { settles, patience = 1 } = options;
  const kept = new Map<string, string>();
  const fill = (text: string): string =>
    text.replace(/\{\{(\w+)\}\}/g, (_, name: string) => kept.get(name) ?? '');
  const answers: Answer[] = [];
  for (const step of script.steps) {
    const body =
      step.body === undefined
        ? undefined
        : fill(typeof step.body === 'string' ? step.body : JSON.stringify(step.body));
    const response = await send({
      method: step.method,
      path: fill(step.path),
      headers: {
        accept: step.accept ?? 'application/json',
        'user-agent': 'script/1.0',
        ...(body === undefined ? {} : { 'content-type': step.type ?? 'application/json' }),
        ...step.headers,
      },
      ...(body === undefined ? {} : { body }),
    });
    if (settles && step.settleMs !== undefined) {
      const pauseMs = step.settleMs * patience;
      await new Promise((resolve) => setTimeout(resolve, pauseMs));
    }
    const parsed = parse(response.text, response.headers['content-type'] ?? '');
    for (const [name, path] of Object.entries(step.keep ?? {}))
      kept.set(name, String(at(parsed, path)));
    answers.push({
      status: response.status,
      type: response.headers['content-type'] ?? '',
      warnings: response.headers['warning'] ?? '',
      body: without(mask(parsed, '', kept), step.ignore ?? []),
    });
  }
  return answers;
}

function parse(text: string, type: string): unknown {
  if (!type.startsWith('application/json')) return text;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    // A watch: one JSON document a line.
    return text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as unknown);
  }
}

function at(value: unknown, path: string): unknown {
  let found = value;
  for (const key of path.split('.')) {
    found =
      typeof found === 'object' && found !== null
        ? (found as Record<string, unknown>)[key]
        : undefined;
  }
  return found;
}

const VOLATILE: ReadonlySet<string> = new Set([
  'uid',
  'resourceVersion',
  'continue',
  'storageVersionHash',
  'token',
  'hash',
  'serverAddressByClientCIDRs',
]);

/** Entries of managedFields stand by their time, and causes of one field in the order of a Go map. */
const UNORDERED: ReadonlySet<string> = new Set(['managedFields', 'causes']);

function sorted(items: readonly unknown[]): unknown[] {
  const text = (item: unknown): string => JSON.stringify(item);
  return [...items].sort((a, b) => (text(a) < text(b) ? -1 : 1));
}

/** Replaces what differs from run to run by a word that says what it was. Descriptions are Kubernetes' own sentences. */
function mask(value: unknown, key: string, kept: ReadonlyMap<string, string>): unknown {
  if (Array.isArray(value)) {
    if (key === 'serverAddressByClientCIDRs') return '<serverAddressByClientCIDRs>';
    const items = value.map((item) => mask(item, key, kept));
    return UNORDERED.has(key) ? sorted(items) : items;
  }
  if (typeof value === 'object' && value !== null) {
    const isColumn = 'priority' in value && 'format' in value;
    return Object.fromEntries(
      Object.entries(value)
        .filter(([name]) => !(isColumn && name === 'description'))
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([name, item]) => [name, mask(item, name, kept)]),
    );
  }
  if (VOLATILE.has(key) && value !== '') return `<${key}>`;
  if (key === 'nodePort' && value !== 0) return '<nodePort>';
  return typeof value === 'string' ? maskText(value, kept) : value;
}

function maskText(text: string, kept: ReadonlyMap<string, string>): string {
  let masked = text
    .replace(/\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z/g, '<time>')
    .replace(/\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b/g, '<uid>')
    .replace(/\b10\.0\.\d+\.\d+\b/g, '<ip>')
    .replace(/kube-api-access-[a-z0-9]{5}/g, '<token-volume>')
    .replace(/^(gen-)[a-z0-9]{5}$/, '$1<random>')
    // Of minutes and hours there are quantities and durations that mean something; days and years are ages.
    .replace(/^\d+(s|ms|d|y|d\d+h|y\d+d)$/, '<age>')
    .replace(/in record \(\d+\)/g, 'in record (<rv>)')
    .replace(/:3[0-2]\d{3}\//g, ':<nodePort>/')
    .replace(/resource version: \d+, current: \d+/g, 'resource version: <rv>, current: <rv>')
    .replace(/"gen-[a-z0-9]{5}"/g, '"gen-<random>"');
  for (const [name, value] of kept) {
    if (value.length > 3) masked = masked.replaceAll(value, `<${name}>`);
  }
  return masked;
}

function without(value: unknown, paths: readonly string[]): unknown {
  for (const path of paths) {
    const keys = path.split('.');
    const last = keys.pop() ?? '';
    const parent = keys.length === 0 ? value : at(value, keys.join('.'));
    if (Array.isArray(parent)) parent[Number(last)] = null;
    else if (typeof parent === 'object' && parent !== null) {
      delete (parent as Record<string, unknown>)[last];
    }
  }
  return value;
}
