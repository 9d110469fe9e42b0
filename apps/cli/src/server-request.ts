/** Asking a running server: its page's API. */
import { appPath } from '@capstan/apps-contract';
import { CapstanError, messageOf } from '@capstan/lib-std';
import type { FlagSpec, ParsedFlags } from './flags.ts';
import type { Io } from './io.ts';

export const SERVER_FLAG: Readonly<Record<string, FlagSpec>> = { server: { kind: 'string' } };
export const SERVER_HELP = `      --server URL        of the page (default: $CAPSTAN_SERVER, else http://127.0.0.1:7400)`;

const DEFAULT_SERVER = 'http://127.0.0.1:7400';
const TIMEOUT_MS = 60_000;

/** The JSON that the server answers; its own words when it refuses. */
export async function askServer(path: string, flags: ParsedFlags, io: Io): Promise<unknown> {
  const server = flags.text('server') ?? io.env['CAPSTAN_SERVER'] ?? DEFAULT_SERVER;
  const signal = AbortSignal.any([io.signal, AbortSignal.timeout(TIMEOUT_MS)]);
  let response: Response;
  try {
    response = await fetch(new URL(path, server), { signal });
  } catch (error) {
    const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
    throw new CapstanError('SERVER_UNREACHABLE', `${server} does not answer: ${messageOf(cause)}`, {
      hint: 'start it by `capstan serve`, or name it with --server',
    });
  }
  const body: unknown = await response.json().catch(() => undefined);
  if (response.ok) return body;
  throw new CapstanError(
    'SERVER_REFUSED',
    messageIn(body) ?? `${server} answers ${response.status}`,
  );
}

function messageIn(body: unknown): string | undefined {
  if (typeof body !== 'object' || body === null) return undefined;
  const { message, hint } = body as { readonly message?: unknown; readonly hint?: unknown };
  if (typeof message !== 'string') return undefined;
  return typeof hint === 'string' ? `${message} (${hint})` : message;
}

const NAMESPACES = {
  Application: 'argocd',
  Kustomization: 'flux-system',
  HelmRelease: 'flux-system',
} as const;
type AppKind = keyof typeof NAMESPACES;

/** `Application/web` of the first argument, and the path under which the server knows it. */
export function readApp(
  flags: ParsedFlags,
  help: string,
  kinds: readonly AppKind[],
): { readonly path: string; readonly app: string } {
  const [target = ''] = flags.positionals;
  const [wanted = '', name = ''] = target.split('/');
  const kind = kinds.find((one) => one.toLowerCase() === wanted.toLowerCase());
  if (kind === undefined || name === '') {
    const choice = kinds.map((one) => `${one}/NAME`).join(' or ');
    throw new CapstanError('FLAGS', `name an app: ${choice}`, { hint: help });
  }
  const namespace = flags.text('namespace') ?? NAMESPACES[kind];
  return { path: appPath({ kind, namespace, name }), app: `${kind}/${name}` };
}
