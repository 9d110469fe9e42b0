/** Amazon's identities and what they open, as Flux's controllers use them (fluxcd/pkg/auth/aws). */
import {
  agentsFor,
  type CloudAccess,
  type CloudLogin,
  invalid,
  refused,
  TIMEOUT_MS,
} from './access.ts';
import { signatureOf, signingTime } from './aws-signature.ts';

export interface AwsCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
  /** Absent: they do not end. */
  readonly expiresAtMs?: number;
}

export interface AwsPlace {
  /** Whose Security Token Service is asked. */
  readonly region?: string;
  /** Of the shared files; absent: as the environment says. */
  readonly profile?: string;
  /** A Security Token Service of Amazon's at another address: a VPC endpoint, say. */
  readonly stsEndpoint?: string;
}

const STS_ENDPOINT = /^https:\/\/(.+\.)?sts(-fips)?(\.[^.]+)?(\.vpce)?\.amazonaws\.com$/;
const REGISTRY =
  /^([0-9]{12})\.dkr[.-]ecr(?:-fips)?\.([a-zA-Z0-9][a-zA-Z0-9_-]{0,99})\.(amazonaws\.(?:com(?:\.cn)?|eu)|on\.(?:aws|amazonwebservices\.com\.cn)|sc2s\.sgov\.gov|c2s\.ic\.gov|cloud\.adc-e\.uk|csp\.hci\.ic\.gov)$/;
const PUBLIC_REGISTRIES: ReadonlySet<string> = new Set(['public.ecr.aws', 'ecr-public.aws.com']);
/** Where the public registry hands out its tokens. */
const PUBLIC_REGION = 'us-east-1';
/** For so long a signed request is taken by CodeCommit. */
const SIGNATURE_MS = 15 * 60_000;

/**
 * The credentials of this process: environment, shared files, a web identity, a container's or the node's role, in the order of
 * Amazon's SDKs. The services that hand them out stand at fixed addresses; no user names them.
 */
export async function awsSurroundings(
  { region, stsEndpoint, profile }: AwsPlace,
  access: CloudAccess = {},
): Promise<AwsCredentials> {
  const where = region ?? process.env['AWS_REGION'];
  if (!where) {
    throw invalid(
      'AWS_REGION environment variable is not set in this process; with IAM Roles for Service Accounts or EKS Pod Identity make the Pod anew, so that it is injected; else set it',
    );
  }
  checkStsEndpoint(stsEndpoint);
  const { defaultProvider } = await import('@aws-sdk/credential-provider-node');
  const find = defaultProvider({
    ...(profile === undefined ? {} : { profile }),
    clientConfig: {
      region: where,
      ...(stsEndpoint === undefined ? {} : { endpoint: stsEndpoint }),
      requestHandler: handlerOf(access),
    },
    timeout: 1_000,
    maxRetries: 0,
  });
  try {
    return toCredentials(await find());
  } catch (cause) {
    throw refused(cause);
  }
}

/** Gives a role to whoever bears a token of an identity provider that the role trusts (AssumeRoleWithWebIdentity). */
export async function awsWebIdentity(
  identity: { readonly token: string; readonly roleArn: string; readonly sessionName: string },
  { region, stsEndpoint }: AwsPlace,
  access: CloudAccess = {},
): Promise<AwsCredentials> {
  if (!region) {
    throw invalid(
      'an AWS region is required for authenticating with a service account. please configure one in the object spec',
    );
  }
  checkStsEndpoint(stsEndpoint);
  const { STSClient, AssumeRoleWithWebIdentityCommand } = await import('@aws-sdk/client-sts');
  const client = new STSClient({
    ...clientConfig(region, access),
    ...(stsEndpoint === undefined ? {} : { endpoint: stsEndpoint }),
  });
  const command = new AssumeRoleWithWebIdentityCommand({
    RoleArn: identity.roleArn,
    RoleSessionName: identity.sessionName,
    WebIdentityToken: identity.token,
  });
  return await ask(
    client,
    async (options) => {
      const { Credentials } = await client.send(command, options);
      return fromSts(Credentials);
    },
    access,
  );
}

/** Another role, for whoever may take it (AssumeRole). */
export async function awsRole(
  credentials: AwsCredentials,
  {
    roleArn,
    sessionName,
    region,
  }: { readonly roleArn: string; readonly sessionName: string; readonly region: string },
  access: CloudAccess = {},
): Promise<AwsCredentials> {
  const { STSClient, AssumeRoleCommand } = await import('@aws-sdk/client-sts');
  const client = new STSClient({ ...clientConfig(region, access), credentials });
  const command = new AssumeRoleCommand({ RoleArn: roleArn, RoleSessionName: sessionName });
  return await ask(
    client,
    async (options) => {
      const { Credentials } = await client.send(command, options);
      return fromSts(Credentials);
    },
    access,
  );
}

/** The region of a registry's host. Throws CLOUD_INVALID for a host that is none of Amazon's. */
export function ecrRegion(registry: string): string {
  if (PUBLIC_REGISTRIES.has(registry)) return PUBLIC_REGION;
  const region = REGISTRY.exec(registry)?.[2];
  if (region !== undefined) return region;
  throw invalid(`invalid AWS registry: '${registry}'. must match ${REGISTRY.source}`);
}

