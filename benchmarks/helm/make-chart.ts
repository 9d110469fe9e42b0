/**
 * A chart of ours with the habits of the large public ones: helpers that include helpers, `tpl` over values, `toYaml` with
 * `nindent`, ranges, merges, checksums. Deterministic: the same arguments give the same bytes.
 *
 *   node benchmarks/helm/make-chart.ts FOLDER [TEMPLATES=250] [RULES=24]
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** The files of the chart by name. `rules` repeats a block in every template: it makes the output long. */
export function makeChart(templates: number, rules: number): ReadonlyMap<string, string> {
  const files = new Map<string, string>([
    [
      'Chart.yaml',
      'apiVersion: v2\nname: stack\nversion: 1.4.0\nappVersion: "2.9"\nkubeVersion: ">=1.20.0-0"\n',
    ],
    ['values.yaml', valuesText(templates)],
    ['templates/_helpers.tpl', HELPERS],
  ]);
  for (let i = 0; i < templates; i++) {
    const kind = ['deployment', 'rules', 'dashboard', 'service', 'monitor'][i % 5]!;
    files.set(`templates/component-${i}-${kind}.yaml`, templateText(i, kind, rules));
  }
  return files;
}

const HELPERS = `{{- define "stack.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 50 | trimSuffix "-" -}}
{{- end -}}
{{- define "stack.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 26 | trimSuffix "-" -}}
{{- else -}}
{{- $name := default .Chart.Name .Values.nameOverride -}}
{{- if contains $name .Release.Name -}}
{{- .Release.Name | trunc 26 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 26 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- define "stack.chartref" -}}
{{- replace "+" "_" .Chart.Version | printf "%s-%s" .Chart.Name -}}
{{- end }}
{{- define "stack.labels" }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: "{{ replace "+" "_" .Chart.Version }}"
app.kubernetes.io/part-of: {{ template "stack.name" . }}
chart: {{ template "stack.chartref" . }}
release: {{ $.Release.Name | quote }}
{{- if .Values.commonLabels }}
{{ toYaml .Values.commonLabels }}
{{- end }}
{{- end }}
{{- define "stack.image" -}}
{{- $registry := .global.imageRegistry | default .image.registry -}}
{{- if .image.sha -}}
{{ $registry }}/{{ .image.repository }}:{{ .image.tag }}@sha256:{{ .image.sha }}
{{- else -}}
{{ $registry }}/{{ .image.repository }}:{{ .image.tag }}
{{- end -}}
{{- end -}}
`;

function valuesText(templates: number): string {
  const components = Array.from({ length: templates }, (_, i) => componentValues(i)).join('');
  return `nameOverride: ""
fullnameOverride: ""
namespaceOverride: ""
commonLabels:
  team: platform
  stage: production
global:
  imageRegistry: ""
  rbac: {create: true}
additional: "{{ .Release.Name }}-{{ .Chart.Name }}"
components:
${components}`;
}

function componentValues(i: number): string {
  return `  c${i}:
    enabled: ${i % 11 !== 3}
    replicas: ${1 + (i % 3)}
    image: {registry: quay.io, repository: example/component-${i}, tag: v0.${i % 40}.1, sha: ""}
    port: ${8000 + i}
    annotations:
      summary: 'Component ${i} of {{ .Release.Name }}'
      runbook: 'https://example.com/{{ .Chart.Name }}/${i}'
    resources:
      requests: {cpu: ${10 + (i % 7)}m, memory: ${32 + (i % 9)}Mi}
      limits: {cpu: 200m, memory: 256Mi}
    env: {LOG_LEVEL: info, REGION: eu-west-${i % 3}, FEATURES: "a=on,b=off"}
    tolerations: []
    nodeSelector: {kubernetes.io/os: linux}
`;
}

function templateText(i: number, kind: string, rules: number): string {
  const head = `{{- $c := index .Values.components "c${i}" }}
{{- if and $c.enabled .Values.global.rbac.create }}
`;
  return `${head}${BODIES[kind]!(i, rules)}{{- end }}\n`;
}

const META = (i: number, kind: string) => `metadata:
  name: {{ template "stack.fullname" . }}-${kind}-${i}
  namespace: {{ default .Release.Namespace .Values.namespaceOverride }}
  labels:
    app: {{ template "stack.name" . }}-${i}
{{ include "stack.labels" . | indent 4 }}
{{- if $c.annotations }}
  annotations:
{{ tpl (toYaml $c.annotations) . | indent 4 }}
{{- end }}
`;

