import { readFile } from 'node:fs/promises';
import type { AwsSurroundings } from '@capstan/argocd-application-sets';
import { CapstanError } from '@capstan/lib-std';

type Environment = { readonly [name: string]: string | undefined };

/** Region and credentials for AWS as a Pod is given them: in the environment, or as a token for a role. */
export function awsSurroundings(env: Environment): AwsSurroundings {
  const endpoint = env['AWS_ENDPOINT_URL'];
  return {
    region: env['AWS_REGION'] ?? env['AWS_DEFAULT_REGION'] ?? '',
    credentials: () => readCredentials(env),
    ...(endpoint === undefined ? {} : { endpoint }),
  };
}

async function readCredentials(env: Environment) {
  const accessKeyId = env['AWS_ACCESS_KEY_ID'];
  const secretAccessKey = env['AWS_SECRET_ACCESS_KEY'];
  const sessionToken = env['AWS_SESSION_TOKEN'];
  if (accessKeyId !== undefined && secretAccessKey !== undefined)
    return { accessKeyId, secretAccessKey, ...(sessionToken ? { sessionToken } : {}) };
  const file = env['AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE'];
  const url = env['AWS_CONTAINER_CREDENTIALS_FULL_URI'];
  if (file === undefined || url === undefined) {
    throw new CapstanError('SCM_DENIED', 'there are no credentials for AWS', {
      hint: 'set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or give the Pod an identity',
    });
  }
  const authorization = (await readFile(file, 'utf8')).trim();
  const answer = await fetch(url, {
    headers: { authorization },
    signal: AbortSignal.timeout(5000),
  });
  const found = (await answer.json()) as { readonly [name: string]: string | undefined };
  return {
    accessKeyId: found['AccessKeyId'] ?? '',
    secretAccessKey: found['SecretAccessKey'] ?? '',
    ...(found['Token'] ? { sessionToken: found['Token'] } : {}),
  };
}
