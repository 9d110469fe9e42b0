/** A kubeconfig with one cluster and one user. JSON is YAML, so any client reads it. */
export function kubeconfigText(access: {
  readonly server: string;
  readonly authority?: string;
  readonly certificate?: string;
  readonly key?: string;
  readonly token?: string;
}): string {
  const base64 = (text: string): string => Buffer.from(text).toString('base64');
  const { server, authority, certificate, key, token } = access;
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [
      {
        name: 'sandbox',
        cluster: {
          server,
          ...(authority === undefined ? {} : { 'certificate-authority-data': base64(authority) }),
        },
      },
    ],
    users: [
      {
        name: 'admin',
        user: {
          ...(certificate === undefined ? {} : { 'client-certificate-data': base64(certificate) }),
          ...(key === undefined ? {} : { 'client-key-data': base64(key) }),
          ...(token === undefined ? {} : { token }),
        },
      },
    ],
    contexts: [{ name: 'sandbox', context: { cluster: 'sandbox', user: 'admin' } }],
    'current-context': 'sandbox',
  };
  return `${JSON.stringify(config, undefined, 2)}\n`;
}
