import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { officialProgram, whyNotOfficial } from '../tools/official.ts';

export const HELM_VERSIONS = ['3.22.0', '4.3.1'] as const;
const run = promisify(execFile);

export interface Outcome {
  readonly code: number;
  readonly output: string;
}

export function whyNoHelm(): string | false {
  return (
    HELM_VERSIONS.map((version) => whyNotOfficial('helm', version)).find((why) => why !== false) ??
    false
  );
}

/** Runs the official helm of a version with a home of its own below `directory`. */
export async function runHelm(
  version: string,
  args: readonly string[],
  { kubeconfig = '', directory }: { readonly kubeconfig?: string; readonly directory: string },
): Promise<Outcome> {
  const home = join(directory, version);
  const env = { ...process.env, KUBECONFIG: kubeconfig, HOME: home, XDG_CACHE_HOME: home };
  const options = { env, cwd: directory, maxBuffer: 64 * 1024 * 1024 };
  const found = await run(officialProgram('helm', version), args, options).catch(
    (error: { code?: number; stdout: string; stderr: string }) => ({ ...error, failed: true }),
  );
  const code = 'failed' in found ? (found.code ?? -1) : 0;
  return { code, output: `${found.stdout}${found.stderr}` };
}

/** What is another on each run: times, addresses, who owns a field since when. */
export function masked({ code, output }: Outcome, server: string): Outcome {
  const text = output
    .replaceAll(server, '<server>')
    .replace(/\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d[^"\s]*( [+-]\d{4} \w+)?/g, '<time>')
    .replace(/\w{3} \w{3} +\d+ \d\d:\d\d:\d\d \d{4}/g, '<time>')
    // What the client says of itself, of waits for its own limits above all.
    .replace(/^(?:level=|[IWE]\d{4} ).*\n?/gm, '')
    .replace(/\b10\.\d+\.\d+\.\d+\b/g, '<ip>')
    .replace(/"uid":"[^"]*"/g, '"uid":"<uid>"')
    .replace(/^RESOURCES:\n.*?(?=^TEST SUITE:)/ms, maskedResources);
  return { code, output: text };
}

/** helm 4 shows what there is in an order that changes from run to run, with ages and the hashes of Pods. */
function maskedResources(section: string): string {
  const lines = section.split('\n').map((line) =>
    line
      .replace(/\b\d+(?:s|m\d*s?)\b/g, '<age>')
      .replace(/-[0-9a-z]{8,10}-[0-9a-z]{5}\b|-[0-9a-z]{5}(?= +\d\/\d)/g, '-<hash>')
      // The real server asks the service, behind which nothing runs there.
      .replace(/ (?:True|False|Unknown)(?: \(\w+\))?(?= +<age>)/, ' <available>')
      .replace(/ {2,}/g, ' '),
  );
  return `${[...new Set(lines)].sort().join('\n')}\n`;
}
