import { getCACertificates, rootCertificates } from 'node:tls';

let known: readonly string[] | undefined;

/** The authorities that everybody trusts, Mozilla's and the system's, and those of a PEM bundle beside them. */
export function authoritiesWith(bundle: string): string[] {
  known ??= [...new Set([...rootCertificates, ...getCACertificates('system')])];
  return [...known, bundle];
}
