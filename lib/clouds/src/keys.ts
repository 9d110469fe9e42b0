/** Keys that a service of a cloud, or Vault, keeps: what they encrypted is opened there. As SOPS asks them. */
import { hostname } from 'node:os';
import { type CloudAccess, type CloudToken, invalid, refused } from './access.ts';
import { type AwsCredentials, ask, awsRole, clientConfig } from './aws.ts';
import { guarded, toCredential } from './azure.ts';
import { type PostOptions, post } from './post.ts';

const ARN = /^arn:aws[\w-]*:kms:(.+):[0-9]+:(key|alias)\/.+$/;
const GOOGLE_KEY = /^projects\/[^/]+\/locations\/[^/]+\/keyRings\/[^/]+\/cryptoKeys\/[^/]+$/;
const SESSION_LENGTH_MAX = 64;

/** The region in the name of a key of AWS KMS. Throws CLOUD_INVALID. */
export function awsKeyRegion(arn: string): string {
  const region = ARN.exec(arn)?.[1];
  if (region !== undefined) return region;
  throw invalid(`no valid ARN found in '${arn}'`);
}

/** AWS KMS. With `role` that role is assumed first. */
export async function openWithAwsKms(
  key: {
    readonly arn: string;
    readonly role?: string;
    readonly context?: Readonly<Record<string, string>>;
  },
  ciphertext: Uint8Array,
  given: AwsCredentials,
  access: CloudAccess = {},
): Promise<Uint8Array> {
  const region = awsKeyRegion(key.arn);
  const sessionName = `sops@${hostname().replaceAll(/[^a-zA-Z0-9=,.@-]+/g, '')}`;
  const credentials = key.role
    ? await awsRole(
        given,
        { roleArn: key.role, sessionName: sessionName.slice(0, SESSION_LENGTH_MAX), region },
        access,
      )
    : given;
  const { KMSClient, DecryptCommand } = await import('@aws-sdk/client-kms');
  const client = new KMSClient({ ...clientConfig(region, access), credentials });
  const command = new DecryptCommand({
    KeyId: key.arn,
    CiphertextBlob: ciphertext,
    EncryptionContext: { ...key.context },
  });
  const { Plaintext } = await ask(client, (options) => client.send(command, options), access);
  if (Plaintext === undefined) throw refused(new Error('KMS answered without a key'));
  return Plaintext;
}

/** Azure Key Vault (RSA-OAEP-256). The vault's address is the file's choice: it is at no metadata address, and only https. */
export async function openWithAzureVault(
  key: { readonly vaultUrl: string; readonly name: string; readonly version: string },
  ciphertext: Uint8Array,
  token: (scope: string) => Promise<CloudToken>,
  access: CloudAccess = {},
): Promise<Uint8Array> {
  if (!URL.canParse(key.vaultUrl)) throw invalid(`'${key.vaultUrl}' is no address of a vault`);
  const { CryptographyClient } = await import('@azure/keyvault-keys');
  const id = new URL(`/keys/${key.name}/${key.version}`, key.vaultUrl).href;
  const client = new CryptographyClient(id, toCredential(token), guarded(access));
  try {
    const abort = access.signal === undefined ? {} : { abortSignal: access.signal };
    const { result } = await client.decrypt({ algorithm: 'RSA-OAEP-256', ciphertext }, abort);
    return result;
  } catch (cause) {
    access.signal?.throwIfAborted();
    throw refused(cause);
  }
}

/** Google Cloud KMS. */
export async function openWithGoogleKms(
  resource: string,
  ciphertext: Uint8Array,
  { token }: CloudToken,
  access: CloudAccess = {},
): Promise<Uint8Array> {
  if (!GOOGLE_KEY.test(resource)) throw invalid(`no valid resource ID found in "${resource}"`);
  const path = resource.split('/').map(encodeURIComponent).join('/');
  const answer = await askJson(
    `https://cloudkms.googleapis.com/v1/${path}:decrypt`,
    { ciphertext: Buffer.from(ciphertext).toString('base64') },
    { headers: { authorization: `Bearer ${token}` }, ...access },
  );
  return fromBase64(answer['plaintext']);
}

/** HashiCorp Vault's (or OpenBao's) transit engine at the address that the file names. */
export async function openWithVault(
  key: { readonly address: string; readonly enginePath: string; readonly name: string },
  ciphertext: string,
  token: string,
  access: CloudAccess = {},
): Promise<Uint8Array> {
  const path = `${key.enginePath}/decrypt/${key.name}`;
  const answer = await postToVault(key.address, path, { ciphertext }, { token, ...access });
  const { data } = answer as { readonly data?: { readonly plaintext?: unknown } };
  return fromBase64(data?.plaintext);
}

/** A token of Vault's for a token of an identity provider, by whatever method is mounted at the path. */
export async function loginToVault(
  vault: { readonly address: string; readonly loginPath: string; readonly role: string },
  jwt: string,
  access: CloudAccess = {},
): Promise<string> {
  const { address, loginPath, role } = vault;
  const answer = await postToVault(address, loginPath, { role, jwt }, access).catch(
    (cause: unknown) => {
      throw refused(
        new Error(
          `failed to authenticate with Vault '${address}' at login path '${loginPath}' as role '${role}': ${refused(cause).message}`,
        ),
      );
    },
  );
  const { auth } = answer as { readonly auth?: { readonly client_token?: unknown } };
  if (typeof auth?.client_token === 'string' && auth.client_token !== '') return auth.client_token;
  throw refused(
    new Error(`Vault '${address}' returned no token for login at '${loginPath}' as role '${role}'`),
  );
}

async function postToVault(
  address: string,
  path: string,
  body: object,
  { token, ...access }: CloudAccess & { readonly token?: string },
): Promise<Readonly<Record<string, unknown>>> {
  if (!URL.canParse(address)) throw invalid(`'${address}' is no address of a Vault`);
  const place = path.split('/').map(encodeURIComponent).join('/');
  const url = new URL(`${address.replace(/\/+$/, '')}/v1/${place}`);
  return await askJson(url.href, body, {
    ...access,
    ...(token === undefined ? {} : { headers: { 'x-vault-token': token } }),
  });
}

/** One question in JSON, to this address and no other. */
async function askJson(
  url: string,
  body: object,
  options: PostOptions,
): Promise<Readonly<Record<string, unknown>>> {
  const { status, text } = await post(url, body, options);
  if (status === 200) return JSON.parse(text);
  throw refused(new Error(`${new URL(url).origin} answered with status ${status}`));
}

function fromBase64(text: unknown): Uint8Array {
  if (typeof text === 'string') return Buffer.from(text, 'base64');
  throw refused(new Error('the service answered without a key'));
}
