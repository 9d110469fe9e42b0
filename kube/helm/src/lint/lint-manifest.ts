import {
  dns1035LabelProblems,
  dnsLabelProblems,
  pathSegmentProblems,
  subdomainProblems,
} from '@capstan/kube-object';
import { joinPath } from '@capstan/lib-files';
import { messageOf } from '@capstan/lib-std';
import { parseYaml } from '@capstan/lib-yaml';
import { chartCrds } from '../chart.ts';
import { loadChart } from '../load-chart.ts';
import { deprecationOf } from './deprecated-apis.ts';
import type { ChartPlace, Note } from './lint-chart.ts';

interface Head {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
}

/** The rules about what a template printed. False when it is no YAML: the original looks at no further template then. */
export function lintManifest(
  path: string,
  content: string,
  { minor, note }: { readonly minor: number; readonly note: Note },
): boolean {
  note('WARNING', path, indentProblem(content));
  let first: Dict | undefined;
  for (const document of content.split(/^---.*$/m)) {
    const value = readDocument(path, document, note);
    if (value === undefined) return false;
    if (value === null) continue;
    const head = headOf(value);
    note('WARNING', path, nameProblem(head));
    note('WARNING', path, deprecationOf(head.apiVersion, head.kind, minor));
    note('ERROR', path, selectorProblem(head, content));
    first ??= value;
    // The original looks for the items in the first document, whichever document the List is.
    note('ERROR', path, listProblem(head, first));
  }
  return true;
}

/** The rules about crds/. */
export function lintCrds({ tree, path }: ChartPlace, note: Note): void {
  const folder = 'crds/';
  const kind = tree.stat(joinPath(path, 'crds'))?.kind;
  if (kind === undefined) return;
  if (!note('ERROR', folder, kind === 'directory' ? undefined : 'not a directory')) return;
  let chart: ReturnType<typeof loadChart>;
  try {
    chart = loadChart(tree, path);
  } catch (error) {
    note('ERROR', folder, messageOf(error));
    return;
  }
  for (const { fileName, data } of chartCrds(chart)) {
    const at = fileName.slice(fileName.lastIndexOf('crds/'));
    for (const document of new TextDecoder().decode(data).split(/^---.*$/m)) {
      const value = readDocument(at, document, note);
      if (value === undefined) return;
      if (value === null) continue;
      const { apiVersion, kind: found } = headOf(value);
      const isGroup = apiVersion.startsWith('apiextensions.k8s.io');
      note('ERROR', at, isGroup ? undefined : "apiVersion is not in 'apiextensions.k8s.io'");
      const isKind = found === 'CustomResourceDefinition';
      note('ERROR', at, isKind ? undefined : "object kind is not 'CustomResourceDefinition'");
    }
  }
}

type Dict = Readonly<Record<string, unknown>>;

/** Null for an empty document, undefined for what cannot be read, which is noted. */
function readDocument(path: string, text: string, note: Note): Dict | null | undefined {
  try {
    const value: unknown = parseYaml(text);
    if (value === null || value === undefined) return null;
    if (isDict(value)) return value;
    const kind = Array.isArray(value) ? 'array' : typeof value;
    note(
      'ERROR',
      path,
      `unable to parse YAML: error unmarshaling JSON: while decoding JSON: json: cannot unmarshal ${kind} into Go value of type rules.k8sYamlStruct`,
    );
  } catch (error) {
    note('ERROR', path, `unable to parse YAML: ${messageOf(error)}`);
  }
  return undefined;
}

function isDict(value: unknown): value is Dict {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function headOf(value: Dict): Head {
  const metadata = isDict(value['metadata']) ? value['metadata'] : {};
  const text = (given: unknown): string => (typeof given === 'string' ? given : '');
  return {
    apiVersion: text(value['apiVersion']),
    kind: text(value['kind']),
    name: text(metadata['name']),
  };
}

function indentProblem(content: string): string | undefined {
  const first = content.split(/\r?\n/).find((line) => line.trim() !== '');
  if (first === undefined || !/^[ \t]/.test(first)) return undefined;
  return `document starts with an illegal indent: ${JSON.stringify(first)}, which may cause parsing problems`;
}

function nameProblem({ kind, name }: Head): string | undefined {
  const problems = nameRule(kind)(name).map(
    (problem) => `metadata.name: Invalid value: ${JSON.stringify(name)}: ${problem}`,
  );
  if (problems.length === 0) return undefined;
  const all = problems.length === 1 ? problems[0] : `[${problems.join(', ')}]`;
  return `object name does not conform to Kubernetes naming requirements: ${JSON.stringify(name)}: ${all}`;
}

function nameRule(kind: string): (name: string) => readonly string[] {
  switch (kind.toLowerCase()) {
    case 'service':
      return dns1035LabelProblems;
    case 'namespace':
      return dnsLabelProblems;
    case 'certificatesigningrequest':
      return () => [];
    case 'role':
    case 'clusterrole':
    case 'rolebinding':
    case 'clusterrolebinding':
      return pathSegmentProblems;
    default:
      return subdomainProblems;
  }
}

function selectorProblem({ kind, name }: Head, content: string): string | undefined {
  if (!['Deployment', 'ReplicaSet', 'DaemonSet', 'StatefulSet'].includes(kind)) return undefined;
  if (content.includes('matchLabels') || content.includes('matchExpressions')) return undefined;
  return `a ${kind} must contain matchLabels or matchExpressions, and ${JSON.stringify(name)} does not`;
}

function listProblem({ kind }: Head, value: Dict): string | undefined {
  const items = value['items'];
  if (kind !== 'List' || !Array.isArray(items)) return undefined;
  const hasPolicy = items.filter(isDict).some((item) => {
    const metadata = isDict(item['metadata']) ? item['metadata'] : {};
    const annotations = isDict(metadata['annotations']) ? metadata['annotations'] : {};
    return 'helm.sh/resource-policy' in annotations;
  });
  return hasPolicy
    ? "annotation 'helm.sh/resource-policy' within List objects are ignored"
    : undefined;
}
