/**
 * A registry of metrics and its text form (Prometheus exposition format 0.0.4). Small on purpose: counters, gauges and
 * histograms with labels, which is all that the originals of Capstan publish.
 */
export interface Counter {
  add(labels: Labels, by?: number): void;
  /** Takes the series with these labels out (its object is gone). */
  remove(labels: Labels): void;
}
export interface Gauge {
  add(labels: Labels, by?: number): void;
  set(labels: Labels, value: number): void;
  /** Takes the series with these labels out (its object is gone). */
  remove(labels: Labels): void;
}
export interface Histogram {
  /** Shows the series with these labels before anything was observed. */
  show(labels: Labels): void;
  observe(labels: Labels, value: number): void;
  /** Takes the series with these labels out (its object is gone). */
  remove(labels: Labels): void;
}
export type Labels = Readonly<Record<string, string>>;

export interface Registry {
  counter(name: string, help: string): Counter;
  gauge(name: string, help: string): Gauge;
  /** A gauge whose series are asked for when somebody reads the metrics; of each who gave some under this name. */
  gaugeFrom(name: string, help: string, read: () => Iterable<readonly [Labels, number]>): void;
  histogram(name: string, help: string, buckets: readonly number[]): Histogram;
  /** Everything, sorted by name. */
  text(): string;
}

/** Asking twice for one name gives the same metric; its type must be the same. */
export function createRegistry(): Registry {
  return new TextRegistry();
}

interface Family {
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly help: string;
  readonly lines: () => Iterable<string>;
  readonly metric: unknown;
}

class TextRegistry implements Registry {
  readonly #families = new Map<string, Family>();

  counter(name: string, help: string): Counter {
    return this.#family(name, 'counter', help, () => new Values(name));
  }

  gauge(name: string, help: string): Gauge {
    return this.#family(name, 'gauge', help, () => new Values(name));
  }

  gaugeFrom(name: string, help: string, read: () => Iterable<readonly [Labels, number]>): void {
    this.#family(name, 'gauge', help, () => new Asked(name)).readers.push(read);
  }

  histogram(name: string, help: string, buckets: readonly number[]): Histogram {
    return this.#family(name, 'histogram', help, () => new Buckets(name, buckets));
  }

  text(): string {
    const names = [...this.#families.keys()].sort();
    return names.map((name) => this.#format(name)).join('');
  }

  #format(name: string): string {
    const family = this.#families.get(name);
    if (family === undefined) return '';
    const lines = [...family.lines()];
    if (lines.length === 0) return '';
    return `# HELP ${name} ${escapeHelp(family.help)}\n# TYPE ${name} ${family.type}\n${lines.join('\n')}\n`;
  }

  #family<T extends { lines(): Iterable<string> }>(
    name: string,
    type: Family['type'],
    help: string,
    make: () => T,
  ): T {
    const known = this.#families.get(name);
    if (known !== undefined) {
      if (known.type !== type) throw new TypeError(`metric ${name} is a ${known.type}`);
      // Made by the same method for the same type, hence of the same class.
      return known.metric as T;
    }
    const metric = make();
    this.#families.set(name, { type, help, metric, lines: () => metric.lines() });
    return metric;
  }
}

class Values implements Counter, Gauge {
  readonly #name: string;
  readonly #series = new Map<string, { readonly labels: Labels; value: number }>();

  constructor(name: string) {
    this.#name = name;
  }

  add(labels: Labels, by = 1): void {
    this.#at(labels).value += by;
  }

  set(labels: Labels, value: number): void {
    this.#at(labels).value = value;
  }

  remove(labels: Labels): void {
    this.#series.delete(formatLabels(labels));
  }

  *lines(): Generator<string> {
    for (const { labels, value } of this.#series.values()) yield line(this.#name, labels, value);
  }

  #at(labels: Labels): { value: number } {
    const key = formatLabels(labels);
    const known = this.#series.get(key);
    if (known !== undefined) return known;
    const series = { labels, value: 0 };
    this.#series.set(key, series);
    return series;
  }
}

class Asked {
  readonly readers: (() => Iterable<readonly [Labels, number]>)[] = [];
  readonly #name: string;

  constructor(name: string) {
    this.#name = name;
  }

  *lines(): Generator<string> {
    for (const read of this.readers) {
      for (const [labels, value] of read()) yield line(this.#name, labels, value);
    }
  }
}

class Buckets implements Histogram {
  readonly #name: string;
  readonly #bounds: readonly number[];
  readonly #series = new Map<
    string,
    { readonly labels: Labels; readonly counts: number[]; sum: number; count: number }
  >();

  constructor(name: string, bounds: readonly number[]) {
    this.#name = name;
    this.#bounds = bounds;
  }

  show(labels: Labels): void {
    this.#at(labels);
  }

  observe(labels: Labels, value: number): void {
    const series = this.#at(labels);
    series.sum += value;
    series.count++;
    const at = this.#bounds.findIndex((bound) => value <= bound);
    if (at >= 0) series.counts[at] = (series.counts[at] ?? 0) + 1;
  }

  remove(labels: Labels): void {
    this.#series.delete(formatLabels(labels));
  }

  *lines(): Generator<string> {
    for (const { labels, counts, sum, count } of this.#series.values()) {
      let total = 0;
      for (const [at, bound] of this.#bounds.entries()) {
        total += counts[at] ?? 0;
        yield line(`${this.#name}_bucket`, labels, total, bound);
      }
      yield line(`${this.#name}_bucket`, labels, count, Number.POSITIVE_INFINITY);
      yield line(`${this.#name}_sum`, labels, sum);
      yield line(`${this.#name}_count`, labels, count);
    }
  }

  #at(labels: Labels): { readonly counts: number[]; sum: number; count: number } {
    const key = formatLabels(labels);
    const known = this.#series.get(key);
    if (known !== undefined) return known;
    const series = { labels, counts: this.#bounds.map(() => 0), sum: 0, count: 0 };
    this.#series.set(key, series);
    return series;
  }
}

/** One sample; the bound of a bucket stands behind the other labels. */
function line(name: string, labels: Labels, value: number, bound?: number): string {
  const own = bound === undefined ? [] : [`le="${formatNumber(bound)}"`];
  return `${name}${formatLabels(labels, own)} ${formatNumber(value)}`;
}

function formatLabels(labels: Labels, more: readonly string[] = []): string {
  const pairs = Object.keys(labels)
    .sort()
    .map((name) => `${name}="${escapeLabel(labels[name] ?? '')}"`);
  const all = [...pairs, ...more];
  return all.length === 0 ? '' : `{${all.join(',')}}`;
}

function escapeLabel(value: string): string {
  return value.replace(/\\/g, '\\\\').replace(/"/g, '\\"').replace(/\n/g, '\\n');
}

function escapeHelp(text: string): string {
  return text.replace(/\\/g, '\\\\').replace(/\n/g, '\\n');
}

/** As Go's client writes numbers (`strconv.FormatFloat(value, 'g', -1, 64)`): bounds of buckets are labels, which compare as text. */
function formatNumber(value: number): string {
  if (value === Number.POSITIVE_INFINITY) return '+Inf';
  if (value === Number.NEGATIVE_INFINITY) return '-Inf';
  if (Number.isNaN(value)) return 'NaN';
  const [mantissa = '', power = ''] = value.toExponential().split('e');
  const exponent = Number(power);
  if (exponent >= -4 && exponent < 6) return String(value);
  return `${mantissa}e${exponent < 0 ? '-' : '+'}${String(Math.abs(exponent)).padStart(2, '0')}`;
}
