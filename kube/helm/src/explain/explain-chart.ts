import { type Chart, chartCrds, subchartPath, type Values } from '../chart.ts';
import type { HookEvent } from '../manifests.ts';
import { processDependencies } from '../process-dependencies.ts';
import { type RenderOptions, renderChart } from '../render-chart.ts';

export type DifferenceKind =
  | 'lookup'
  | 'random'
  | 'certificate'
  | 'time'
  | 'install-or-upgrade'
  | 'revision'
  | 'capabilities'
  | 'hook'
  | 'crd';

/** Something by which a chart that is only rendered turns out other than `helm install` would make it. */
export interface ChartDifference {
  readonly kind: DifferenceKind;
  /** As in `# Source:` lines. */
  readonly file: string;
  /** 0 where the whole file is meant. */
  readonly line: number;
  /** The function, the field or the hook. */
  readonly what: string;
  readonly effect: string;
}

export interface ChartExplanation {
  /** In the order of files and lines. What stands in a template counts, whether these values lead there or not. */
  readonly differences: readonly ChartDifference[];
  /** What these values made the templates look up: exact. */
  readonly lookups: readonly string[];
  /** Manifests and hooks that come out otherwise when the same is rendered again: exact. */
  readonly unstable: readonly string[];
}

/**
 * Why the objects of this chart differ from those of `helm install`, and why from render to render. Renders twice; nothing
 * is asked of a cluster.
 */
export function explainChart(
  chart: Chart,
  values: Values,
  options: RenderOptions,
): ChartExplanation {
  const { flavor = 4 } = options;
  const processed = processDependencies(chart, values, { flavor });
  const lookups = new Set<string>();
  const lookup: RenderOptions['lookup'] = (query) => {
    const { apiVersion, kind, namespace, name } = query;
    lookups.add(`${apiVersion} ${kind} ${namespace === '' ? '' : `${namespace}/`}${name || '*'}`);
    return options.lookup?.(query) ?? {};
  };
  const first = renderChart(chart, values, { ...options, lookup });
  const second = renderChart(chart, values, { ...options, lookup });
  const unstable = [
    ...differing(first.manifests, second.manifests),
    ...differing(first.hooks, second.hooks),
  ];
  const hooks = first.hooks.flatMap(({ path, name, kind, events }) =>
    events.flatMap((event) => hookDifference({ file: path, what: `${kind} ${name}` }, event)),
  );
  const crds = chartCrds(processed).map(({ fileName }) => ({
    kind: 'crd' as const,
    file: fileName,
    line: 0,
    what: 'crds/',
    effect: 'helm creates it before all else and never again updates or deletes it',
  }));
  const found = scanChart(processed, processed.metadata.name);
  return { differences: [...found, ...hooks, ...crds], lookups: [...lookups].sort(), unstable };
}

interface Rendered {
  readonly path: string;
  readonly kind: string;
  readonly name: string;
  readonly content: string;
}

function differing(first: readonly Rendered[], second: readonly Rendered[]): readonly string[] {
  const name = ({ path, kind, name: own }: Rendered): string => `${path}: ${kind} ${own}`;
  return first.flatMap((one, i) => (one.content === second[i]?.content ? [] : [name(one)]));
}

const RULES: readonly (readonly [DifferenceKind, RegExp, string])[] = [
  [
    'lookup',
    /\blookup\b/g,
    'helm install asks the cluster; a render without one gets an empty answer',
  ],
  [
    'random',
    /\b(?:rand(?:AlphaNum|Alpha|Numeric|Ascii|Bytes|Int)|shuffle|uuidv4|bcrypt|htpasswd|encryptAES)\b/g,
    'other at each render: helm install renders once, a renderer that compares sees a change each time',
  ],
  [
    'certificate',
    /\bgen(?:CA|CAWithKey|SelfSignedCert|SelfSignedCertWithKey|SignedCert|SignedCertWithKey|PrivateKey)\b/g,
    'a new key at each render: helm install renders once',
  ],
  ['time', /\b(?:now|ago)\b/g, 'the time of the render'],
  [
    'install-or-upgrade',
    /\.Release\.Is(?:Install|Upgrade)\b/g,
    'helm knows which it is; a renderer always says install unless told',
  ],
  ['revision', /\.Release\.Revision\b/g, 'helm counts; a renderer always says 1'],
  [
    'capabilities',
    /\.Capabilities\.(?:KubeVersion|APIVersions)\b/g,
    "helm asks the cluster; a renderer takes what it is given, or its own library's",
  ],
];

function scanChart(chart: Chart, path: string): readonly ChartDifference[] {
  const own = chart.templates.flatMap(({ name, data }) =>
    scanTemplate(`${path}/${name}`, new TextDecoder().decode(data)),
  );
  const inner = chart.dependencies.flatMap((child) => scanChart(child, subchartPath(path, child)));
  return [...own, ...inner];
}

/** What stands inside of actions, comments and quoted texts left out. */
function scanTemplate(file: string, text: string): readonly ChartDifference[] {
  const found: ChartDifference[] = [];
  for (const { index, 0: action } of text.matchAll(/\{\{(?!-?\s*\/\*)[\s\S]*?\}\}/g)) {
    const bare = action.replace(/"(?:[^"\\]|\\.)*"|`[^`]*`/g, (quoted) =>
      ' '.repeat(quoted.length),
    );
    for (const [kind, pattern, effect] of RULES) {
      for (const match of bare.matchAll(pattern)) {
        // A function, not a field of that name.
        const isField = !match[0].startsWith('.') && /[.$\w]$/.test(bare.slice(0, match.index));
        if (isField) continue;
        const line = text.slice(0, index + match.index).split('\n').length;
        found.push({ kind, file, line, what: match[0], effect });
      }
    }
  }
  return found;
}

/** What Argo CD runs at another time than helm, or not at all; it maps the others. */
function hookDifference(
  at: { readonly file: string; readonly what: string },
  event: HookEvent,
): readonly ChartDifference[] {
  const effects: Partial<Record<HookEvent, string>> = {
    'pre-rollback': 'runs on helm rollback only: nothing else runs it',
    'post-rollback': 'runs on helm rollback only: nothing else runs it',
    test: 'runs on helm test only: nothing else runs it',
    'pre-delete': 'runs on helm uninstall; a renderer must know deletion hooks to run it',
    'post-delete': 'runs on helm uninstall; a renderer must know deletion hooks to run it',
    'pre-install': 'runs on the first install only; as a sync hook it runs at each sync',
    'post-install': 'runs on the first install only; as a sync hook it runs at each sync',
    'pre-upgrade': 'does not run on the first install; as a sync hook it does',
    'post-upgrade': 'does not run on the first install; as a sync hook it does',
  };
  const effect = effects[event];
  if (effect === undefined) return [];
  return [{ kind: 'hook', file: at.file, line: 0, what: `${event}: ${at.what}`, effect }];
}
