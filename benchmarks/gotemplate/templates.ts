import type { Json } from '../../conformance/gotemplate/data.ts';

/** Templates and values as charts have them: helpers, labels, ranges, conditionals, quoting, indented blocks. */
export interface Workload {
  readonly name: string;
  readonly template: string;
  readonly templates: { readonly [name: string]: string };
  readonly data: Json;
}

const HELPERS = `
{{- define "app.name" -}}
{{- default .Chart.name .Values.nameOverride | trunc 63 | trimSuffix "-" }}
{{- end }}
{{- define "app.fullname" -}}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride | trunc 63 | trimSuffix "-" }}
{{- else }}
{{- $name := default .Chart.name .Values.nameOverride }}
{{- if contains $name .Release.name }}
{{- .Release.name | trunc 63 | trimSuffix "-" }}
{{- else }}
{{- printf "%s-%s" .Release.name $name | trunc 63 | trimSuffix "-" }}
{{- end }}
{{- end }}
{{- end }}
{{- define "app.chart" -}}
{{- printf "%s-%s" .Chart.name .Chart.version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{- end }}
{{- define "app.labels" -}}
helm.sh/chart: {{ include "app.chart" . }}
{{ include "app.selectorLabels" . }}
{{- if .Chart.appVersion }}
app.kubernetes.io/version: {{ .Chart.appVersion | quote }}
{{- end }}
app.kubernetes.io/managed-by: {{ .Release.service }}
{{- end }}
{{- define "app.selectorLabels" -}}
app.kubernetes.io/name: {{ include "app.name" . }}
app.kubernetes.io/instance: {{ .Release.name }}
{{- end }}
`;

const DEPLOYMENT = `apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ include "app.fullname" . }}
  labels:
    {{- include "app.labels" . | nindent 4 }}
spec:
  {{- if not .Values.autoscaling.enabled }}
  replicas: {{ .Values.replicaCount }}
  {{- end }}
  selector:
    matchLabels:
      {{- include "app.selectorLabels" . | nindent 6 }}
  template:
    metadata:
      annotations:
        {{- range $key, $value := .Values.podAnnotations }}
        {{ $key }}: {{ $value | quote }}
        {{- end }}
    spec:
      containers:
        {{- range $index, $container := .Values.containers }}
        - name: {{ $container.name | default (printf "c%d" $index) }}
          image: "{{ $container.image.repository }}:{{ $container.image.tag | default $.Chart.appVersion }}"
          {{- with $container.env }}
          env:
            {{- range . }}
            - name: {{ .name | upper | replace "-" "_" }}
              {{- if .value }}
              value: {{ .value | quote }}
              {{- else if and .secret .key }}
              valueFrom:
                secretKeyRef: { name: {{ .secret }}, key: {{ .key }} }
              {{- end }}
            {{- end }}
          {{- end }}
          ports:
            {{- range $container.ports }}
            - name: {{ .name }}
              containerPort: {{ .port | int }}
              {{- if ne .protocol "TCP" }}
              protocol: {{ .protocol }}
              {{- end }}
            {{- end }}
          resources: {{ toJson $container.resources }}
          {{- if hasKey $container "command" }}
          command: [{{ range $i, $part := $container.command }}{{ if $i }}, {{ end }}{{ $part | quote }}{{ end }}]
          {{- end }}
        {{- end }}
      {{- with .Values.nodeSelector }}
      nodeSelector:
        {{- range $k, $v := . }}
        {{ $k }}: {{ $v }}
        {{- end }}
      {{- end }}
`;

function container(index: number): Json {
  return {
    name: index % 2 === 0 ? `container-${index}` : '',
    image: {
      repository: `registry.example.com/team/app-${index}`,
      tag: index % 3 === 0 ? '' : `1.${index}.0`,
    },
    env: Array.from({ length: 8 }, (_, i) =>
      i % 3 === 2
        ? { name: `secret-${i}`, secret: 'creds', key: `k${i}` }
        : { name: `var-${i}`, value: `value of ${i}` },
    ),
    ports: [
      { name: 'http', port: 8080 + index, protocol: 'TCP' },
      { name: 'dns', port: 53, protocol: 'UDP' },
    ],
    resources: {
      limits: { cpu: '500m', memory: '256Mi' },
      requests: { cpu: '100m', memory: '128Mi' },
    },
    command: ['/bin/app', '--verbose', `--index=${index}`],
  };
}

function values(containers: number): Json {
  return {
    Chart: { name: 'app', version: '1.2.3+build', appVersion: '4.5.6' },
    Release: { name: 'prod', service: 'Helm', namespace: 'default' },
    Values: {
      nameOverride: '',
      fullnameOverride: '',
      replicaCount: 3,
      autoscaling: { enabled: false },
      podAnnotations: { 'example.com/a': 'one', 'example.com/b': 'two', 'checksum/config': 'abc' },
      nodeSelector: { 'kubernetes.io/os': 'linux', pool: 'general' },
      containers: Array.from({ length: containers }, (_, index) => container(index)),
    },
  };
}

export function workloads(): Workload[] {
  const templates = { helpers: HELPERS };
  return [
    { name: 'one container', template: DEPLOYMENT, templates, data: values(1) },
    { name: 'twenty containers', template: DEPLOYMENT, templates, data: values(20) },
    {
      name: 'helpers only',
      template: '{{ range until 50 }}{{ include "app.labels" $ | nindent 4 }}{{ end }}',
      templates,
      data: values(1),
    },
    {
      name: 'loops and comparisons',
      template:
        '{{ range $i := until 200 }}{{ if and (gt $i 10) (lt $i 190) (ne (mod $i 2) 0) }}{{ $i }}: {{ printf "%03d-%s" $i "x" | quote }}\n{{ end }}{{ end }}',
      templates,
      data: values(1),
    },
    {
      name: 'plain text',
      template: `${'key: value\n'.repeat(500)}{{ .Release.name }}`,
      templates,
      data: values(1),
    },
  ];
}
