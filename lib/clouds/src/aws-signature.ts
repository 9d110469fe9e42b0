/** Signatures of requests to Amazon's services (AWS documentation: "Signature Version 4"), where no SDK sends the request itself. */
import { createHash, createHmac } from 'node:crypto';
import type { AwsCredentials } from './aws.ts';

const ALGORITHM = 'AWS4-HMAC-SHA256';

export interface SigningPlace {
  readonly region: string;
  readonly service: string;
}

/** The signature of a canonical request, in hexadecimal; `time` as YYYYMMDDTHHMMSS with or without Z. */
export function signatureOf(
  canonical: string,
  { region, service, time }: SigningPlace & { readonly time: string },
  secretAccessKey: string,
): string {
  const scope = `${time.slice(0, 8)}/${region}/${service}/aws4_request`;
  const text = [ALGORITHM, time, scope, sha256(canonical)].join('\n');
  const hmac = (key: Buffer, part: string) => createHmac('sha256', key).update(part).digest();
  const key = scope.split('/').reduce<Buffer>(hmac, Buffer.from(`AWS4${secretAccessKey}`));
  return hmac(key, text).toString('hex');
}

/** YYYYMMDDTHHMMSSZ. */
export function signingTime(nowMs: number): string {
  return new Date(nowMs).toISOString().replaceAll(/[-:]|\.\d+/g, '');
}

/** The headers of a GET without parameters. */
export function signedHeaders(
  url: string,
  place: SigningPlace,
  credentials: AwsCredentials,
  nowMs: number,
): Readonly<Record<string, string>> {
  const { host, pathname } = new URL(url);
  const { accessKeyId, secretAccessKey, sessionToken } = credentials;
  const time = signingTime(nowMs);
  const headers: Readonly<Record<string, string>> = {
    host,
    'x-amz-date': time,
    ...(sessionToken === undefined ? {} : { 'x-amz-security-token': sessionToken }),
  };
  const names = Object.keys(headers).join(';');
  // Each part of the path is encoded a second time.
  const path = pathname.split('/').map(encode).join('/');
  const canonical = ['GET', path, '', ...lines(headers), '', names, sha256('')].join('\n');
  const signature = signatureOf(canonical, { ...place, time }, secretAccessKey);
  const credential = `${accessKeyId}/${time.slice(0, 8)}/${place.region}/${place.service}/aws4_request`;
  const { host: _, ...sent } = headers;
  const authorization = `${ALGORITHM} Credential=${credential}, SignedHeaders=${names}, Signature=${signature}`;
  return { ...sent, authorization };
}

/** The URL of a GET of `/` that whoever bears it may send, with `headers` of that content, for so many seconds. */
export function presignedUrl(
  host: string,
  request: {
    readonly parameters: Readonly<Record<string, string>>;
    readonly headers: Readonly<Record<string, string>>;
    readonly seconds: number;
  },
  place: SigningPlace,
  { accessKeyId, secretAccessKey, sessionToken }: AwsCredentials,
  nowMs: number,
): string {
  const time = signingTime(nowMs);
  const headers = { host, ...request.headers };
  const names = Object.keys(headers).toSorted().join(';');
  const parameters: Readonly<Record<string, string>> = {
    ...request.parameters,
    'X-Amz-Algorithm': ALGORITHM,
    'X-Amz-Credential': `${accessKeyId}/${time.slice(0, 8)}/${place.region}/${place.service}/aws4_request`,
    'X-Amz-Date': time,
    'X-Amz-Expires': String(request.seconds),
    'X-Amz-SignedHeaders': names,
    ...(sessionToken === undefined ? {} : { 'X-Amz-Security-Token': sessionToken }),
  };
  const query = Object.entries(parameters)
    .map(([name, value]) => `${encode(name)}=${encode(value)}`)
    .toSorted()
    .join('&');
  const canonical = ['GET', '/', query, ...lines(headers), '', names, sha256('')].join('\n');
  const signature = signatureOf(canonical, { ...place, time }, secretAccessKey);
  return `https://${host}/?${query}&X-Amz-Signature=${signature}`;
}

function lines(headers: Readonly<Record<string, string>>): readonly string[] {
  return Object.entries(headers)
    .map(([name, value]) => `${name}:${value.trim()}`)
    .toSorted();
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/** As RFC 3986 has it: all but letters, digits and `-_.~`. */
function encode(text: string): string {
  return encodeURIComponent(text).replaceAll(
    /[!'()*]/g,
    (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}
