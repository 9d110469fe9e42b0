import { refused } from './access.ts';
import type { AwsCredentials } from './aws.ts';
import { type PostOptions, post } from './post.ts';

/**
 * Credentials for MinIO by the user of a directory (AssumeRoleWithLDAPIdentity of its Security Token Service).
 */
export async function minioLdapLogin(
  user: { readonly endpoint: string; readonly username: string; readonly password: string },
  access: PostOptions,
): Promise<AwsCredentials> {
  const form = {
    Action: 'AssumeRoleWithLDAPIdentity',
    Version: '2011-06-15',
    LDAPUsername: user.username,
    LDAPPassword: user.password,
  };
  const { status, text } = await post(user.endpoint, new URLSearchParams(form), access);
  const element = (name: string) => new RegExp(`<${name}>([^<]*)</${name}>`).exec(text)?.[1] ?? '';
  const { origin } = new URL(user.endpoint);
  if (status !== 200) {
    const why = element('Message') || element('Code') || `status ${status}`;
    throw refused(new Error(`${origin} refused the login: ${why}`));
  }
  const [accessKeyId, secretAccessKey] = [element('AccessKeyId'), element('SecretAccessKey')];
  if (accessKeyId === '' || secretAccessKey === '') {
    throw refused(new Error(`${origin} answered without credentials`));
  }
  const sessionToken = element('SessionToken');
  const expiresAtMs = Date.parse(element('Expiration'));
  return {
    accessKeyId,
    secretAccessKey,
    ...(sessionToken === '' ? {} : { sessionToken }),
    ...(Number.isNaN(expiresAtMs) ? {} : { expiresAtMs }),
  };
}