/** The login of a registry of Amazon's (GetAuthorizationToken), for twelve hours. */
export async function ecrLogin(
  registry: string,
  credentials: AwsCredentials,
  access: CloudAccess = {},
): Promise<CloudLogin> {
  const config = { ...clientConfig(ecrRegion(registry), access), credentials };
  const data = PUBLIC_REGISTRIES.has(registry)
    ? await publicToken(config, access)
    : await privateToken(config, access);
  const pair = Buffer.from(data?.authorizationToken ?? '', 'base64')
    .toString('utf8')
    .split(':');
  const [username = '', password = ''] = pair;
  if (pair.length !== 2) throw refused(new Error('invalid authorization token format'));
  return { username, password, expiresAtMs: data?.expiresAt?.getTime() ?? 0 };
}

type ClientConfig = ReturnType<typeof clientConfig> & { readonly credentials: AwsCredentials };

async function privateToken(config: ClientConfig, access: CloudAccess) {
  const { ECRClient, GetAuthorizationTokenCommand } = await import('@aws-sdk/client-ecr');
  const client = new ECRClient(config);
  return await ask(
    client,
    async (options) => {
      const answer = await client.send(new GetAuthorizationTokenCommand({}), options);
      return answer.authorizationData?.[0];
    },
    access,
  );
}

async function publicToken(config: ClientConfig, access: CloudAccess) {
  const { ECRPUBLICClient, GetAuthorizationTokenCommand } = await import(
    '@aws-sdk/client-ecr-public'
  );
  const client = new ECRPUBLICClient(config);
  return await ask(
    client,
    async (options) => {
      const answer = await client.send(new GetAuthorizationTokenCommand({}), options);
      return answer.authorizationData;
    },
    access,
  );
}

/** The region in the address of a repository of CodeCommit. Throws CLOUD_INVALID for another address. */
export function codeCommitRegion(url: string): string {
  const { protocol, hostname, host } = new URL(url);
  if (protocol !== 'https:') {
    throw invalid('AWS CodeCommit authentication requires an HTTPS Git URL');
  }
  const found = /^git-codecommit(?:-fips)?\.([^.]+)\..*\.?amazonaws\.com(?:\.cn)?$/.exec(hostname);
  if (found === null) throw invalid(`invalid AWS CodeCommit Git URL: ${host}`);
  return found[1] ?? '';
}

/**
 * User and password for a repository of CodeCommit: the signature of a request of the method GIT for its address, with the time
 * (AWS documentation: "Setup steps for HTTPS connections to CodeCommit with the git-remote-codecommit helper").
 */
export function codeCommitLogin(
  url: string,
  credentials: AwsCredentials,
  nowMs: number,
): CloudLogin {
  const region = codeCommitRegion(url);
  const { host, pathname } = new URL(url);
  const time = signingTime(nowMs).slice(0, -1);
  const canonical = `GIT\n${pathname}\n\nhost:${host}\n\nhost\n`;
  const place = { region, service: 'codecommit', time };
  const signature = signatureOf(canonical, place, credentials.secretAccessKey);
  const { accessKeyId, sessionToken, expiresAtMs = Number.POSITIVE_INFINITY } = credentials;
  return {
    username: `${accessKeyId}%${sessionToken ?? ''}`,
    password: `${time}Z${signature}`,
    expiresAtMs: Math.min(nowMs + SIGNATURE_MS, expiresAtMs),
  };
}

/** Of any client of Amazon's. */
export function clientConfig(region: string, access: CloudAccess) {
  return { region, requestHandler: handlerOf(access), maxAttempts: 2 };
}

function handlerOf(access: CloudAccess) {
  return { ...agentsFor(access), requestTimeout: TIMEOUT_MS, connectionTimeout: TIMEOUT_MS };
}

/** One question, after which the client is no longer needed. */
export async function ask<T>(
  client: { destroy(): void },
  question: (options: { readonly abortSignal?: AbortSignal }) => Promise<T>,
  { signal }: CloudAccess,
): Promise<T> {
  try {
    return await question(signal === undefined ? {} : { abortSignal: signal });
  } catch (cause) {
    signal?.throwIfAborted();
    throw refused(cause);
  } finally {
    client.destroy();
  }
}

function checkStsEndpoint(endpoint: string | undefined): void {
  if (endpoint === undefined || STS_ENDPOINT.test(endpoint)) return;
  throw invalid(`invalid STS endpoint: '${endpoint}'. must match ${STS_ENDPOINT.source}`);
}

function fromSts(
  given:
    | {
        readonly AccessKeyId?: string | undefined;
        readonly SecretAccessKey?: string | undefined;
        readonly SessionToken?: string | undefined;
        readonly Expiration?: Date | undefined;
      }
    | undefined,
): AwsCredentials {
  if (given === undefined) throw refused(new Error('credentials are nil'));
  return toCredentials({
    accessKeyId: given.AccessKeyId ?? '',
    secretAccessKey: given.SecretAccessKey ?? '',
    sessionToken: given.SessionToken,
    expiration: given.Expiration,
  });
}

function toCredentials(given: {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string | undefined;
  readonly expiration?: Date | undefined;
}): AwsCredentials {
  const { accessKeyId, secretAccessKey, sessionToken, expiration } = given;
  return {
    accessKeyId,
    secretAccessKey,
    ...(sessionToken === undefined ? {} : { sessionToken }),
    ...(expiration === undefined ? {} : { expiresAtMs: expiration.getTime() }),
  };
}
