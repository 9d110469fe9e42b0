import { createHash, createHmac } from 'node:crypto';
import type { Json, JsonObject } from '@capstan/kube-object';
import { CapstanError } from '@capstan/lib-std';
import type { HttpPort } from './http-port.ts';
import { refusal, textAt } from './rest.ts';

export interface AwsCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

/** What the process was given for AWS: in a Pod by its environment. */
export interface AwsSurroundings {
  readonly region: string;
  readonly credentials: () => Promise<AwsCredentials>;
  /** Instead of `https://<service>.<region>.amazonaws.com`. */
  readonly endpoint?: string;
}

export interface AwsCall {
  readonly service: string;
  readonly region: string;
  readonly credentials: AwsCredentials;
  readonly endpoint?: string | undefined;
  readonly nowMs: number;
  readonly headers: { readonly [name: string]: string };
  readonly body: string;
}

/** One call of an AWS service: POST to its endpoint, signed by Signature Version 4. */
export async function callAws(http: HttpPort, call: AwsCall) {
  const url = new URL(call.endpoint ?? `https://${call.service}.${call.region}.amazonaws.com/`);
  const headers = signedHeaders(url, call);
  return http({ method: 'POST', url: url.href, headers, body: call.body });
}

/** The headers of a request with its signature (AWS documentation: "Signature Version 4 signing process"). */
export function signedHeaders(url: URL, call: AwsCall): { readonly [name: string]: string } {
  const { credentials, region, service } = call;
  const stamp = new Date(call.nowMs).toISOString().replace(/[-:]|\.\d{3}/g, '');
  const day = stamp.slice(0, 8);
  const headers: Record<string, string> = {
    ...call.headers,
    host: url.host,
    'x-amz-date': stamp,
    ...(credentials.sessionToken === undefined
      ? {}
      : { 'x-amz-security-token': credentials.sessionToken }),
  };
  const names = Object.keys(headers).sort();
  const canonical = [
    'POST',
    url.pathname,
    '',
    ...names.map((name) => `${name}:${headers[name]?.trim()}`),
    '',
    names.join(';'),
    sha256(call.body),
  ].join('\n');
  const scope = `${day}/${region}/${service}/aws4_request`;
  const text = ['AWS4-HMAC-SHA256', stamp, scope, sha256(canonical)].join('\n');
  const key = [day, region, service, 'aws4_request'].reduce<Buffer | string>(
    (secret, part) => createHmac('sha256', secret).update(part).digest(),
    `AWS4${credentials.secretAccessKey}`,
  );
  const signature = createHmac('sha256', key).update(text).digest('hex');
  const { host: _host, ...sent } = headers;
  return {
    ...sent,
    authorization: `AWS4-HMAC-SHA256 Credential=${credentials.accessKeyId}/${scope}, SignedHeaders=${names.join(';')}, Signature=${signature}`,
  };
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/** Credentials of another role, by STS. */
export async function assumeRole(
  http: HttpPort,
  role: string,
  aws: AwsSurroundings & { readonly nowMs: number },
): Promise<AwsCredentials> {
  const body = new URLSearchParams({
    Action: 'AssumeRole',
    Version: '2011-06-15',
    RoleArn: role,
    RoleSessionName: 'capstan',
  }).toString();
  const answer = await callAws(http, {
    service: 'sts',
    region: aws.region,
    credentials: await aws.credentials(),
    endpoint: aws.endpoint,
    nowMs: aws.nowMs,
    headers: { 'content-type': 'application/x-www-form-urlencoded', accept: 'application/json' },
    body,
  });
  if (answer.status >= 300) throw refusal('POST', `https://sts.${aws.region}/`, answer);
  const value = JSON.parse(answer.text) as Json;
  const path = ['AssumeRoleResponse', 'AssumeRoleResult', 'Credentials'];
  return {
    accessKeyId: textAt(value, ...path, 'AccessKeyId'),
    secretAccessKey: textAt(value, ...path, 'SecretAccessKey'),
    sessionToken: textAt(value, ...path, 'SessionToken'),
  };
}

/** A call in AWS's JSON 1.1 protocol; errors carry the type that the service names. */
export async function askAws(
  http: HttpPort,
  call: Omit<AwsCall, 'headers' | 'body'>,
  { target, input }: { readonly target: string; readonly input: JsonObject },
): Promise<{ readonly value: Json; readonly refused: string }> {
  const headers = { 'content-type': 'application/x-amz-json-1.1', 'x-amz-target': target };
  const answer = await callAws(http, { ...call, headers, body: JSON.stringify(input) });
  const value = parse(answer.text);
  if (answer.status < 300) return { value, refused: '' };
  const type = textAt(value, '__type').split('#').at(-1) ?? '';
  if (type === '') throw refusal('POST', `https://${call.service}.${call.region}/`, answer);
  return { value, refused: type };
}

function parse(text: string): Json {
  try {
    return text === '' ? null : (JSON.parse(text) as Json);
  } catch (error) {
    throw new CapstanError('SCM_ANSWER', 'AWS answers no JSON', { cause: error });
  }
}
