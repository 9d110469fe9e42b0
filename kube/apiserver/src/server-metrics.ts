import type { Core } from './core.ts';

const BUCKETS = [0.005, 0.025, 0.1, 0.5, 1, 5, 30];

/**
 * What the server counts of its own work, in the text format of Prometheus and under the names of kube-apiserver:
 * requests by verb and resource, how long they took, and how many objects are kept.
 */
export class ServerMetrics {
  readonly #requests = new Map<string, number>();
  readonly #durations = new Map<string, { counts: number[]; sum: number; count: number }>();

  count(labels: Readonly<Record<string, string>>, seconds: number): void {
    const request = textOf(labels);
    this.#requests.set(request, (this.#requests.get(request) ?? 0) + 1);
    const { code: _code, ...rest } = labels;
    const key = textOf(rest);
    const known = this.#durations.get(key) ?? { counts: BUCKETS.map(() => 0), sum: 0, count: 0 };
    for (const [i, bound] of BUCKETS.entries()) if (seconds <= bound) known.counts[i]!++;
    known.sum += seconds;
    known.count++;
    this.#durations.set(key, known);
  }

  text(core: Core): string {
    const lines: string[] = [];
    const family = (name: string, type: string, help: string): void => {
      lines.push(`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`);
    };
    family('apiserver_request_total', 'counter', 'Requests by verb, resource and code.');
    for (const [labels, value] of this.#requests) {
      lines.push(`apiserver_request_total{${labels}} ${value}`);
    }
    const duration = 'apiserver_request_duration_seconds';
    family(duration, 'histogram', 'How long requests took; watches are left out.');
    for (const [labels, { counts, sum, count }] of this.#durations) {
      for (const [i, bound] of BUCKETS.entries()) {
        lines.push(`${duration}_bucket{${labels},le="${bound}"} ${counts[i]}`);
      }
      lines.push(`${duration}_bucket{${labels},le="+Inf"} ${count}`);
      lines.push(`${duration}_sum{${labels}} ${sum}`, `${duration}_count{${labels}} ${count}`);
    }
    family('apiserver_storage_objects', 'gauge', 'Objects that are kept, by resource.');
    for (const { bucket, name, group } of core.registry.stored()) {
      const resource = group === '' ? name : `${name}.${group}`;
      lines.push(
        `apiserver_storage_objects{resource="${resource}"} ${core.store.view(bucket).size}`,
      );
    }
    return `${lines.join('\n')}\n`;
  }
}

function textOf(labels: Readonly<Record<string, string>>): string {
  return Object.entries(labels)
    .map(([name, value]) => `${name}="${value.replace(/["\\\n]/g, '')}"`)
    .join(',');
}
