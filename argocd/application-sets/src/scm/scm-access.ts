import type {
  BasicAuthRef,
  BearerTokenRef,
  ConfigMapKeyRef,
  SecretKeyRef,
} from '@capstan/argocd-api';
import { CapstanError } from '@capstan/lib-std';
import type { Outside, Surroundings } from '../observation.ts';
import { withinAsync } from '../wrap-error.ts';
import { type GithubAccess, githubApi, githubAppToken } from './github.ts';
import type { RestApi } from './rest.ts';
import { basicAuth } from './rest.ts';

/** What may be asked beside the cluster; throws when there is nothing at hand. */
export function outsideOf({ outside }: Surroundings): Outside {
  if (outside !== undefined) return outside;
  throw new CapstanError('GENERATOR_UNSUPPORTED', 'services cannot be asked from here', {
    hint: 'give a cluster (--kubeconfig), whose Secrets hold the tokens',
  });
}

/** Refuses hosters that the administrator does not permit: tokens would go to whatever address a set names. */
export function checkProvider({ scm }: Outside, api: string): void {
  if (!scm.enabled) {
    throw new CapstanError('SCM_DISABLED', 'scm providers are disabled', {
      hint: 'set applicationsetcontroller.enable.scm.providers in argocd-cmd-params-cm',
    });
  }
  if (api === '' || scm.allowedProviders.length === 0 || scm.allowedProviders.includes(api)) return;
  const allowed = scm.allowedProviders.join(', ');
  throw new CapstanError(
    'SCM_FORBIDDEN',
    `scm provider not allowed: scm provider ${JSON.stringify(api)} not allowed, must use one of the following: ${allowed}`,
    { hint: 'add it to applicationsetcontroller.allowed.scm.providers in argocd-cmd-params-cm' },
  );
}

export async function readToken(
  outside: Outside,
  ref: SecretKeyRef | undefined,
  hoster: string,
): Promise<string> {
  if (ref === undefined) return '';
  return withinAsync(`error fetching ${hoster} token`, () => outside.secretValue(ref));
}

/** The header that proves who asks; '' for nobody. */
export async function readAuthorization(
  outside: Outside,
  {
    basicAuth: basic,
    bearerToken,
  }: { readonly basicAuth?: BasicAuthRef; readonly bearerToken?: BearerTokenRef },
): Promise<string> {
  if (bearerToken !== undefined)
    return `Bearer ${await readToken(outside, bearerToken.tokenRef, 'Secret Bearer')}`;
  if (basic === undefined) return '';
  return basicAuth(basic.username, await readToken(outside, basic.passwordRef, 'Secret'));
}

/** How far the server's certificate is trusted. */
export async function readTrust(
  outside: Outside,
  { insecure, caRef }: { readonly insecure?: boolean; readonly caRef?: ConfigMapKeyRef },
): Promise<Pick<RestApi, 'caCertificates'> & { readonly insecure: boolean }> {
  const trust = { insecure: insecure === true };
  const own =
    caRef === undefined
      ? ''
      : await withinAsync('error fetching CA certificates from ConfigMap', () =>
          outside.configMapValue(caRef),
        );
  const all = [await outside.rootCertificates(), own].filter((pem) => pem !== '');
  return all.length === 0 ? trust : { ...trust, caCertificates: all.join('\n') };
}

/** GitHub's API as an app, when the generator names its Secret, or with a token. */
export async function githubAccess(
  outside: Outside,
  github: {
    readonly api?: string;
    readonly appSecretName?: string;
    readonly tokenRef?: SecretKeyRef;
  },
  organization: string,
): Promise<RestApi> {
  const { api = '', appSecretName, tokenRef } = github;
  const { http } = outside;
  const access: GithubAccess = { http, api, token: '' };
  if (!appSecretName)
    return githubApi({ ...access, token: await readToken(outside, tokenRef, 'Github') });
  return withinAsync('error fetching Github app secret', async () => {
    const app = await outside.githubApp(appSecretName);
    const options = { http, api, organization, nowMs: outside.now() };
    const token = await githubAppToken(app, options);
    return githubApi({ http, api: api || app.enterpriseBaseUrl, token });
  });
}
