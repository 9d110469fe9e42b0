import { messageOf } from '@capstan/lib-std';

const UNKNOWN_AUTHORITY = 'certificate signed by unknown authority';
/** Whose certificate is not accepted: Node's code, and what Go's crypto/x509 says of it. */
const CERTIFICATES: Readonly<Record<string, string>> = {
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: UNKNOWN_AUTHORITY,
  UNABLE_TO_GET_ISSUER_CERT: UNKNOWN_AUTHORITY,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: UNKNOWN_AUTHORITY,
  SELF_SIGNED_CERT_IN_CHAIN: UNKNOWN_AUTHORITY,
  DEPTH_ZERO_SELF_SIGNED_CERT: UNKNOWN_AUTHORITY,
  CERT_HAS_EXPIRED: 'certificate has expired or is not yet valid',
  CERT_NOT_YET_VALID: 'certificate has expired or is not yet valid',
};

/** Why a host cannot be reached, in the words of Go's net and crypto/tls where they have some: people search for those. */
export function describeNetworkError(
  error: unknown,
  { showsCertificate = false }: { readonly showsCertificate?: boolean } = {},
): string {
  const first = firstOf(error);
  const message = messageOf(first);
  const code = first instanceof Error && 'code' in first ? String(first.code) : '';
  const certificate = CERTIFICATES[code];
  if (certificate !== undefined) return `tls: failed to verify certificate: x509: ${certificate}`;
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') {
    return `tls: failed to verify certificate: x509: certificate is not valid for this name: ${message}`;
  }
  const refused = /^connect ECONNREFUSED (\S+)/.exec(message)?.[1];
  if (refused !== undefined) return `dial tcp ${refused}: connect: connection refused`;
  const unknown = /^getaddrinfo ENOTFOUND (\S+)/.exec(message)?.[1];
  if (unknown !== undefined) return `dial tcp: lookup ${unknown}: no such host`;
  const alert = /alert ([a-z ]+?)(?::|$)/.exec(message)?.[1];
  if (alert !== undefined) return `remote error: tls: ${alert} (${code})`;
  // With TLS 1.3 a server that does not know a client's certificate hangs up after the handshake.
  if (code === 'UND_ERR_SOCKET' && showsCertificate) {
    return `remote error: tls: bad certificate: ${message} (${code})`;
  }
  return code === '' ? message : `${message} (${code})`;
}

/** Of several addresses that were tried, the first one's failure. */
function firstOf(error: unknown): unknown {
  return error instanceof AggregateError && error.errors.length > 0 ? error.errors[0] : error;
}
