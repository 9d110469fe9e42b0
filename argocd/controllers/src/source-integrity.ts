import type { AppProjectSpec } from '@capstan/argocd-api';
import type { VerifyRequest } from '@capstan/engine-source';
import { compileGlob } from '@capstan/lib-files';
import { CapstanError } from '@capstan/lib-std';

const SEAL = 'Argocd-gpg-seal';
const MODES = { head: 'tagOrHead', strict: 'history' } as const;

/**
 * What a project demands of the commits of a repository (documentation: "Source Integrity Verification", and the older
 * spec.signatureKeys, which count when there is no spec.sourceIntegrity.git); undefined: nothing. A key counts when the
 * project names it and argocd-gpg-keys-cm holds it.
 */
export function toVerification(
  { signatureKeys, sourceIntegrity }: AppProjectSpec,
  url: string,
  keys: { readonly [id: string]: string },
): VerifyRequest | undefined {
  const legacy = (signatureKeys ?? []).map(({ keyID }) => keyID);
  const policies =
    sourceIntegrity?.git?.policies ??
    (legacy.length === 0 ? [] : [{ repos: [{ url: '*' }], gpg: { mode: 'head', keys: legacy } }]);
  const [policy, ...more] = policies.filter(({ repos = [] }) => fitsRepository(repos, url));
  if (more.length > 0)
    throw refused(
      `multiple (${more.length + 1}) git source integrity policies found for repo URL: ${url}`,
    );
  const gpg = policy?.gpg;
  if (gpg === undefined || gpg.mode === 'none') return undefined;
  const mode = MODES[gpg.mode as keyof typeof MODES];
  if (mode === undefined)
    throw refused(`unknown GPG mode "${gpg.mode ?? ''}" configured for GIT source integrity`);
  const pgpKeys = (gpg.keys ?? []).filter(isKeyId).flatMap((id) => {
    const found = Object.entries(keys).find(([known]) => isSameKey(known, id));
    return found === undefined ? [] : [found[1]];
  });
  const places = { pgp: 'argocd-gpg-keys-cm', ssh: 'argocd-gpg-keys-cm' };
  return { mode, pgpKeys, sshKeys: [], places, seal: SEAL };
}

/** A short id, or a fingerprint. */
function isKeyId(id: string): boolean {
  return /^(?:[0-9a-f]{16}|[0-9a-f]{40})$/i.test(id);
}

/** Fingerprints end with the short id. */
function isSameKey(left: string, right: string): boolean {
  const [a, b] = [left.toUpperCase(), right.toUpperCase()];
  return a !== '' && b !== '' && (a.endsWith(b) || b.endsWith(a));
}

/** By globs, in which `*` also fits a '/'; one with `!` that fits takes the repository out. */
function fitsRepository(repos: readonly { readonly url: string }[], url: string): boolean {
  const fits = (pattern: string) => compileGlob(pattern, { braces: true })(url);
  const denials = repos.filter((repo) => repo.url.startsWith('!'));
  if (denials.some((repo) => fits(repo.url.slice(1)))) return false;
  return repos.some((repo) => !repo.url.startsWith('!') && fits(repo.url));
}

function refused(message: string): CapstanError {
  return new CapstanError('SIGNATURE_UNVERIFIED', message, {
    hint: 'use the modes none, head or strict, and one policy for each repository, in spec.sourceIntegrity of the project',
  });
}
