/** For tests: Amazon's Security Token Service, registry logins, clusters and KMS, as far as they are asked. */
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import type { ClusterPlace } from '../clusters.ts';
import type { BoxAnswer, BoxRequest, CloudService } from './cloud-box.ts';

export interface AmazonStandIn {
  readonly services: readonly CloudService[];
  /** What the registry takes as password of the user AWS. */
  readonly registryPassword: string;
  /** As KMS encrypts, in base64. */
  readonly encrypt: (plain: Uint8Array, context?: Readonly<Record<string, string>>) => string;
  /** Where clusters stand, by name. */
  readonly clusters: Map<string, ClusterPlace>;
  /** `Action role` or `Target access-key` of each request. */
  readonly seen: string[];
}

const STS = 'https://sts.amazonaws.com/doc/2011-06-15/';

/** `trusts` judges the tokens of web identities: what it throws is the answer. */
export function amazonStandIn(trusts: (token: string, role: string) => void): AmazonStandIn {
  const seen: string[] = [];
  const registryPassword = randomBytes(12).toString('hex');
  const master = randomBytes(32);
  const sessions = new Map<string, string>();
  const credentials = (role: string): string => {
    const id = `ASIA${randomBytes(8).toString('hex').toUpperCase()}`;
    sessions.set(id, role);
    const end = new Date(Date.now() + 3_600_000).toISOString();
    return `<Credentials><AccessKeyId>${id}</AccessKeyId><SecretAccessKey>S</SecretAccessKey><SessionToken>T-${id}</SessionToken><Expiration>${end}</Expiration></Credentials>`;
  };
  const assume = ({ body, headers }: BoxRequest): BoxAnswer => {
    const form = new URLSearchParams(body);
    const [action, role] = [form.get('Action') ?? '', form.get('RoleArn') ?? ''];
    seen.push(`${action} ${role} ${form.get('RoleSessionName')}`);
    try {
      if (action === 'AssumeRoleWithWebIdentity') trusts(form.get('WebIdentityToken') ?? '', role);
      else if (signer(headers) === '') throw new Error('not signed');
    } catch (error) {
      const text = `<Error><Type>Sender</Type><Code>AccessDenied</Code><Message>${String(error)}</Message></Error>`;
      return xml(`<ErrorResponse xmlns="${STS}">${text}</ErrorResponse>`, 403);
    }
    const result = `<${action}Result>${credentials(role)}</${action}Result>`;
    return xml(`<${action}Response xmlns="${STS}">${result}</${action}Response>`);
  };
  const authorization = (request: BoxRequest): object => {
    const target = request.headers['x-amz-target'] ?? '';
    const key = signer(request.headers);
    const token = request.headers['x-amz-security-token'] ?? '';
    seen.push(
      `${target.split('.').at(-1)} ${sessions.get(key) ?? key} ${token === '' ? '' : 'session'}`.trim(),
    );
    const pair = Buffer.from(`AWS:${registryPassword}`).toString('base64');
    return { authorizationToken: pair, expiresAt: Date.now() / 1000 + 43_200 };
  };
  const kms = (request: BoxRequest): BoxAnswer => {
    const target = request.headers['x-amz-target'] ?? '';
    const key = signer(request.headers);
    seen.push(`${target.split('.').at(-1)} ${sessions.get(key) ?? key}`);
    if (key === '') return { status: 400, body: { __type: 'AccessDeniedException' } };
    const asked = JSON.parse(request.body);
    const context = contextOf(asked.EncryptionContext);
    if (target.endsWith('Encrypt')) {
      const sealed = seal(master, Buffer.from(asked.Plaintext, 'base64'), context);
      return amzJson({ CiphertextBlob: sealed.toString('base64'), KeyId: asked.KeyId });
    }
    try {
      const opened = unseal(master, Buffer.from(asked.CiphertextBlob, 'base64'), context);
      return amzJson({ Plaintext: opened.toString('base64'), KeyId: asked.KeyId });
    } catch {
      return amzJson({ __type: 'InvalidCiphertextException', message: 'no' }, 400);
    }
  };
  const clusters: AmazonStandIn['clusters'] = new Map();
  const eks = ({ url, headers }: BoxRequest): BoxAnswer => {
    const key = signer(headers);
    seen.push(`${url.pathname} ${sessions.get(key) ?? key}`);
    const place = clusters.get(decodeURIComponent(url.pathname.replace('/clusters/', '')));
    if (place === undefined) return { status: 404, body: { message: 'No cluster found' } };
    const data = Buffer.from(place.certificateAuthority).toString('base64');
    return { body: { cluster: { endpoint: place.address, certificateAuthority: { data } } } };
  };
  return {
    seen,
    registryPassword,
    clusters,
    encrypt: (plain, context = {}) => seal(master, plain, contextOf(context)).toString('base64'),
    services: [
      { hosts: /^sts\..*amazonaws\.com$/, answer: assume },
      {
        hosts: /^api\.ecr\..*\.amazonaws\.com$/,
        answer: (request) => amzJson({ authorizationData: [authorization(request)] }),
      },
      {
        hosts: /^api\.ecr-public\..*\.amazonaws\.com$/,
        answer: (request) => amzJson({ authorizationData: authorization(request) }),
      },
      { hosts: /^eks\..*\.amazonaws\.com$/, answer: eks },
      { hosts: /^kms\..*\.amazonaws\.com$/, answer: kms },
    ],
  };
}

/** Its order does not count. */
function contextOf(context: Readonly<Record<string, string>> = {}): Buffer {
  return Buffer.from(JSON.stringify(Object.entries(context).toSorted()));
}

/** The access key of a signed request; '' when there is none. */
function signer(headers: BoxRequest['headers']): string {
  return /Credential=([^/]+)\//.exec(headers['authorization'] ?? '')?.[1] ?? '';
}

function xml(body: string, status = 200): BoxAnswer {
  return { status, headers: { 'content-type': 'text/xml' }, body };
}

function amzJson(body: object, status = 200): BoxAnswer {
  return { status, headers: { 'content-type': 'application/x-amz-json-1.1' }, body };
}

/** Stands for whatever a key service does. */
export function seal(key: Uint8Array, plain: Uint8Array, more: Uint8Array): Buffer {
  const nonce = randomBytes(12);
  const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(more);
  const sealed = Buffer.concat([cipher.update(plain), cipher.final()]);
  return Buffer.concat([nonce, cipher.getAuthTag(), sealed]);
}

export function unseal(key: Uint8Array, sealed: Uint8Array, more: Uint8Array): Buffer {
  const decipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(0, 12)).setAAD(more);
  decipher.setAuthTag(sealed.subarray(12, 28));
  return Buffer.concat([decipher.update(sealed.subarray(28)), decipher.final()]);
}
