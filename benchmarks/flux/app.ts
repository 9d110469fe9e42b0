/** The application that Flux's own benchmark deploys many times: nothing runs in it, everything is there. */
import { gzipSync } from 'node:zlib';
import { tarEnd, tarFile } from '@capstan/lib-files';

/** `name` as it stands in a manifest, and what a chart adds at the top. */
function manifests(name: string): Record<string, string> {
  return {
    'deployment.yaml': `apiVersion: apps/v1
kind: Deployment
metadata:
  name: ${name}
spec:
  replicas: 0
  selector:
    matchLabels: {app: ${name}}
  template:
    metadata:
      labels: {app: ${name}}
    spec:
      serviceAccountName: ${name}
      containers:
      - name: app
        image: registry.example.com/app:6.5.0
        ports:
        - {name: http, containerPort: 9898}
        livenessProbe:
          httpGet: {path: /healthz, port: http}
        readinessProbe:
          httpGet: {path: /readyz, port: http}
        resources:
          requests: {cpu: 100m, memory: 64Mi}
          limits: {cpu: 2000m, memory: 512Mi}
`,
    'account.yaml': `apiVersion: v1
kind: ServiceAccount
metadata:
  name: ${name}
`,
    'service.yaml': `apiVersion: v1
kind: Service
metadata:
  name: ${name}
spec:
  selector: {app: ${name}}
  ports:
  - {name: http, port: 9898, targetPort: http, protocol: TCP}
`,
    'ingress.yaml': `apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: ${name}
spec:
  rules:
  - host: ${name}.example.com
    http:
      paths:
      - path: /
        pathType: Prefix
        backend:
          service:
            name: ${name}
            port: {name: http}
`,
  };
}

/** The folder of a Kustomization, as the layer of an artifact: `tar.gz`. */
export function artifact(): Uint8Array {
  const files: Record<string, string> = manifests('app');
  files['kustomization.yaml'] =
    `apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources: [${Object.keys(files).join(', ')}]\n`;
  const encoder = new TextEncoder();
  const parts = Object.entries(files).map(([name, text]) =>
    tarFile(name, encoder.encode(text), false),
  );
  return gzipSync(Buffer.concat([...parts, tarEnd()]));
}

/** The same as a chart; a release's name is the application's. */
export function chart(): Record<string, string> {
  const templates = Object.entries(manifests('{{ .Release.Name }}'));
  return {
    'Chart.yaml': 'apiVersion: v2\nname: app\nversion: 6.5.0\n',
    'values.yaml': 'replicas: 0\n',
    ...Object.fromEntries(templates.map(([name, text]) => [`templates/${name}`, text])),
  };
}
