/** Random templates of a chart: documents of many kinds, hooks, helpers, and lines that use values, files and functions. */
import type { Choice } from '../tools/choice.ts';

type Make = (choice: Choice, depth: number) => string;

/** Path → text of the templates of a chart. */
export function randomTemplates(choice: Choice, chart: string): ReadonlyMap<string, string> {
  const files = new Map<string, string>();
  files.set('templates/_helpers.tpl', helpers(choice, chart));
  const names = ['templates/a.yaml', 'templates/sub/b.yaml', 'templates/c.yml', 'templates/d.txt'];
  for (const name of names) if (choice.chance(45)) files.set(name, template(choice));
  return files;
}

/** `lib.*` stands in every chart: the one that is parsed last holds for all. */
function helpers(choice: Choice, chart: string): string {
  const parts = [
    `{{- define "lib.name" -}}\n${chart}-{{ .Values.name | default .Chart.Name | trunc 20 | trimSuffix "-" }}\n{{- end -}}`,
    `{{- define "lib.labels" }}\nchart: {{ .Chart.Name }}-{{ .Chart.Version | replace "+" "_" | quote }}\nfrom: ${chart}\n{{- include "lib.more" . }}\n{{- end }}`,
    `{{- define "lib.more" }}\nmore: {{ ${expression(choice, 1)} | toJson | quote }}\n{{- end }}`,
    `{{- define "lib.dict" -}}\n{{- toYaml (dict "a" .Values.odd "b" (list 1 .Values.count) "c" .Values.map) }}\n{{- end }}`,
    `{{- define "lib.walk" }}{{ range $k, $v := . }}{{ if kindIs "map" $v }}{{ $k }}({{ include "lib.walk" $v }}){{ else }}{{ $k }}={{ $v }},{{ end }}{{ end }}{{ end }}`,
    `{{ define "lib.tag" }}${chart}{{ . | toString | trunc 10 }}{{ end }}`,
  ];
  return `${parts.join('\n\n')}\n`;
}

function template(choice: Choice): string {
  const documents = Array.from({ length: 1 + choice.below(3) }, () => document(choice));
  const rule = choice.of(['---\n', '---\n', '--- # more\n', '\n---\n\n']);
  const text = `${choice.chance(20) ? '---\n' : ''}${documents.join(rule)}`;
  if (choice.chance(4)) return text.replaceAll('\n', '\r\n');
  return choice.chance(15) ? `{{- if .Values.flag }}\n${text}\n{{- end }}\n` : text;
}

const KINDS: [string, ...string[]] = [
  'ConfigMap',
  'ConfigMap',
  'Secret',
  'Namespace',
  'ServiceAccount',
  'CustomResourceDefinition',
  'ClusterRole',
  'Role',
  'RoleBinding',
  'Service',
  'DaemonSet',
  'Deployment',
  'StatefulSet',
  'Job',
  'CronJob',
  'Ingress',
  'APIService',
  'Unknown',
  'PodDisruptionBudget',
  'NetworkPolicy',
  'PriorityClass',
  'ValidatingWebhookConfiguration',
  'HorizontalPodAutoscaler',
  '{{ .Values.kind | default "Pod" }}',
];

function document(choice: Choice): string {
  if (choice.chance(4)) return choice.of(['# only a comment\n', '\n', '  \n', 'null\n', '{}\n']);
  const lines = [
    `apiVersion: ${choice.of(['v1', 'apps/v1', 'batch/v1beta1', 'networking.k8s.io/v1'])}`,
    `kind: ${choice.of(KINDS)}`,
    'metadata:',
    `  name: ${choice.of(['{{ include "lib.name" . }}', '{{ .Release.Name }}-x', 'fixed', '{{ .Values.name | quote }}'])}`,
  ];
  if (choice.chance(30)) lines.push('  labels: {{- include "lib.labels" . | nindent 4 }}');
  if (choice.chance(30)) lines.push('  annotations:', ...annotations(choice));
  lines.push('data:');
  for (let i = 0; i < 1 + choice.below(5); i++) lines.push(line(choice, i));
  return `${lines.join('\n')}\n`;
}

