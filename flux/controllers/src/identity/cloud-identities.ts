/**
 * Identities of clouds for objects that name none of their own secrets: of the service account that the object names (a token of
 * this cluster that the cloud trusts), else of this process. As Flux's pkg/auth has it, with its words for what fails.
 */
import { isNotFound, type KubeClient } from '@capstan/kube-client';
import type { ControllerRuntime } from '@capstan/kube-controller';
import type { KubeObject } from '@capstan/kube-object';
import {
  type AwsCredentials,
  AZURE_SCOPES,
  acrLogin,
  acrScope,
  awsSurroundings,
  awsWebIdentity,
  azureFederated,
  azureManagement,
  azureSurroundings,
  type CloudAccess,
  type CloudToken,
  type ClusterPlace,
  checkAks,
  checkGke,
  checkGoogleRegistry,
  codeCommitLogin,
  codeCommitRegion,
  describeAks,
  describeEks,
  describeGke,
  ecrLogin,
  ecrRegion,
  eksCluster,
  eksToken,
  endOf,
  gkeCluster,
  googleFederated,
  googleRegistryLogin,
  googleSurroundings,
} from '@capstan/lib-clouds';
import type { Credentials } from '@capstan/lib-oci';
import { CapstanError, type Clock, messageOf } from '@capstan/lib-std';
import type { FluxSettings } from '../settings.ts';
import { applicationOf, emailOf, identityProviderOf, roleOf } from './account-identity.ts';
import { pickAksPlace } from './aks-place.ts';
import {
  OWN_TOKEN_FILE,
  ownServiceAccount,
  requestServiceToken,
  type ServiceAccountName,
  type ServiceToken,
} from './service-tokens.ts';
import { type InvolvedObject, type Lookup, TokenCache } from './token-cache.ts';

/** Whose identity is asked for. */
export interface Bearer {
  /** Of the object. */
  readonly namespace: string;
  /** What the object names. */
  readonly serviceAccountName?: string;
  /** Takes its place where the object names none. */
  readonly defaultAccount?: string;
  /** URL of the object's proxy. */
  readonly proxy?: string;
  /** Whether a token was at hand is counted for it. */
  readonly involved?: InvolvedObject;
}

/** A bearer within something that is counted as a whole. */
interface CountedBearer extends Bearer {
  readonly lookup?: Lookup;
}

export interface CloudIdentityPorts {
  readonly client: KubeClient;
  readonly settings?: FluxSettings;
  readonly clock: Clock;
  readonly runtime?: ControllerRuntime;
}

/** What a kubeConfig's ConfigMap says of a cluster of a cloud; '' where it does not. */
export interface CloudCluster extends ClusterPlace {
  readonly provider: 'aws' | 'azure' | 'gcp';
  /** As the cloud names it. */
  readonly cluster: string;
}

/** Where a cluster stands is asked anew after so long. */
const CLUSTER_MS = 15 * 60_000;

/** How one cloud knows its bearers. */
interface Trust<T> {
  /** Further parts of what tells one token from another. */
  readonly key: readonly string[];
  readonly provider: string;
  readonly audience: (account: KubeObject) => Promise<string>;
  readonly identity: (account: KubeObject) => string;
  readonly ofProcess: (access: CloudAccess) => Promise<T>;
  readonly ofAccount: (token: string, account: KubeObject, access: CloudAccess) => Promise<T>;
}

export class CloudIdentities {
  readonly #ports: CloudIdentityPorts;
  readonly #tokens: TokenCache;
  #gke: ReturnType<typeof gkeCluster> | undefined;

  constructor(ports: CloudIdentityPorts) {
    this.#ports = ports;
    this.#tokens = new TokenCache(ports.clock, ports.runtime?.registry);
  }

  /** Whether accounts that objects name may be used. */
  get isObjectLevel(): boolean {
    return this.#ports.settings?.objectIdentities === true;
  }

  /** Whose identity opens sources that name none; undefined: that of this process. */
  get sourceAccount(): string | undefined {
    return this.#ports.settings?.defaultSourceAccount;
  }

