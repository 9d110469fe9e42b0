import type { AppProjectSpec } from '@capstan/argocd-api';
import type { VerifyRequest } from '@capstan/engine-source';
import { compileGlob } from '@capstan/lib-files';
import { CapstanError } from '@capstan/lib-std';
import { normalizeUrl } from './repositories.ts';

/**
 * What a project demands of the commits of a repository (documentation: "Source Integrity Verification", and the older
 * spec.signatureKeys); undefined: nothing. A key counts when the project names it and argocd-gpg-keys-cm holds it.
 */
export function toVerification(
  { signatureKeys, sourceIntegrity }: AppProjectSpec,
  url: string,
  keys: { readonly [id: string]: string },
): VerifyRequest | undefined {
  const wanted = [
    ...(signatureKeys !== undefined && signatureKeys !== null && signatureKeys.length > 0
      ? [{ mode: 'head', ids: signatureKeys.map(({ keyID }) => keyID) }]
      : []),
    ...(sourceIntegrity?.git?.policies ?? [])
      .filter(({ repos = [] }) => repos.some((repo) => fitsUrl(repo.url, url)))
      .map(({ gpg }) => ({ mode: gpg?.mode ?? 'head', ids: gpg?.keys ?? [] })),
  ].filter(({ mode }) => mode !== 'none');
  const [first, ...more] = wanted;
  if (first === undefined) return undefined;
  if (more.length > 0)
    throw refused('several policies of source integrity speak of this repository');
  if (first.mode !== 'head')
    throw refused(`source integrity mode ${JSON.stringify(first.mode)} is not checked here`);
  const pgpKeys = first.ids.flatMap((id) => {
    const found = Object.entries(keys).find(([known]) => isSameKey(known, id));
    return found === undefined ? [] : [found[1]];
  });
  const places = { pgp: 'argocd-gpg-keys-cm', ssh: 'argocd-gpg-keys-cm' };
  return { mode: 'head', pgpKeys, sshKeys: [], places };
}

/** Fingerprints end with the short id. */
function isSameKey(left: string, right: string): boolean {
  const [a, b] = [left.toUpperCase(), right.toUpperCase()];
  return a !== '' && b !== '' && (a.endsWith(b) || b.endsWith(a));
}

function fitsUrl(pattern: string, url: string): boolean {
  const [glob, wanted] = [normalizeUrl(pattern), normalizeUrl(url)];
  if (glob === '*' || glob === wanted) return true;
  return /[*?[{]/.test(glob) && compileGlob(glob, { separator: '/', braces: true })(wanted);
}

function refused(message: string): CapstanError {
  return new CapstanError('SIGNATURE_UNVERIFIED', message, {
    hint: 'use mode head, and one policy for each repository, in spec.sourceIntegrity of the project',
  });
}