function annotations(choice: Choice): string[] {
  const lines = ['    note: "1"'];
  if (choice.chance(60)) {
    const hook = choice.of([
      'pre-install',
      'post-install,post-upgrade',
      'pre-delete',
      'pre-rollback , post-rollback',
      'test',
      'test-success',
      'unknown',
      'crd-install',
      '',
    ]);
    lines.push(`    "helm.sh/hook": ${JSON.stringify(hook)}`);
  }
  if (choice.chance(40))
    lines.push(
      `    "helm.sh/hook-weight": ${choice.of(['"5"', '"-1"', '"x"', '"1e1"', '"+2"', '"10"'])}`,
    );
  if (choice.chance(20))
    lines.push('    "helm.sh/hook-delete-policy": before-hook-creation,hook-succeeded');
  if (choice.chance(10)) lines.push('    "helm.sh/resource-policy": keep');
  if (choice.chance(3)) lines.push('    number: 1');
  return lines;
}

/** One entry of a document's data, or several. */
function line(choice: Choice, at: number): string {
  const key = `  k${at}`;
  const e = (): string => expression(choice, 2);
  switch (choice.below(16)) {
    case 0:
    case 1:
      return `${key}: {{ ${e()} | quote }}`;
    case 2:
      return `${key}: {{ toJson (${e()}) }}`;
    case 3:
      return `${key}: {{- toYaml (${e()}) | nindent 4 }}`;
    case 4:
      return `${key}: |-\n    {{- ${choice.of(['toYaml', 'toYamlPretty', 'toPrettyJson', 'toRawJson'])} (${e()}) | nindent 4 }}`;
    case 5:
      return `  {{- with ${e()} }}\n${key}: {{ . | toJson | quote }}\n  {{- else }}\n${key}: none\n  {{- end }}`;
    case 6:
      return `  {{- range $i, $v := ${collection(choice)} }}\n${key}-{{ $i | toString | replace " " "_" | replace ":" "_" }}: {{ $v | toJson | squote }}\n  {{- else }}\n${key}: empty\n  {{- end }}`;
    case 7:
      return `  {{- if ${condition(choice)} }}\n${key}: yes\n  {{- else if ${condition(choice)} }}\n${key}: maybe\n  {{- else }}\n${key}: no\n  {{- end }}`;
    case 8:
      return `  {{- $x := ${e()} }}\n${key}: {{ printf ${choice.of(['"%v"', '"%s"', '"%d"', '"%T"', '"%q"', '"%5.1f"', '"%+v"', '"%t"', '"%x"'])} $x | quote }}`;
    case 9:
      return `${key}: {{ tpl (${choice.of(['.Values.text', '.Values.text | toString', 'toYaml .Values.random', '.Values.inner'])} | default "d" | toString) . | quote }}`;
    case 10:
      return `${key}: {{ include "lib.${choice.of(['name', 'dict', 'more', 'labels'])}" . | ${choice.of(['quote', 'trim | quote', 'sha256sum', 'b64enc', 'nindent 4'])} }}`;
    case 11:
      return filesLine(choice, key);
    case 12:
      return `${key}: {{ toToml ${choice.of(['(.Values.map | default dict)', '(.Values.global | default dict)', '.Values.map', '(dict "a" .Values.odds "b" .Values.a)', '(dict "o" .Values.objects)'])} | quote }}`;
    case 13:
      return `  {{- $d := ${choice.of(['deepCopy (.Values.map | default dict)', 'dict "n" .Values.count', 'merge (dict "a" 1) (.Values.map | default dict)', 'mergeOverwrite (dict "a" 1) (.Values.global | default dict)', 'pick (.Values.map | default dict) "a" "b"', 'omit (.Values.map | default dict) "a"'])} }}\n  {{- $_ := set $d "added" (${e()}) }}\n${key}: {{ toJson $d | quote }}`;
    case 14:
      return `${key}: {{ include "lib.walk" (ternary .Values.a dict (kindIs "map" .Values.a)) | quote }}`;
    default:
      return rareLine(choice, key);
  }
}

