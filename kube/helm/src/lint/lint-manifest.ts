import {
  dns1035LabelProblems,
  dnsLabelProblems,
  pathSegmentProblems,
  subdomainProblems,
} from '@capstan/kube-object';
import { joinPath } from '@capstan/lib-files';
import { JsonSyntaxError, parseJson } from '@capstan/lib-gotemplate';
import { messageOf } from '@capstan/lib-std';
import { parseYaml } from '@capstan/lib-yaml';
import type { HelmFlavor } from '../capabilities.ts';
import { chartCrds } from '../chart.ts';
import { loadChart } from '../load-chart.ts';
import { scalarText } from '../parse-metadata.ts';
import { deprecationOf } from './deprecated-apis.ts';
import type { ChartPlace, Note } from './lint-chart.ts';

interface Head {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
}

export interface ManifestRules {
  /** The minor version of Kubernetes 1 that is asked about deprecated APIs. */
  readonly minor: number;
  readonly flavor: HelmFlavor;
  readonly note: Note;
}

/** The rules about what a template printed. False when it is no YAML: the original looks at no further template then. */
export function lintManifest(path: string, content: string, rules: ManifestRules): boolean {
  const { minor, flavor, note } = rules;
  note('WARNING', path, indentProblem(content));
  let first: Dict | undefined;
  return eachDocument(content, { path, flavor, note }, (head, value) => {
    note('WARNING', path, nameProblem(head));
    note('WARNING', path, deprecationOf(head.apiVersion, head.kind, minor));
    note('ERROR', path, selectorProblem(head, content));
    first ??= value;
    // The original looks for the items in the first document, whichever document the List is.
    note('ERROR', path, listProblem(head, first, flavor));
  });
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
    const text = new TextDecoder().decode(data);
    const isRead = eachDocument(text, { path: at, flavor: 4, note }, (head) => {
      const isGroup = head.apiVersion.startsWith('apiextensions.k8s.io');
      note('ERROR', at, isGroup ? undefined : "apiVersion is not in 'apiextensions.k8s.io'");
      const isKind = head.kind === 'CustomResourceDefinition';
      note('ERROR', at, isKind ? undefined : "object kind is not 'CustomResourceDefinition'");
    });
    if (!isRead) return;
  }
}

type Dict = Readonly<Record<string, unknown>>;

interface Reading {
  readonly path: string;
  readonly flavor: HelmFlavor;
  readonly note: Note;
}

/** Reads one document after the other; false at the first that cannot be read, which is noted. */
function eachDocument(
  text: string,
  { path, flavor, note }: Reading,
  look: (head: Head, value: Dict) => void,
): boolean {
  const lines = text.split(/\r?\n/);
  if (lines.at(-1) === '') lines.pop();
  let open: string[] = [];
  let isFirst = true;
  const read = (): boolean => {
    if (open.length === 0) return true;
    const document = `${open.join('\n')}\n`;
    open = [];
    try {
      const value = readDocument(document, flavor);
      if (value !== null) look(headOf(value, flavor), value);
      return true;
    } catch (error) {
      const reason = (isFirst ? jsonProblem(text) : undefined) ?? messageOf(error);
      note('ERROR', path, `unable to parse YAML: ${reason}`);
      return false;
    } finally {
      isFirst = false;
    }
  };
  // A rule ends what stands before it; with nothing before it, it is the first line of what follows.
  for (const line of lines) {
    const after = line.startsWith('---') ? line.slice(3).trim() : '';
    if (after !== '' && !after.startsWith('#')) {
      note('ERROR', path, `unable to parse YAML: invalid Yaml document separator: ${after}`);
      return false;
    }
    if (!line.startsWith('---') || open.length === 0) open.push(line);
    else if (!read()) return false;
  }
  return read();
}

/** What the original says of a text that begins as JSON does and is neither that nor YAML; undefined for others. */
function jsonProblem(text: string): string | undefined {
  if (!text.trimStart().startsWith('{')) return undefined;
  try {
    parseJson(text);
    return undefined;
  } catch (error) {
    if (!(error instanceof JsonSyntaxError) || error.message.endsWith('after top-level value')) {
      return undefined;
    }
    return error.offset === undefined
      ? 'unexpected EOF'
      : `json: offset ${error.offset}: ${error.message}`;
  }
}

/** Null for an empty document. */
function readDocument(text: string, flavor: HelmFlavor): Dict | null {
  const value: unknown = parseYaml(text);
  if (value === null || value === undefined) return null;
  if (isDict(value)) return value;
  throw mismatch(value, `value of type rules.${structName(flavor)}`);
}

function structName(flavor: HelmFlavor): string {
  return flavor === 3 ? 'K8sYamlStruct' : 'k8sYamlStruct';
}

function mismatch(value: unknown, wanted: string): Error {
  const kind = Array.isArray(value) ? 'array' : isDict(value) ? 'object' : scalarKind(value);
  return new Error(
    `error unmarshaling JSON: while decoding JSON: json: cannot unmarshal ${kind} into Go ${wanted}`,
  );
}

function scalarKind(value: unknown): string {
  if (typeof value === 'boolean') return 'bool';
  return typeof value === 'bigint' ? 'number' : typeof value;
}

function isDict(value: unknown): value is Dict {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** What the original's struct takes of a document: names in any case, numbers and booleans as their text. */
function headOf(value: Dict, flavor: HelmFlavor): Head {
  const owner = structName(flavor);
  const metadata = member(value, 'metadata');
  if (metadata !== undefined && metadata !== null && !isDict(metadata)) {
    throw mismatch(metadata, `struct field ${owner}.Metadata of type rules.k8sYamlMetadata`);
  }
  const text = (of: Dict, name: string, field: string): string => {
    const given = member(of, name);
    if (given === undefined || given === null) return '';
    const read = scalarText(given);
    if (read === undefined) throw mismatch(given, `struct field ${field} of type string`);
    return read;
  };
  return {
    apiVersion: text(value, 'apiVersion', `${owner}.apiVersion`),
    kind: text(value, 'kind', `${owner}.Kind`),
    name: isDict(metadata) ? text(metadata, 'name', 'k8sYamlMetadata.Metadata.Name') : '',
  };
}

function member(of: Dict, name: string): unknown {
  if (Object.hasOwn(of, name)) return of[name];
  const other = Object.keys(of).find((key) => key.toLowerCase() === name.toLowerCase());
  return other === undefined ? undefined : of[other];
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

function listProblem({ kind }: Head, value: Dict, flavor: HelmFlavor): string | undefined {
  const items = value['items'];
  if (kind !== 'List' || !Array.isArray(items)) return undefined;
  const hasPolicy = items.filter(isDict).some((item) => {
    const metadata = isDict(item['metadata']) ? item['metadata'] : {};
    const annotations = isDict(metadata['annotations']) ? metadata['annotations'] : {};
    return 'helm.sh/resource-policy' in annotations;
  });
  const what = flavor === 3 ? 'Annotation' : 'annotation';
  return hasPolicy
    ? `${what} 'helm.sh/resource-policy' within List objects are ignored`
    : undefined;
}
