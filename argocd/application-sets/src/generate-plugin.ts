import type { PluginGenerator } from '@capstan/argocd-api';
import type { Json } from '@capstan/kube-object';
import { CapstanError } from '@capstan/lib-std';
import { appendValues } from './append-values.ts';
import { isRecord } from './json.ts';
import type { Outside, Surroundings } from './observation.ts';
import { flattenParameters, type Parameters, toGoValue } from './parameters.ts';
import { placeOf } from './scm/http-port.ts';
import { refusal } from './scm/rest.ts';
import { outsideOf } from './scm/scm-access.ts';
import type { TextRenderer } from './text-renderer.ts';
import { withinAsync } from './wrap-error.ts';

const DEFAULT_SECRET = 'argocd-secret';

/** The sets of parameters that a service of the user's own answers (documentation: "Plugin Generator"). */
export async function generatePlugin(
  generator: PluginGenerator,
  options: {
    readonly surroundings: Surroundings;
    readonly renderer: TextRenderer;
    readonly setName: string;
  },
): Promise<readonly Parameters[]> {
  const outside = outsideOf(options.surroundings);
  const parameters = generator.input?.parameters ?? {};
  const service = await withinAsync('error getting plugin from generator', () =>
    readService(outside, generator.configMapRef.name),
  );
  const found = await withinAsync('error listing params', () =>
    askService(outside, service, { applicationSetName: options.setName, input: { parameters } }),
  );
  const { renderer } = options;
  return found.map((one) => {
    const given: Parameters = Object.fromEntries(
      Object.entries(one).map(([key, value]) => [key, toGoValue(value)]),
    );
    const own = renderer.isGoTemplate ? given : Object.fromEntries(flattenParameters(given));
    const input = { parameters: toGoValue(parameters) };
    return appendValues({ ...own, generator: { input } }, generator.values, renderer);
  });
}

interface PluginService {
  readonly url: string;
  readonly token: string;
  readonly timeoutMs: number;
}

async function readService(outside: Outside, configMap: string): Promise<PluginService> {
  const data = await withinAsync('error fetching ConfigMap', () =>
    outside.controlConfigMap(configMap),
  );
  const { baseUrl = '', token = '', requestTimeout = '30' } = data;
  const where = `ConfigMap ${configMap}`;
  if (baseUrl === '') throw invalid('baseUrl not found in ConfigMap', where);
  if (token === '') throw invalid('token not found in ConfigMap', where);
  if (!/^\d{1,5}$/.test(requestTimeout))
    throw invalid(`error set requestTimeout : ${JSON.stringify(requestTimeout)}`, where);
  const seconds = Number(requestTimeout) || 30;
  const base = baseUrl.endsWith('/') ? baseUrl : `${baseUrl}/`;
  return {
    url: `${base}api/v1/getparams.execute`,
    token: await readToken(outside, token),
    timeoutMs: seconds * 1000,
  };
}

/** `$key` of argocd-secret, or `$secret:key`. */
async function readToken(outside: Outside, reference: string): Promise<string> {
  if (!reference.startsWith('$')) {
    throw invalid(
      `error fetching Secret token: token is empty, or does not reference a secret key starting with '$'`,
      'token',
    );
  }
  const [first = '', second] = reference.slice(1).split(':');
  const ref =
    second === undefined
      ? { secretName: DEFAULT_SECRET, key: first }
      : { secretName: first, key: second };
  return withinAsync('error fetching Secret token', () => outside.controlSecretValue(ref));
}

async function askService(
  { pluginHttp }: Outside,
  { url, token, timeoutMs }: PluginService,
  body: { readonly [key: string]: Json },
): Promise<readonly { readonly [key: string]: Json | undefined }[]> {
  const answer = await pluginHttp({
    method: 'POST',
    url,
    headers: { 'content-type': 'application/json', authorization: `Bearer ${token.trim()}` },
    body: JSON.stringify(body),
    timeoutMs,
  });
  if (answer.status < 200 || answer.status >= 300) throw refusal('POST', url, answer);
  const parsed: unknown = parse(answer.text, url);
  const output = isRecord(parsed as Json) ? (parsed as { output?: Json }).output : undefined;
  const list = isRecord(output) ? output['parameters'] : undefined;
  return Array.isArray(list) ? list.filter(isRecord) : [];
}

function parse(text: string, url: string): unknown {
  try {
    return text.trim() === '' ? {} : JSON.parse(text);
  } catch (error) {
    throw new CapstanError('SCM_ANSWER', `${placeOf(url)} answers no JSON`, { cause: error });
  }
}

function invalid(message: string, where: string): CapstanError {
  return new CapstanError('SPEC_INVALID', message, { hint: `correct ${where} of the plugin` });
}