function filesLine(choice: Choice, key: string): string {
  return choice.of([
    `${key}: {{ .Files.Get "f.txt" | quote }}`,
    `${key}: {{ .Files.Get "absent" | quote }}`,
    `${key}: {{ range .Files.Lines "f.txt" }}[{{ . }}]{{ end }}`,
    `  {{- (.Files.Glob "conf/*").AsConfig | nindent 2 }}`,
    `  {{- (.Files.Glob "{conf,none}/**").AsSecrets | nindent 2 }}`,
    `${key}: {{ range $p, $b := .Files.Glob "**.{txt,json}" }}{{ $p }}:{{ len $b }} {{ end }}`,
    `${key}: {{ .Files.GetBytes "conf/b.txt" | toString | sha256sum }}`,
    `${key}: {{ tpl (.Files.Get "conf/a.yaml") . | fromYaml | toJson }}`,
    `${key}: {{ .Files.Get "../Chart.yaml" | quote }}`,
    `${key}: {{ len .Files }}`,
  ]);
}

function rareLine(choice: Choice, key: string): string {
  if (choice.chance(70)) {
    return choice.of([
      `${key}: {{ .Capabilities.KubeVersion.Version }} {{ .Capabilities.KubeVersion.Major }}`,
      `${key}: {{ .Capabilities.APIVersions.Has "monitoring.coreos.com/v1" }} {{ .Capabilities.APIVersions.Has "apps/v1/Deployment" }}`,
      `${key}: {{ semverCompare ">=1.25-0" .Capabilities.KubeVersion.GitVersion }}`,
      `${key}: {{ .Release | toJson | quote }}`,
      `${key}: {{ .Chart | toJson | quote }}`,
      `${key}: {{ .Template | toJson | quote }}`,
      `${key}: {{ keys .Subcharts | sortAlpha | join "," | quote }}`,
      `${key}: {{ range $n, $s := .Subcharts }}{{ $n }}={{ $s.Chart.Version }}/{{ $s.Values.name }} {{ end }}`,
      `${key}: {{ (lookup "v1" "Secret" .Release.Namespace "x") | toJson }} {{ (lookup "v1" "Secret" "" "").items | default "none" }}`,
      `${key}: {{ fromYaml "a: [1, {b: c}]\\nd: 1e3" | toJson | quote }} # {{ fromYaml "a: [" | keys }}`,
      `${key}: {{ fromJsonArray "[1, 2.5, null]" | toYaml | quote }}`,
      `${key}: {{ fromYamlArray "- 1\\n- x" | toJson | quote }}`,
      `${key}: {{ regexReplaceAll "[^a-z]+" (.Values.name | toString) "-" | quote }}`,
      `${key}: {{ (split "-" "a-b-c")._1 }} {{ splitList "," "x,y" | last }}`,
      `${key}: {{ .Values.AsMap | toJson }}`,
      `${key}: {{ .Values.YAML | quote }}`,
      `${key}: {{ (.Values.Table "global").AsMap | toJson | quote }}`,
      `${key}: {{ .Values.PathValue "map.a" | toJson | quote }}`,
      `${key}: {{ dig "a" "b" "none" (.Values.map | default dict) | toJson | quote }}`,
      `${key}: {{ block "lib.block" . }}{{ .Chart.Name }}{{ end }}`,
      `${key}: {{ template "lib.tag" .Values.count }}`,
      `${key}: {{- /* note */}} x {{ "{{" }} {{\`raw }}\`}}`,
      `${key}: {{ until 3 | join "," | quote }}{{ range 2 }}{{ . }}{{ end }}`,
    ]);
  }
  return choice.of([
    `${key}: {{ required "name is needed" .Values.name | quote }}`,
    `${key}: {{ required (printf "no %s" "odd") .Values.odd | quote }}`,
    `  {{- if eq (.Values.count | toString) "0" }}{{ fail "count is zero" }}{{ end }}\n${key}: x`,
    `${key}: {{ .Values.map.deep.deep }}`,
    `${key}: {{ index .Values.list 1 }}`,
    `${key}: {{ .Values.odd | upper }}`,
    `${key}: {{ include "lib.absent" . }}`,
    `${key}: {{ add .Values.count .Values.odd }}`,
    `${key}: {{ first .Values.list }}{{ .Values.list | join "+" }}`,
    `${key}: {{ get (.Values.objects | default list | first | default dict) "name" }}`,
    `${key}: {{ lt .Values.count 5 }}`,
    `${key}: [{{ .Values.odd }}`,
    `${key}: {{ .Values.text }}\n${key}: again`,
  ]);
}

