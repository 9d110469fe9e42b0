import { spawn } from 'node:child_process';
import type { Json, JsonObject } from '@capstan/kube-object';
import { CapstanError, messageOf } from '@capstan/lib-std';
import type { ClusterConnection, Credential, Credentials } from './connection.ts';
import { invalid, pathFrom, textOf } from './kubeconfig-fields.ts';
import { isJsonObject } from './requester.ts';

export interface ExecPlugin {
  /** `user.exec` of the kubeconfig. */
  readonly exec: JsonObject;
  readonly user: string;
  readonly origin: string;
  readonly directory: string | undefined;
  readonly cluster: Omit<ClusterConnection, 'credentials' | 'origin' | 'namespace'>;
  /** What the cluster's extension client.authentication.k8s.io/exec holds for plugins. */
  readonly clusterConfig?: Json | undefined;
  /** A person sits at the terminal of this process, whom the plugin may ask. */
  readonly hasTerminal?: boolean;
  readonly headers: Credential['headers'];
}

const outputBytesMax = 1024 * 1024;
const timeoutMs = 60_000;
const modes = ['IfAvailable', 'Never', 'Always'];
const apiVersions = ['client.authentication.k8s.io/v1', 'client.authentication.k8s.io/v1beta1'];

/**
 * Credentials from a program, by the ExecCredential protocol (client.authentication.k8s.io/v1 and v1beta1). Its answer is
 * kept until it expires or the server refuses it; many requests at once run it once. It gets the terminal, if there is one
 * and its interactiveMode is not Never.
 */
export function execCredentials(plugin: ExecPlugin): Credentials {
  const apiVersion = textOf(plugin.exec, 'apiVersion') ?? '';
  if (plugin.exec['interactiveMode'] === 'Always' && plugin.hasTerminal !== true) {
    throw refused(plugin, 'its plugin wants a terminal, and standard input is none');
  }
  let held: { readonly credential: Credential; readonly expiresAtMs: number } | undefined;
  let running: Promise<Credential> | undefined;
  const renew = async (): Promise<Credential> => {
    const status = await runPlugin(plugin, apiVersion);
    held = { credential: credentialFrom(status, plugin), expiresAtMs: expiryOf(status) };
    return held.credential;
  };
  return {
    async current() {
      if (held !== undefined && Date.now() < held.expiresAtMs) return held.credential;
      running ??= renew().finally(() => {
        running = undefined;
      });
      return running;
    },
    rejected(credential) {
      if (held?.credential === credential) held = undefined;
    },
  };
}

/** Throws KUBECONFIG_INVALID where kubectl would not take the plugin, in use or not. */
export function checkPlugin(plugin: ExecPlugin): void {
  const { exec } = plugin;
  const apiVersion = textOf(exec, 'apiVersion') ?? '';
  if (!apiVersions.includes(apiVersion)) {
    throw refused(plugin, `exec.apiVersion must be one of ${apiVersions.join(', ')}`);
  }
  if (textOf(exec, 'command') === undefined) throw refused(plugin, 'exec.command is missing');
  const mode = textOf(exec, 'interactiveMode') ?? (apiVersion.endsWith('beta1') ? modes[0] : '');
  if (!modes.includes(mode ?? '')) {
    throw refused(plugin, `exec.interactiveMode must be one of ${modes.join(', ')}`);
  }
  const env = Array.isArray(exec['env']) ? exec['env'] : [];
  if (env.some((pair) => !isJsonObject(pair) || textOf(pair, 'name') === undefined)) {
    throw refused(plugin, 'a variable of exec.env has no name');
  }
}

function refused({ user, origin }: ExecPlugin, what: string): CapstanError {
  return invalid(origin, `user "${user}": ${what}`);
}

function expiryOf(status: JsonObject): number {
  const at = Date.parse(textOf(status, 'expirationTimestamp') ?? '');
  return Number.isNaN(at) ? Number.POSITIVE_INFINITY : at;
}

function credentialFrom(status: JsonObject, plugin: ExecPlugin): Credential {
  const token = textOf(status, 'token');
  const certificate = textOf(status, 'clientCertificateData');
  const key = textOf(status, 'clientKeyData');
  if ((certificate === undefined) !== (key === undefined)) {
    throw failure(plugin, 'its answer has only one of clientCertificateData and clientKeyData');
  }
  if (token === undefined && certificate === undefined) {
    throw failure(plugin, 'its answer has neither a token nor a client certificate');
  }
  return {
    headers: {
      ...plugin.headers,
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    },
    ...(certificate === undefined || key === undefined
      ? {}
      : { clientCertificate: { certificate, key } }),
  };
}