const BODIES: Readonly<Record<string, (i: number, rules: number) => string>> = {
  deployment: (i) => `apiVersion: apps/v1
kind: Deployment
${META(i, 'deployment')}spec:
  replicas: {{ $c.replicas }}
  selector:
    matchLabels:
      app: {{ template "stack.name" . }}-${i}
  template:
    metadata:
      annotations:
        checksum/config: {{ toYaml $c.env | sha256sum }}
      labels:
        app: {{ template "stack.name" . }}-${i}
        {{- include "stack.labels" . | nindent 8 }}
    spec:
      containers:
      - name: component
        image: {{ include "stack.image" (dict "global" .Values.global "image" $c.image) | quote }}
        ports:
        - containerPort: {{ $c.port }}
        env:
        {{- range $key, $value := $c.env }}
        - name: {{ $key }}
          value: {{ $value | quote }}
        {{- end }}
        - name: EXTRA
          value: {{ tpl .Values.additional . | upper | quote }}
        resources:
          {{- toYaml $c.resources | nindent 10 }}
      {{- with $c.nodeSelector }}
      nodeSelector:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      {{- with $c.tolerations }}
      tolerations:
        {{- toYaml . | nindent 8 }}
      {{- end }}
`,
  service: (i) => `apiVersion: v1
kind: Service
${META(i, 'service')}spec:
  ports:
  {{- range $offset := until 4 }}
  - name: port-{{ $offset }}
    port: {{ add $c.port $offset }}
    protocol: TCP
  {{- end }}
  selector:
    app: {{ template "stack.name" . }}-${i}
`,
  monitor: (i) => `apiVersion: monitoring.coreos.com/v1
kind: ServiceMonitor
${META(i, 'monitor')}spec:
  selector:
    matchLabels: {{ dict "app" (printf "%s-%d" (include "stack.name" .) ${i}) | toJson }}
  endpoints:
  - port: http
    interval: {{ default "30s" $c.interval }}
    {{- if semverCompare ">=1.25-0" .Capabilities.KubeVersion.Version }}
    honorLabels: true
    {{- end }}
    relabelings:
    {{- range list "pod" "node" "namespace" }}
    - sourceLabels: [__meta_kubernetes_{{ . }}_name]
      targetLabel: {{ . | title }}
    {{- end }}
`,
  rules: (i, rules) => `apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
${META(i, 'rules')}spec:
  groups:
  - name: component-${i}
    rules:
${Array.from({ length: rules }, (_, rule) => RULE(i, rule)).join('')}`,
  dashboard: (i, rules) => `apiVersion: v1
kind: ConfigMap
${META(i, 'dashboard')}data:
  dashboard-${i}.json: |-
    {{\`${PANELS(i, rules)}\`}}
`,
};

function RULE(i: number, rule: number): string {
  return `    {{- if not (hasKey ($c.disabled | default dict) "Alert${rule}") }}
    - alert: Component${i}Alert${rule}
      annotations:
        description: {{ printf "Component %s has a problem" "${i}" | quote }}
        summary: '{{\`{{ $labels.pod }}\`}} is failing on {{ $.Release.Name }}'
      expr: |-
        sum(rate(component_${i}_errors_total{job="{{ include "stack.name" $ }}"}[5m])) by (pod) > ${rule}
      for: {{ default "15m" $c.for }}
      labels:
        severity: {{ ternary "critical" "warning" (gt ${rule} 12) }}
    {{- end }}
`;
}

function PANELS(i: number, rules: number): string {
  const panel = (n: number) => `
            {
                "id": ${n},
                "title": "Panel ${n} of component ${i}",
                "type": "timeseries",
                "targets": [
                    {
                        "expr": "sum(rate(component_${i}_requests_total[5m])) by (pod)",
                        "legendFormat": "{{pod}}"
                    }
                ]
            }`;
  return `{\n        "panels": [${Array.from({ length: rules }, (_, n) => panel(n)).join(',')}\n        ]\n    }`;
}

/** Writes the chart below `folder`. */
export function writeChart(folder: string, templates: number, rules: number): void {
  for (const [name, text] of makeChart(templates, rules)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
}

if (import.meta.main) {
  const [folder, templates = '250', rules = '24'] = process.argv.slice(2);
  if (folder === undefined) throw new Error('usage: make-chart.ts FOLDER [TEMPLATES] [RULES]');
  writeChart(folder, Number(templates), Number(rules));
}
