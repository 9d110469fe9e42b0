import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { createHttpGet, type HttpGet } from '@capstan/lib-oci';
import type { FlagSpec, ParsedFlags } from './flags.ts';
import type { Io } from './io.ts';

/** The client of one command: its idle connections end with the process. */
export const httpGet: HttpGet = createHttpGet().get;

/** The flags by which helm's commands say how TLS is to be spoken. */
export const TLS_FLAGS: Readonly<Record<string, FlagSpec>> = {
  'ca-file': { kind: 'string' },
  'cert-file': { kind: 'string' },
  'key-file': { kind: 'string' },
  'insecure-skip-tls-verify': { kind: 'boolean' },
};

/** As `httpGet`, with the certificates that the flags name. */
export function httpGetOf(flags: ParsedFlags, io: Io): HttpGet {
  const read = (name: string): string | undefined => {
    const path = flags.text(name);
    return path === undefined ? undefined : readFileSync(resolve(io.cwd, path), 'utf8');
  };
  const [ca, cert, key] = [read('ca-file'), read('cert-file'), read('key-file')];
  return createHttpGet({
    ...(ca === undefined ? {} : { caCertificate: ca }),
    ...(cert === undefined ? {} : { clientCertificate: cert }),
    ...(key === undefined ? {} : { clientKey: key }),
    insecure: flags.flag('insecure-skip-tls-verify'),
  }).get;
}