async function runPlugin(plugin: ExecPlugin, apiVersion: string): Promise<JsonObject> {
  const output = await run(plugin, execInfo(plugin, apiVersion));
  let answer: unknown;
  try {
    answer = JSON.parse(output);
  } catch (error) {
    throw failure(plugin, `its answer is not JSON: ${messageOf(error)}`);
  }
  const credential: JsonObject = isObject(answer) ? answer : {};
  if (credential['kind'] !== 'ExecCredential' || credential['apiVersion'] !== apiVersion) {
    throw failure(plugin, `its answer is not an ExecCredential of ${apiVersion}`);
  }
  const status = credential['status'];
  if (!isJsonObject(status)) throw failure(plugin, 'its answer has no status');
  return status;
}

function execInfo(plugin: ExecPlugin, apiVersion: string): string {
  const spec = {
    interactive: isInteractive(plugin),
    ...(plugin.exec['provideClusterInfo'] === true ? { cluster: clusterInfo(plugin) } : {}),
  };
  return JSON.stringify({ apiVersion, kind: 'ExecCredential', spec });
}

function isInteractive({ exec, hasTerminal }: ExecPlugin): boolean {
  return hasTerminal === true && exec['interactiveMode'] !== 'Never';
}

/** `Cluster` of client.authentication.k8s.io: what does not stand in the kubeconfig is left out. */
function clusterInfo({ cluster, clusterConfig }: ExecPlugin) {
  const { server, certificateAuthority, tlsServerName, proxyUrl } = cluster;
  return {
    server,
    'tls-server-name': tlsServerName,
    'insecure-skip-tls-verify': cluster.insecureSkipTlsVerify,
    'certificate-authority-data':
      certificateAuthority && Buffer.from(certificateAuthority).toString('base64'),
    'proxy-url': proxyUrl,
    'disable-compression': cluster.disableCompression,
    config: clusterConfig,
  };
}

function run(plugin: ExecPlugin, info: string): Promise<string> {
  const { exec, directory } = plugin;
  const name = textOf(exec, 'command') ?? '';
  const command = name.includes('/') ? pathFrom(directory, name) : name;
  const args = Array.isArray(exec['args']) ? exec['args'].map(String) : [];
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const child = spawn(command, args, {
    env: { ...process.env, ...extraEnvironment(exec), KUBERNETES_EXEC_INFO: info },
    // A person takes the time that a login needs, and sees what the plugin says.
    ...(isInteractive(plugin)
      ? { stdio: ['inherit', 'pipe', 'inherit'] }
      : { stdio: ['ignore', 'pipe', 'pipe'], timeout: timeoutMs, killSignal: 'SIGKILL' }),
  });
  let output = '';
  let complaint = '';
  child.stdout?.setEncoding('utf8').on('data', (chunk: string) => {
    output += chunk;
    if (output.length > outputBytesMax) child.kill('SIGKILL');
  });
  child.stderr?.setEncoding('utf8').on('data', (chunk: string) => {
    complaint = (complaint + chunk).slice(-500);
  });
  child.on('error', (error) => reject(failure(plugin, messageOf(error))));
  child.on('close', (code, signal) => {
    if (code === 0) resolve(output);
    else reject(failure(plugin, `it ended with ${signal ?? `code ${code}`}: ${complaint.trim()}`));
  });
  return promise;
}

function extraEnvironment(exec: JsonObject): Record<string, string> {
  const list = Array.isArray(exec['env']) ? exec['env'] : [];
  return Object.fromEntries(
    list
      .filter(isJsonObject)
      .map((pair) => [textOf(pair, 'name') ?? '', textOf(pair, 'value') ?? '']),
  );
}

function failure({ exec, user, origin }: ExecPlugin, what: string): CapstanError {
  const hint = textOf(exec, 'installHint');
  return new CapstanError(
    'EXEC_PLUGIN_FAILED',
    `the credential plugin ${textOf(exec, 'command')} of user "${user}" (${origin}) failed: ${what}`,
    { kind: 'retry', hint: hint ?? 'run it by hand and see what it says' },
  );
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
