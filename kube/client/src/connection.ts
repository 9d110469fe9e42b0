/** Everything that one identity needs to talk to one API server, as a kubeconfig or a Pod's service account tells it. */
export interface ClusterConnection {
  /** URL, with a path when the API is served below one. */
  readonly server: string;
  /** PEM of the authorities to trust instead of the machine's. */
  readonly certificateAuthority?: string;
  readonly insecureSkipTlsVerify?: boolean;
  /** The name to expect in the server's certificate, when it is not the host of `server`. */
  readonly tlsServerName?: string;
  /** http://, https:// or socks5://. Absent: the environment decides (HTTPS_PROXY, NO_PROXY). */
  readonly proxyUrl?: string;
  readonly disableCompression?: boolean;
  readonly credentials: Credentials;
  /** For messages: where this came from, e.g. `context prod of /home/ann/.kube/config`. */
  readonly origin: string;
  /** The context's namespace; 'default' when it says nothing. */
  readonly namespace: string;
}

/** A source of credentials which may change over time (token files, exec plugins). */
export interface Credentials {
  current(options: { readonly signal?: AbortSignal }): Promise<Credential>;
  /** The server answered 401 to this credential: the next `current` must not come from a cache. */
  rejected(credential: Credential): void;
}

export interface Credential {
  /** Authorization and, if the kubeconfig asks for it, impersonation. */
  readonly headers: Readonly<Record<string, string | readonly string[]>>;
  /** PEM. */
  readonly clientCertificate?: { readonly certificate: string; readonly key: string };
}

export function fixedCredentials(credential: Credential): Credentials {
  return { current: async () => credential, rejected: () => {} };
}
