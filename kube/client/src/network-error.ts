import { CapstanError, messageOf } from '@capstan/lib-std';

/**
 * No answer came. UNREACHABLE (kind retry) for what may pass; TLS_UNTRUSTED (kind stalled) when the certificates do not
 * fit, which only a person can mend.
 */
export class NetworkError extends CapstanError {
  /** True: the request cannot have reached the server, so that even a write may be sent again. */
  readonly neverSent: boolean;

  constructor(server: string, cause: unknown) {
    const code = codeOf(cause);
    const isTls = tlsCodes.test(code);
    super(
      isTls ? 'TLS_UNTRUSTED' : 'UNREACHABLE',
      `cannot reach the API server ${server}: ${describe(cause, code)}`,
      { kind: isTls ? 'stalled' : 'retry', hint: isTls ? tlsHint : networkHint(code), cause },
    );
    this.name = 'NetworkError';
    this.neverSent = neverSentCodes.has(code) || isTls;
  }
}

const tlsHint =
  'the server is not trusted: check certificate-authority-data and tls-server-name of the cluster in the kubeconfig';
const neverSentCodes = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
]);
const tlsCodes =
  /^(ERR_TLS_|ERR_SSL_|CERT_|SELF_SIGNED|DEPTH_ZERO|UNABLE_TO_(GET|VERIFY)|HOSTNAME_MISMATCH)/;

function networkHint(code: string): string {
  if (code === 'ECONNREFUSED') return 'nothing listens at this address: is the cluster up?';
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') {
    return 'the name does not resolve: check the server address of the kubeconfig';
  }
  return 'check the network, the proxy and the server address of the kubeconfig';
}

function describe(cause: unknown, code: string): string {
  const message = messageOf(cause);
  return code === '' || message.includes(code) ? message : `${message} (${code})`;
}

/** The code of the error or of the first cause that has one. */
function codeOf(error: unknown): string {
  for (let at: unknown = error, depth = 0; at instanceof Error && depth < 5; depth++) {
    if ('errors' in at && Array.isArray(at.errors) && at.errors[0] instanceof Error) {
      return codeOf(at.errors[0]);
    }
    if ('code' in at && typeof at.code === 'string') return at.code;
    at = at.cause;
  }
  return '';
}