  /**
   * Does something that may ask for several tokens: it counts as one lookup for the bearer's object, a hit when all were at hand.
   * All that is asked within is for the bearer that it is given.
   */
  async counted<T>(bearer: Bearer, work: (bearer: Bearer) => Promise<T>): Promise<T> {
    const { involved, ...rest } = bearer;
    if (involved === undefined) return await work(bearer);
    const lookup: Lookup = {};
    const inner: CountedBearer = { ...rest, lookup };
    try {
      return await work(inner);
    } finally {
      this.#tokens.tell(involved, lookup);
    }
  }

  /** Credentials for Amazon's services. */
  async aws(
    bearer: Bearer,
    place: { readonly region?: string; readonly stsEndpoint?: string },
  ): Promise<AwsCredentials> {
    return await this.#token(bearer, {
      provider: 'aws',
      key: [place.region ?? '', place.stsEndpoint ?? ''],
      audience: async () => 'sts.amazonaws.com',
      identity: roleOf,
      ofProcess: (access) => awsSurroundings(place, access),
      ofAccount: (token, account, access) => {
        const { name, namespace } = account.metadata;
        const sessionName = `${name}.${namespace}.${place.region}.fluxcd.io`;
        return awsWebIdentity({ token, roleArn: roleOf(account), sessionName }, place, access);
      },
    });
  }

  /** A token of Microsoft's for one purpose. */
  async azure(bearer: Bearer, scope: string): Promise<CloudToken> {
    return await this.#token(bearer, {
      provider: 'azure',
      key: [scope],
      audience: async () => 'api://AzureADTokenExchange',
      identity: (account) => Object.values(applicationOf(account)).join('/'),
      ofProcess: (access) => azureSurroundings(scope, access),
      ofAccount: (token, account, access) =>
        azureFederated({ token, ...applicationOf(account) }, scope, access),
    });
  }

  /** A token of Google's. */
  async google(bearer: Bearer): Promise<CloudToken> {
    return await this.#token(bearer, {
      provider: 'gcp',
      key: [],
      audience: async (account) => identityProviderOf(account) ?? (await this.#gkePool()).pool,
      identity: (account) => emailOf(account) ?? '',
      ofProcess: googleSurroundings,
      ofAccount: async (token, account, access) => {
        const email = emailOf(account);
        const audience = identityProviderOf(account) ?? (await this.#gkePool()).audience;
        const identity = { token, audience, ...(email === undefined ? {} : { email }) };
        return await googleFederated(identity, access);
      },
    });
  }

  /** The login of a registry, `host` or `host/path`. */
  async registryLogin(provider: string, registry: string, bearer: Bearer): Promise<Credentials> {
    return await this.counted(bearer, (inner) => this.#registryLogin(provider, registry, inner));
  }

  async #registryLogin(
    provider: string,
    registry: string,
    bearer: CountedBearer,
  ): Promise<Credentials> {
    const host = registry.split('/')[0] ?? '';
    const access = accessOf(bearer);
    switch (provider) {
      case 'aws': {
        const region = ecrRegion(host);
        const credentials = await forRegistry(this.aws(bearer, { region }));
        const key = JSON.stringify(['ecr', host, credentials.accessKeyId]);
        return await asLogin(
          this.#tokens.get(key, () => ecrLogin(host, credentials, access), bearer.lookup),
        );
      }
      case 'azure': {
        const token = await forRegistry(this.azure(bearer, await acrScope(host)));
        const key = JSON.stringify(['acr', host, token.token]);
        return await asLogin(
          this.#tokens.get(key, () => acrLogin(host, token, access), bearer.lookup),
        );
      }
      case 'gcp':
        checkGoogleRegistry(host);
        return googleRegistryLogin(await forRegistry(this.google(bearer)));
      default:
        throw new CapstanError('IDENTITY_INVALID', `provider '${provider}' not implemented`);
    }
  }

  /** What opens a Git repository: a user with password at Amazon, a token at Microsoft. */
  async gitLogin(
    provider: string,
    url: string,
    bearer: Bearer,
  ): Promise<
    { readonly username: string; readonly password: string } | { readonly bearerToken: string }
  > {
    return await this.counted(bearer, (inner) => this.#gitLogin(provider, url, inner));
  }

  async #gitLogin(
    provider: string,
    url: string,
    bearer: CountedBearer,
  ): ReturnType<CloudIdentities['gitLogin']> {
    if (provider === 'azure') {
      const { token } = await forGit(this.azure(bearer, AZURE_SCOPES.devOps));
      return { bearerToken: token };
    }
    if (provider === 'aws') {
      const region = codeCommitRegion(url);
      const credentials = await forGit(this.aws(bearer, { region }));
      const key = JSON.stringify(['codecommit', url, credentials.accessKeyId]);
      const nowMs = this.#ports.clock.now();
      const login = async () => codeCommitLogin(url, credentials, nowMs);
      return await asLogin(this.#tokens.get(key, login, bearer.lookup));
    }
    throw new CapstanError(
      'IDENTITY_INVALID',
      `provider '${provider}' does not support Git credentials`,
    );
  }

  /** Where a cluster of a cloud stands; what is told of it is not asked for. */
  async clusterPlace(wanted: CloudCluster, bearer: CountedBearer): Promise<ClusterPlace> {
    const { address, certificateAuthority } = wanted;
    if (wanted.provider === 'aws') eksCluster(wanted.cluster);
    if (address !== '' && certificateAuthority !== '') return { address, certificateAuthority };
    const { namespace, serviceAccountName = '', defaultAccount = '' } = bearer;
    const key = ['cluster', wanted, namespace, serviceAccountName, defaultAccount];
    const ask = async () => ({
      ...(await this.#describe(wanted, bearer)),
      expiresAtMs: this.#ports.clock.now() + CLUSTER_MS,
    });
    const found = await this.#tokens.get(JSON.stringify(key), ask, bearer.lookup);
    return {
      address: address || found.address,
      certificateAuthority: certificateAuthority || found.certificateAuthority,
    };
  }

  async #describe({ provider, cluster, address }: CloudCluster, bearer: Bearer) {
    const access = accessOf(bearer);
    if (provider === 'aws') {
      const eks = eksCluster(cluster);
      const credentials = await forCluster(this.aws(bearer, { region: eks.region }));
      return await describeEks(eks, credentials, this.#ports.clock.now(), access).catch(
        prefixed(`failed to describe EKS cluster '${cluster}': `),
      );
    }
    if (provider === 'gcp') {
      checkGke(cluster);
      const token = await forCluster(this.google(bearer));
      return await describeGke(cluster, token, access).catch(
        prefixed(`failed to describe GKE cluster '${cluster}': `),
      );
    }
    checkAks(cluster);
    const { scope } = await azureManagement();
    const token = await forCluster(this.azure(bearer, scope));
    const configs = await describeAks(cluster, token, access);
    return pickAksPlace(configs, cluster, address);
  }

  /** What opens a cluster of a cloud. */
  async clusterToken({ provider, cluster }: CloudCluster, bearer: Bearer): Promise<CloudToken> {
    if (provider === 'gcp') return await forCluster(this.google(bearer));
    if (provider === 'azure') return await forCluster(this.azure(bearer, AZURE_SCOPES.kubernetes));
    const eks = eksCluster(cluster);
    const credentials = await forCluster(this.aws(bearer, { region: eks.region }));
    return eksToken(eks, credentials, { nowMs: this.#ports.clock.now() });
  }

  /** A token of this cluster itself, of the bearer's account or of this process's, for somebody who trusts such. */
  async serviceToken(
    bearer: Bearer,
    audience: string,
  ): Promise<ServiceToken & { readonly account: ServiceAccountName }> {
    const { client } = this.#ports;
    return await this.#token(bearer, {
      provider: 'generic',
      key: [audience],
      audience: async () => audience,
      identity: () => '',
      async ofProcess() {
        const account = await ownServiceAccount();
        if (account === undefined) {
          throw new CapstanError(
            'IDENTITY_INVALID',
            `failed to read service account token file ${OWN_TOKEN_FILE}`,
            { kind: 'wait', hint: 'name a service account' },
          );
        }
        const audiences = [audience];
        return { ...(await requestServiceToken(client, { ...account, audiences })), account };
      },
      async ofAccount(token, { metadata }) {
        const { namespace = '', name = '' } = metadata;
        return { token, expiresAtMs: endOf(token), account: { namespace, name } };
      },
    });
  }

  async #token<T extends { readonly expiresAtMs?: number }>(
    bearer: Bearer,
    trust: Trust<T>,
  ): Promise<T> {
    return await this.counted(bearer, (inner) => this.#countedToken(inner, trust));
  }

  async #countedToken<T extends { readonly expiresAtMs?: number }>(
    bearer: CountedBearer,
    trust: Trust<T>,
  ): Promise<T> {
    const access = accessOf(bearer);
    const parts = [trust.provider, ...trust.key, bearer.proxy ?? ''];
    const name = bearer.serviceAccountName || bearer.defaultAccount || '';
    if (name === '') {
      const ask = () =>
        trust
          .ofProcess(access)
          .catch(prefixed('failed to create provider access token for the controller: '));
      return await this.#tokens.get(JSON.stringify(parts), ask, bearer.lookup);
    }
    const { namespace } = bearer;
    const isNamed = Boolean(bearer.serviceAccountName);
    const account = await this.#findAccount({ namespace, name, isNamed });
    const place = `${namespace}/${name}`;
    const audience = await trust
      .audience(account)
      .catch(prefixed('failed to get provider audience: '));
    const identity = within(
      `failed to get provider identity from service account '${place}' annotations: `,
      () => trust.identity(account),
    );
    const key = JSON.stringify([...parts, audience, identity, namespace, name]);
    const ask = async () => {
      if (!this.isObjectLevel) {
        throw new CapstanError(
          'FEATURE_DISABLED',
          'ObjectLevelWorkloadIdentity feature gate is not enabled',
          { kind: 'stalled', hint: '--feature-gates=ObjectLevelWorkloadIdentity=true' },
        );
      }
      const audiences = [audience];
      const { token } = await requestServiceToken(this.#ports.client, {
        ...{ namespace, name, audiences },
      });
      return await trust
        .ofAccount(token, account, access)
        .catch(prefixed(`failed to create provider access token for service account '${place}': `));
    };
    return await this.#tokens.get(key, ask, bearer.lookup);
  }

  async #findAccount({
    namespace,
    name,
    isNamed,
  }: {
    readonly namespace: string;
    readonly name: string;
    readonly isNamed: boolean;
  }): Promise<KubeObject> {
    const ref = { apiVersion: 'v1', kind: 'ServiceAccount', namespace, name };
    const found = await this.#ports.client.find(ref).catch((error: unknown) => {
      if (isNotFound(error)) return undefined;
      throw error;
    });
    if (found !== undefined) return found;
    const why = isNamed
      ? `serviceaccounts "${name}" not found`
      : 'the specified default service account does not exist in the object namespace. your cluster is subject to multi-tenant workload identity lockdown, reach out to your cluster administrator for help';
    throw new CapstanError(
      'IDENTITY_INVALID',
      `failed to get service account '${namespace}/${name}': ${why}`,
      { kind: 'wait' },
    );
  }

  /** The pool of identities of this cluster of Google's; asked until it is known. */
  async #gkePool(): Promise<{ readonly pool: string; readonly audience: string }> {
    this.#gke ??= gkeCluster();
    const { project, location, name } = await this.#gke.catch((error: unknown) => {
      this.#gke = undefined;
      throw error;
    });
    const pool = `${project}.svc.id.goog`;
    const cluster = `https://container.googleapis.com/v1/projects/${project}/locations/${location}/clusters/${name}`;
    return { pool, audience: `identitynamespace:${pool}:${cluster}` };
  }
}

function accessOf({ proxy }: Bearer): CloudAccess {
  return proxy === undefined ? {} : { proxy };
}

async function asLogin(
  login: Promise<{ readonly username: string; readonly password: string }>,
): Promise<Credentials> {
  const { username, password } = await login.catch(
    prefixed('failed to create artifact registry credentials: '),
  );
  return { username, password };
}

const forRegistry = <T>(token: Promise<T>) =>
  token.catch(prefixed('failed to get access token for artifact registry: '));
const forGit = <T>(token: Promise<T>) =>
  token.catch(prefixed('failed to get access token for Git repository: '));

const forCluster = <T>(token: Promise<T>) =>
  token.catch(prefixed('failed to get access token for cluster: '));

/** Tells what was being done when it failed. */
function prefixed(prefix: string): (error: unknown) => never {
  return (error) => {
    if (!(error instanceof CapstanError) || error.kind === 'bug') throw error;
    const { code, kind, hint } = error;
    throw new CapstanError(code, `${prefix}${messageOf(error)}`, {
      kind,
      cause: error,
      ...(hint === undefined ? {} : { hint }),
    });
  };
}

function within<T>(prefix: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    return prefixed(prefix)(error);
  }
}
