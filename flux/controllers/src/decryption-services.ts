/**
 * Keys of SOPS that services keep: with credentials of the Secret that `spec.decryption` names, else with the identity of its
 * service account, or of this process (kustomize-controller's decryptor).
 */
import type { KubeClient } from '@capstan/kube-client';
import {
  type AwsCredentials,
  type AzureSecret,
  awsKeyRegion,
  azureSecretToken,
  type CloudToken,
  googleFileToken,
  loginToVault,
  openWithAwsKms,
  openWithAzureVault,
  openWithGoogleKms,
  openWithVault,
} from '@capstan/lib-clouds';
import type { ServiceKey, SopsKeys } from '@capstan/lib-sops';
import { CapstanError } from '@capstan/lib-std';
import { parseYaml } from '@capstan/lib-yaml';
import type { Bearer, CloudIdentities } from './identity/cloud-identities.ts';
import type { InvolvedObject } from './identity/token-cache.ts';
import { readValues } from './read-secret.ts';
import type { FluxSettings } from './settings.ts';

export interface DecryptionPorts {
  readonly client: KubeClient;
  readonly identities: CloudIdentities;
  readonly settings?: FluxSettings;
}

/** Credentials that a Secret holds, by the names in Flux's documentation. */
export interface ServiceSecrets {
  readonly vaultToken?: string;
  readonly aws?: AwsCredentials;
  readonly azure?: AzureSecret;
  /** A file of Google's credentials. */
  readonly google?: string;
}

const GOOGLE_SCOPES = [
  'https://www.googleapis.com/auth/cloud-platform',
  'https://www.googleapis.com/auth/cloudkms',
];

/** Throws SECRET_INVALID for what cannot be credentials; it tells nothing of them. */
export function readServiceSecrets(
  values: ReadonlyMap<string, string>,
  place: string,
): ServiceSecrets {
  const read = <T>(name: string, parse: (text: string) => T): T | undefined => {
    const text = values.get(name);
    if (text === undefined) return undefined;
    try {
      return parse(text);
    } catch (error) {
      // Of other errors not even the message: it could quote the text.
      const why = error instanceof CapstanError ? error.message : 'it cannot be read';
      throw new CapstanError(
        'SECRET_INVALID',
        `failed to import '${name}' data from sops decryption Secret '${place}': ${why}`,
        { kind: 'wait' },
      );
    }
  };
  const vaultToken = values.get('sops.vault-token')?.trim();
  const aws = read('sops.aws-kms', awsCredentials);
  const azure = read('sops.azure-kv', azureSecret);
  const google = values.get('sops.gcp-kms')?.trim();
  return {
    ...(vaultToken === undefined ? {} : { vaultToken }),
    ...(aws === undefined ? {} : { aws }),
    ...(azure === undefined ? {} : { azure }),
    ...(google === undefined ? {} : { google }),
  };
}

type Texts = (name: string) => string;

function fieldsOf(text: string): Texts {
  let value: unknown;
  try {
    value = parseYaml(text);
  } catch {
    throw new CapstanError('SECRET_INVALID', 'it is no sound YAML');
  }
  return (name) => {
    const found = isRecord(value) ? value[name] : undefined;
    return found === undefined || found === null ? '' : String(found);
  };
}

function awsCredentials(text: string): AwsCredentials {
  const field = fieldsOf(text);
  const sessionToken = field('aws_session_token');
  return {
    accessKeyId: field('aws_access_key_id'),
    secretAccessKey: field('aws_secret_access_key'),
    ...(sessionToken === '' ? {} : { sessionToken }),
  };
}

/** An application's fields, or those that the `az` command prints. */
function azureSecret(text: string): AzureSecret {
  const field = fieldsOf(text);
  const authorityHost = field('authorityHost');
  const where = authorityHost === '' ? {} : { authorityHost };
  const [tenantId, clientId] = [field('tenantId'), field('clientId')];
  const [clientSecret, clientCertificate] = [field('clientSecret'), field('clientCertificate')];
  if (tenantId !== '' && clientId !== '' && clientSecret !== '') {
    return { tenantId, clientId, clientSecret, ...where };
  }
  if (tenantId !== '' && clientId !== '' && clientCertificate !== '') {
    const password = field('clientCertificatePassword');
    return {
      ...{ tenantId, clientId, clientCertificate, ...where },
      sendCertificateChain: field('clientCertificateSendChain') === 'true',
      ...(password === '' ? {} : { clientCertificatePassword: password }),
    };
  }
  const [tenant, appId, password] = [field('tenant'), field('appId'), field('password')];
  if (tenant !== '' && appId !== '' && password !== '') {
    return { tenantId: tenant, clientId: appId, clientSecret: password, ...where };
  }
  if (clientId !== '') return { clientId };
  throw new CapstanError(
    'SECRET_INVALID',
    "invalid data: requires a 'clientId' field, a combination of 'tenantId', 'clientId' and 'clientSecret', or 'tenantId', 'clientId' and 'clientCertificate'",
  );
}

