import type { CertificateAuthority, KeyPair } from './tls.ts';

export type { CertificateAuthority, KeyPair };

/** A new certificate authority, or the one that was kept. The X.509 library is loaded only here: most servers need none. */
export async function createAuthority(
  nowMs: number,
  kept?: KeyPair,
): Promise<CertificateAuthority> {
  const tls = await import('./tls.ts');
  return tls.createAuthority(nowMs, kept);
}
