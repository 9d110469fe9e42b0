/** Data keys that a service encrypted: one request each, to the address that the file names, never followed elsewhere. */
import { createHash, createHmac } from 'node:crypto';
import type { SopsKeys } from './master-keys.ts';
import { sopsError } from './sops-error.ts';

const TIMEOUT_MS = 15_000;

type Fields = Readonly<Record<string, unknown>>;

/** HashiCorp Vault's transit engine: `decrypt/<key>` answers the key in base64. */
export async function openWithVault(
  fields: Fields,
  enc: string,
  token: string,
): Promise<Uint8Array> {
  const [address, engine, name] = ['vault_address', 'engine_path', 'key_name'].map((field) =>
    String(fields[field] ?? ''),
  );
  const path = `${engine}/decrypt/${name}`.split('/').map(encodeURIComponent).join('/');
  const url = new URL(`${address?.replace(/\/+$/, '')}/v1/${path}`);
  const answer = await post(url, { 'x-vault-token': token }, { ciphertext: enc });
  const { data } = answer as { readonly data?: { readonly plaintext?: unknown } };
  return fromBase64(data?.plaintext);
}

/** AWS KMS: `Decrypt`, signed for the region that the key's name tells. */
export async function openWithKms(
  fields: Fields,
  enc: string,
  credentials: NonNullable<SopsKeys['aws']>,
): Promise<Uint8Array> {
  const found = /^arn:(aws[a-zA-Z-]*):kms:([a-z0-9-]+):/.exec(String(fields['arn'] ?? ''));
  if (found === null) throw sopsError('SOPS_METADATA', 'the name of a KMS key cannot be read');
  if (typeof fields['role'] === 'string' && fields['role'] !== '') {
    throw sopsError(
      'SOPS_UNSUPPORTED',
      'KMS keys that want a role to be assumed are not supported',
    );
  }
  const region = found[2] ?? '';
  const domain = found[1] === 'aws-cn' ? 'amazonaws.com.cn' : 'amazonaws.com';
  const body = {
    CiphertextBlob: enc,
    ...(isRecord(fields['context']) ? { EncryptionContext: fields['context'] } : {}),
  };
  const url = new URL(`https://kms.${region}.${domain}/`);
  const headers = signKms(url, JSON.stringify(body), { credentials, region, nowMs: Date.now() });
  const answer = await post(url, headers, body);
  return fromBase64((answer as { readonly Plaintext?: unknown }).Plaintext);
}

/** Signature Version 4 of a request to KMS. */
export function signKms(
  url: URL,
  body: string,
  options: {
    readonly credentials: NonNullable<SopsKeys['aws']>;
    readonly region: string;
    readonly nowMs: number;
  },
): Readonly<Record<string, string>> {
  const { credentials, region, nowMs } = options;
  const time = new Date(nowMs).toISOString().replace(/[-:]|\.\d+/g, '');
  const scope = `${time.slice(0, 8)}/${region}/kms/aws4_request`;
  const headers: Record<string, string> = {
    'content-type': 'application/x-amz-json-1.1',
    host: url.host,
    'x-amz-date': time,
    ...(credentials.sessionToken === undefined
      ? {}
      : { 'x-amz-security-token': credentials.sessionToken }),
    'x-amz-target': 'TrentService.Decrypt',
  };
  const names = Object.keys(headers).sort();
  const lines = names.map((name) => `${name}:${headers[name]}`);
  const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
  const canonical = ['POST', '/', '', ...lines, '', names.join(';'), sha256(body)].join('\n');
  const text = ['AWS4-HMAC-SHA256', time, scope, sha256(canonical)].join('\n');
  const hmac = (key: Buffer, part: string) => createHmac('sha256', key).update(part).digest();
  const key = scope.split('/').reduce<Buffer>(hmac, Buffer.from(`AWS4${credentials.secretKey}`));
  const signature = hmac(key, text).toString('hex');
  const { host: _host, ...sent } = headers;
  return {
    ...sent,
    authorization: `AWS4-HMAC-SHA256 Credential=${credentials.accessKey}/${scope}, SignedHeaders=${names.join(';')}, Signature=${signature}`,
  };
}

async function post(
  url: URL,
  headers: Readonly<Record<string, string>>,
  body: object,
): Promise<unknown> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
    redirect: 'error',
    signal: AbortSignal.timeout(TIMEOUT_MS),
  });
  if (response.ok) return await response.json();
  throw sopsError('SOPS_NO_KEY', `${url.origin} answered with status ${response.status}`);
}

function fromBase64(text: unknown): Uint8Array {
  if (typeof text === 'string') return Buffer.from(text, 'base64');
  throw sopsError('SOPS_NO_KEY', 'the service answered without a key');
}

function isRecord(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