/** Opens a key of any service, with the given credentials or those of the bearer. */
export function serviceOpener(
  given: ServiceSecrets,
  bearer: Bearer,
  ports: DecryptionPorts,
): NonNullable<SopsKeys['open']> {
  const { identities } = ports;
  const to = (operation: InvolvedObject['operation']): Bearer =>
    bearer.involved === undefined
      ? bearer
      : { ...bearer, involved: { ...bearer.involved, operation } };
  return async (key) => {
    const text = textsOf(key);
    switch (key.service) {
      case 'kms': {
        const region = awsKeyRegion(text('arn'));
        const credentials = given.aws ?? (await identities.aws(to('decrypt_with_aws'), { region }));
        const named = { arn: text('arn'), role: text('role'), context: contextOf(key) };
        return await openWithAwsKms(named, Buffer.from(key.enc, 'base64'), credentials);
      }
      case 'azure_kv': {
        const vault = { vaultUrl: text('vault_url'), name: text('name'), version: text('version') };
        const token = azureTokens(given.azure, to('decrypt_with_azure'), identities);
        return await openWithAzureVault(vault, Buffer.from(key.enc, 'base64url'), token);
      }
      case 'gcp_kms': {
        const token =
          given.google === undefined
            ? await identities.google(to('decrypt_with_gcp'))
            : await googleFileToken(given.google, GOOGLE_SCOPES);
        const sealed = Buffer.from(key.enc, 'base64');
        return await openWithGoogleKms(text('resource_id'), sealed, token);
      }
      case 'hc_vault': {
        const address = text('vault_address');
        const token = await vaultToken(address, {
          ...{ given, ports, bearer: to('decrypt_with_vault') },
        });
        if (token === undefined) return undefined;
        const place = { address, enginePath: text('engine_path'), name: text('key_name') };
        return await openWithVault(place, key.enc, token);
      }
      default:
        return undefined;
    }
  };
}

function textsOf({ fields }: ServiceKey): Texts {
  return (name) => (typeof fields[name] === 'string' ? fields[name] : '');
}

function contextOf({ fields }: ServiceKey): Readonly<Record<string, string>> {
  const { context } = fields;
  if (!isRecord(context)) return {};
  return Object.fromEntries(Object.entries(context).map(([name, value]) => [name, String(value)]));
}

function azureTokens(
  secret: AzureSecret | undefined,
  bearer: Bearer,
  identities: CloudIdentities,
): (scope: string) => Promise<CloudToken> {
  return secret === undefined
    ? (scope) => identities.azure(bearer, scope)
    : (scope) => azureSecretToken(secret, scope);
}

/** The token of the Secret; else that of a login which the operator allows for this server; else this process's own. */
async function vaultToken(
  address: string,
  {
    given,
    bearer,
    ports,
  }: {
    readonly given: ServiceSecrets;
    readonly bearer: Bearer;
    readonly ports: DecryptionPorts;
  },
): Promise<string | undefined> {
  if (given.vaultToken) return given.vaultToken;
  const { client, identities, settings = {} } = ports;
  const { sopsVaultConfigMap } = settings;
  if (sopsVaultConfigMap === undefined) return process.env['VAULT_TOKEN'];
  const { namespace, name } = sopsVaultConfigMap;
  const map = `${namespace}/${name}`;
  const ref = { kind: 'ConfigMap' as const, namespace, name, optional: false };
  const values = await readValues(client, ref, { signal: AbortSignal.timeout(10_000) });
  const loginPath = loginPathOf(values?.get('config.yaml') ?? '', address);
  if (loginPath === undefined) {
    throw new CapstanError(
      'VAULT_UNKNOWN',
      `no Vault login path configured for address '${address}' in ConfigMap '${map}'`,
      { kind: 'wait', hint: 'name its address and loginPath among the instances of config.yaml' },
    );
  }
  const { token, account } = await identities.serviceToken(bearer, address);
  const role = `${account.namespace}_${account.name}`;
  return await loginToVault({ address, loginPath, role }, token);
}

/** Of `instances: [{address, loginPath}]`: a server that is not listed is not trusted. */
function loginPathOf(text: string, address: string): string | undefined {
  const config: unknown = parseYaml(text);
  const instances = isRecord(config) ? config['instances'] : undefined;
  for (const one of Array.isArray(instances) ? instances : []) {
    if (isRecord(one) && one['address'] === address && typeof one['loginPath'] === 'string') {
      return one['loginPath'];
    }
  }
  return undefined;
}

function isRecord(value: unknown): value is { readonly [key: string]: unknown } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