const PATHS: [string, ...string[]] = [
  '.Values.name',
  '.Values.count',
  '.Values.flag',
  '.Values.list',
  '.Values.map',
  '(.Values.map).a',
  '(.Values.map).deep',
  '.Values.objects',
  '.Values.odd',
  '.Values.odds',
  '.Values.a',
  '.Values.random',
  '.Values.global',
  '(.Values.global).a',
  '(.Values.global).flag',
  '.Values.imported',
  '.Values.x',
  '.Values.absent',
  '.Values.one',
  '(.Values.two).name',
  '.Values.exports',
  '.Values.tags',
  '.Values.again',
  '.Values.folded',
  '.Values.literal',
  '.Values',
  '.Release.Name',
  '.Release.IsUpgrade',
  '.Release.Service',
  '.Chart.Name',
  '.Chart.AppVersion',
  '.Chart.Annotations',
  '.Chart.Type',
  '.Template.Name',
];

const expression: Make = (choice, depth) => {
  const path = choice.of(PATHS);
  if (depth === 0 || choice.chance(45)) return path;
  const inner = expression(choice, depth - 1);
  return choice.of([
    `${inner} | default ${choice.of(['"d"', '1', 'dict', 'list', '.Values.name'])}`,
    `coalesce ${path} (${inner}) "z"`,
    `ternary ${path} "other" (not (not (${condition(choice)})))`,
    `list ${path} (${inner}) 1 nil`,
    `dict "p" ${path} "q" (${inner})`,
    `kindOf (${inner})`,
    `typeOf (${inner})`,
    `${inner} | toString | trunc 12`,
    `${inner} | toString | upper | quote`,
    `${inner} | toJson | b64enc`,
    `${inner} | int64`,
    `${inner} | float64`,
    `${inner} | toYaml | fromYaml`,
    `dict "v" (${inner}) | toYaml | fromYaml`,
    `dict "v" (${inner}) | toJson | fromJson`,
    `toStrings (.Values.list | default list)`,
    `without (.Values.list | default list) "a"`,
    `concat (.Values.list | default list) (list ${path})`,
    `has "a" (.Values.list | default list)`,
    `hasKey (.Values.map | default dict) "a"`,
    `get (.Values.map | default dict) "b"`,
    `(.Values.list | default list) | uniq | reverse`,
    `values (.Values.tags | default dict) | len`,
    `keys (.Values.map | default dict) | sortAlpha`,
    `empty (${inner})`,
    `${inner} | toString | len`,
    `deepCopy (dict "v" (${inner}))`,
    `printf "%v/%v" ${path} (${inner})`,
    `print ${path} 1 (${inner})`,
    `add1 (${path} | int)`,
    `${inner} | toString | regexFind "[0-9]+"`,
    `${inner} | toString | nindent 2`,
    `${inner} | toString | squote`,
    `.Values.list | default list | join "," `,
    `cat ${path} "x"`,
    `mustToJson (${inner})`,
    `${inner} | toString | fromJson`,
    `${inner} | toString | fromYaml`,
    `mulf 1.5 (${path} | float64)`,
    `round (${path} | float64) 1`,
  ]);
};

function condition(choice: Choice): string {
  const path = choice.of(PATHS);
  return choice.of([
    path,
    `not ${path}`,
    `and ${path} .Values.flag`,
    `or ${path} .Values.flag`,
    `eq (${path} | toString) "1"`,
    `ne (toString ${path}) "x"`,
    `gt (.Values.count | int) 2`,
    `kindIs "map" ${path}`,
    `hasKey .Values "name"`,
    `empty ${path}`,
    `contains "a" (${path} | toString)`,
    `eq .Values.name "app"`,
    `.Release.IsInstall`,
  ]);
}

function collection(choice: Choice): string {
  return choice.of([
    '.Values.list',
    '.Values.map',
    '.Values.objects',
    '.Values.odds',
    '.Values.global',
    '(.Values.random | default dict)',
    '(list 1 "a" .Values.odd)',
    '(dict "z" 1 "y" .Values.a)',
    '(until 2)',
    '(.Values.list | default list | sortAlpha)',
    '.Values.absent',
    '.Values.tags',
  ]);
}
