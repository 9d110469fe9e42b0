import { readFileSync } from 'node:fs';
import { request } from 'node:https';
import { resolve } from 'node:path';
import type { HttpGet } from '@capstan/lib-oci';
import type { FlagSpec, ParsedFlags } from './flags.ts';
import type { Io } from './io.ts';

/** One GET by Node's own client. Redirects are left to the caller, who knows where credentials may go. */
export const httpGet: HttpGet = async ({ url, headers, signal }) => {
  const response = await fetch(url, {
    headers,
    redirect: 'manual',
    ...(signal === undefined ? {} : { signal }),
  });
  return {
    status: response.status,
    header: (name) => response.headers.get(name) ?? undefined,
    body: response.body ?? noBody(),
  };
};

async function* noBody(): AsyncIterable<Uint8Array> {}

/** The flags by which helm's commands say how TLS is to be spoken. */
export const TLS_FLAGS: Readonly<Record<string, FlagSpec>> = {
  'ca-file': { kind: 'string' },
  'cert-file': { kind: 'string' },
  'key-file': { kind: 'string' },
  'insecure-skip-tls-verify': { kind: 'boolean' },
};

/** As `httpGet`, with the certificates that the flags name. */
export function httpGetOf(flags: ParsedFlags, io: Io): HttpGet {
  const read = (name: string): Buffer | undefined => {
    const path = flags.text(name);
    return path === undefined ? undefined : readFileSync(resolve(io.cwd, path));
  };
  const [ca, cert, key] = [read('ca-file'), read('cert-file'), read('key-file')];
  const isLax = flags.flag('insecure-skip-tls-verify');
  if (ca === undefined && cert === undefined && key === undefined && !isLax) return httpGet;
  const tls = { ca, cert, key, rejectUnauthorized: !isLax };
  return (asked) => (asked.url.startsWith('https:') ? httpsGet(asked, tls) : httpGet(asked));
}

interface Tls {
  readonly ca: Buffer | undefined;
  readonly cert: Buffer | undefined;
  readonly key: Buffer | undefined;
  readonly rejectUnauthorized: boolean;
}

function httpsGet({ url, headers, signal }: Parameters<HttpGet>[0], tls: Tls): ReturnType<HttpGet> {
  return new Promise((done, fail) => {
    const sent = request(url, { ...tls, headers, signal }, (response) => {
      const header = (name: string): string | undefined => {
        const value = response.headers[name];
        return Array.isArray(value) ? value.join(', ') : value;
      };
      done({ status: response.statusCode ?? 0, header, body: response });
    });
    sent.on('error', fail);
    sent.end();
  });
}
