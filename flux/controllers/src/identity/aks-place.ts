import type { Json } from '@capstan/kube-object';
import type { ClusterPlace } from '@capstan/lib-clouds';
import { CapstanError } from '@capstan/lib-std';
import { parseYaml } from '@capstan/lib-yaml';
import { parseAddress } from '../cluster-address.ts';

/** The place in the first kubeconfig that leads to `address`, or in the first at all where that is ''. */
export function pickAksPlace(
  configs: readonly string[],
  cluster: string,
  address: string,
): ClusterPlace {
  const wanted = address === '' ? '' : parseAddress(address, cluster);
  const places = configs.map(placeOf);
  const found = places.find(
    (one) => wanted === '' || parseAddress(one.address, cluster) === wanted,
  );
  if (found !== undefined) return found;
  const seen = places.map((one) => `'${one.address}'`).join(', ');
  const which =
    address === ''
      ? ''
      : ` matching the specified address '${address}'. cluster addresses: [${seen}]`;
  throw new CapstanError(
    'KUBECONFIG_INVALID',
    `no kubeconfig found for AKS cluster ${cluster}${which}`,
    { kind: 'retry' },
  );
}

/** Of the current context; its user is not looked at. */
function placeOf(text: string): ClusterPlace {
  const config = parseYaml(text);
  const named = (list: string, name: Json | undefined) => {
    const items = field(config, list);
    return Array.isArray(items) ? items.find((one) => field(one, 'name') === name) : undefined;
  };
  const context = field(named('contexts', field(config, 'current-context')), 'context');
  const cluster = field(named('clusters', field(context, 'cluster')), 'cluster');
  const authority = String(field(cluster, 'certificate-authority-data') ?? '');
  return {
    address: String(field(cluster, 'server') ?? ''),
    certificateAuthority: Buffer.from(authority, 'base64').toString('utf8'),
  };
}

function field(value: Json | undefined, name: string): Json | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  return (value as { readonly [key: string]: Json })[name];
}
