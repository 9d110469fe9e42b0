import { CapstanError } from '@capstan/lib-std';

/** `https://host:port`, in lower case; nothing but https is taken. */
export function parseAddress(address: string, origin: string): string {
  const refuse = (message: string) =>
    new CapstanError('KUBECONFIG_INVALID', message, {
      kind: 'wait',
      hint: `set data.address of ${origin} to the https address of the API server`,
    });
  if (address === '') throw refuse('cluster address is required to create a REST config');
  const full = address.startsWith('http') ? address : `https://${address}`;
  const what = `the Kubernetes API server address '${address}'`;
  if (!URL.canParse(full)) throw refuse(`failed to parse ${what.slice(4)}`);
  const { protocol, hostname, port } = new URL(full);
  if (protocol !== 'https:') throw refuse(`${what} must use https scheme`);
  return `https://${hostname.toLowerCase()}:${port === '' ? '443' : port}`;
}
