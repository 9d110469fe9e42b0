/** A monorepo as platform teams have them: one base for each service, an overlay of it for each environment. */

export const ENVIRONMENTS = ['dev', 'staging', 'production'] as const;

/** One overlay, which is one Application: a Deployment, a Service and a ConfigMap. */
export interface Overlay {
  readonly app: string;
  readonly service: string;
  readonly environment: string;
  readonly namespace: string;
  readonly path: string;
}

export function overlays(count: number): readonly Overlay[] {
  return Array.from({ length: count }, (_, i) => {
    const service = `svc-${String(Math.floor(i / ENVIRONMENTS.length)).padStart(4, '0')}`;
    const environment = ENVIRONMENTS[i % ENVIRONMENTS.length] ?? 'dev';
    return {
      app: `${service}-${environment}`,
      service,
      environment,
      namespace: `team-${environment}`,
      path: `services/${service}/overlays/${environment}`,
    };
  });
}

/** The files of a repository with so many overlays. */
export function monorepo(count: number): Record<string, string> {
  const files: Record<string, string> = { 'README.md': 'Every service, every environment.\n' };
  for (const one of overlays(count)) {
    if (one.environment === ENVIRONMENTS[0]) Object.assign(files, baseOf(one.service));
    files[`${one.path}/kustomization.yaml`] = overlayOf(one);
    files[`${one.path}/settings.yaml`] = settingsOf(one, 'first');
  }
  return files;
}

/** The one file that a commit changes: an environment variable of the overlay's Deployment. */
export function settingsOf({ service, environment }: Overlay, setting: string): string {
  return `apiVersion: apps/v1
kind: Deployment
metadata:
  name: ${service}
  annotations:
    example.com/setting: ${setting}
spec:
  replicas: 1
  template:
    spec:
      containers:
      - name: main
        env:
        - name: STAGE
          value: ${environment}
        resources:
          requests: {memory: ${environment === 'production' ? 48 : 16}Mi}
`;
}

function overlayOf({ service, environment, namespace }: Overlay): string {
  return `apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
namespace: ${namespace}
resources:
- ../../base
labels:
- pairs: {environment: ${environment}}
images:
- name: registry.example.com/${service}
  newTag: "1.4.${ENVIRONMENTS.indexOf(environment as (typeof ENVIRONMENTS)[number])}"
configMapGenerator:
- name: ${service}
  behavior: merge
  literals: [LOG_LEVEL=${environment === 'production' ? 'warn' : 'debug'}]
patches:
- path: settings.yaml
- target: {kind: Service}
  patch: |-
    - op: replace
      path: /spec/ports/0/port
      value: ${environment === 'production' ? 80 : 8080}
`;
}

function baseOf(service: string): Record<string, string> {
  const folder = `services/${service}/base`;
  return {
    [`${folder}/kustomization.yaml`]: `apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
resources: [deployment.yaml, service.yaml]
configMapGenerator:
- name: ${service}
  literals: [LOG_LEVEL=info, REGION=north]
  files: [service.properties]
`,
    [`${folder}/service.properties`]: `name=${service}\nport=8080\ncache.entries=500\n`,
    [`${folder}/service.yaml`]: `apiVersion: v1
kind: Service
metadata: {name: ${service}}
spec:
  selector: {app: ${service}}
  ports:
  - {name: http, port: 80, targetPort: http, protocol: TCP}
`,
    [`${folder}/deployment.yaml`]: `apiVersion: apps/v1
kind: Deployment
metadata:
  name: ${service}
spec:
  revisionHistoryLimit: 2
  selector:
    matchLabels: {app: ${service}}
  template:
    metadata:
      labels: {app: ${service}}
    spec:
      terminationGracePeriodSeconds: 5
      containers:
      - name: main
        image: registry.example.com/${service}:latest
        ports:
        - {name: http, containerPort: 8080}
        envFrom:
        - configMapRef: {name: ${service}}
        readinessProbe:
          httpGet: {path: /ready, port: http}
        resources:
          requests: {cpu: 10m}
          limits: {cpu: 500m, memory: 128Mi}
        volumeMounts:
        - {name: config, mountPath: /etc/service}
      volumes:
      - name: config
        configMap: {name: ${service}}
`,
  };
}
