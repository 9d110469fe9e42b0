/** What a real API server was asked, by whom: counted in its audit log. */
import { closeSync, fstatSync, openSync, readFileSync, readSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const POLICY = `apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived, ResponseStarted]
rules:
- level: Metadata
  users: [admin-token]
- level: None
`;

interface AuditEvent {
  readonly verb: string;
  readonly userAgent?: string;
  readonly requestURI: string;
  readonly objectRef?: { readonly resource?: string; readonly subresource?: string };
}

/** A kubeconfig for who is counted, as the control plane in a cluster has one: by a token. Everybody else has a certificate. */
export function countedKubeconfig(kubeconfig: string, directory: string): string {
  const config = JSON.parse(readFileSync(kubeconfig, 'utf8')) as object;
  const file = join(directory, 'kubeconfig');
  writeFileSync(file, JSON.stringify({ ...config, 'current-context': 'kubebox-token' }));
  return file;
}

/** Arguments for the API server, and the reader of its log. Writing down all of its requests costs it a twelfth of its time. */
export function auditLog(directory: string): {
  readonly args: readonly string[];
  readonly file: string;
} {
  const policy = join(directory, 'audit-policy.yaml');
  const file = join(directory, 'audit.log');
  writeFileSync(policy, POLICY);
  const args = [`--audit-policy-file=${policy}`, `--audit-log-path=${file}`];
  return { file, args: args.flatMap((arg) => ['-apiserver-arg', arg]) };
}

export class RequestCounter {
  readonly #file: string;
  #offset = 0;
  #rest = '';

  constructor(file: string) {
    this.#file = file;
  }

  /** Requests of one user agent since the last call, by `verb resource`; watches left out (they end when they time out). */
  take(userAgent: string): Map<string, number> {
    const counts = new Map<string, number>();
    for (const event of this.#read()) {
      if (event.verb === 'watch' || event.userAgent !== userAgent) continue;
      const { resource = event.requestURI, subresource } = event.objectRef ?? {};
      const name = `${event.verb} ${resource}${subresource === undefined ? '' : `/${subresource}`}`;
      counts.set(name, (counts.get(name) ?? 0) + 1);
    }
    return counts;
  }

  #read(): AuditEvent[] {
    const descriptor = openSync(this.#file, 'r');
    try {
      const bytes = Buffer.alloc(fstatSync(descriptor).size - this.#offset);
      readSync(descriptor, bytes, 0, bytes.length, this.#offset);
      this.#offset += bytes.length;
      const lines = (this.#rest + bytes.toString('utf8')).split('\n');
      this.#rest = lines.pop() ?? '';
      return lines.map((line) => JSON.parse(line) as AuditEvent);
    } finally {
      closeSync(descriptor);
    }
  }
}

export function total(counts: ReadonlyMap<string, number>): number {
  return [...counts.values()].reduce((sum, count) => sum + count, 0);
}

export function tell(counts: ReadonlyMap<string, number>): string {
  const sorted = [...counts].toSorted(([, a], [, b]) => b - a);
  return sorted.map(([name, count]) => `${count} ${name}`).join(', ') || 'none';
}
