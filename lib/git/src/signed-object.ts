/** What a signature in Git covers, and the signature itself ('' when there is none). */
export interface SignedObject {
  readonly payload: Uint8Array;
  readonly signature: string;
}

export type SignatureKind = 'openpgp' | 'ssh' | 'x509' | 'unknown';

const HEADER = 'gpgsig';

/** A commit: the signature is a header, and covers the object without that header (gitformat-signature(5)). */
export function signedCommit(bytes: Uint8Array): SignedObject {
  const text = Buffer.from(bytes).toString('latin1');
  const end = text.indexOf('\n\n');
  const head = end < 0 ? text : text.slice(0, end + 1);
  const kept: string[] = [];
  const signature: string[] = [];
  let target = kept;
  for (const line of head.split(/(?<=\n)/)) {
    if (line.startsWith(' ')) {
      target.push(target === signature ? line.slice(1) : line);
      continue;
    }
    const key = line.slice(0, line.indexOf(' '));
    // Both headers go from what is covered: each is made over the commit without any.
    const isOwn = key === HEADER || key === `${HEADER}-sha256`;
    target = key === HEADER ? signature : isOwn ? [] : kept;
    target.push(key === HEADER ? line.slice(HEADER.length + 1) : line);
  }
  const payload = `${kept.join('')}${end < 0 ? '' : text.slice(end + 1)}`;
  return { payload: Buffer.from(payload, 'latin1'), signature: signature.join('').trim() };
}

/** An annotated tag: the signature stands at its end, and covers what is before it. */
export function signedTag(bytes: Uint8Array): SignedObject {
  const text = Buffer.from(bytes).toString('latin1');
  const start = text.search(
    /^-----BEGIN (?:PGP SIGNATURE|PGP MESSAGE|SSH SIGNATURE|SIGNED MESSAGE)-----$/m,
  );
  if (start < 0) return { payload: bytes, signature: '' };
  return {
    payload: Buffer.from(text.slice(0, start), 'latin1'),
    signature: text.slice(start).trim(),
  };
}

export function signatureKind(signature: string): SignatureKind {
  if (signature.startsWith('-----BEGIN PGP SIGNATURE-----')) return 'openpgp';
  if (signature.startsWith('-----BEGIN SSH SIGNATURE-----')) return 'ssh';
  return signature.startsWith('-----BEGIN SIGNED MESSAGE-----') ? 'x509' : 'unknown';
}
