import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

const ENVIRONMENTS = ['dev', 'staging', 'production'] as const;

function write(root: string, path: string, text: string): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), text);
}

/**
 * A monorepo as teams have them: an app is a base of three files and an overlay an environment, with labels, an image, a
 * merged ConfigMap, a strategic merge and a JSON patch. Returns the overlays' folders. The same count gives the same files.
 */
export function writeMonorepo(root: string, overlays: number): string[] {
  const folders: string[] = [];
  for (let i = 0; folders.length < overlays; i++) {
    const app = `app-${String(i).padStart(4, '0')}`;
    writeBase(root, `apps/${app}/base`, app);
    for (const environment of ENVIRONMENTS.slice(0, overlays - folders.length)) {
      const folder = `apps/${app}/overlays/${environment}`;
      writeOverlay(root, folder, { app, environment, release: i % 20 });
      folders.push(folder);
    }
  }
  return folders;
}

function writeBase(root: string, folder: string, app: string): void {
  write(
    root,
    `${folder}/kustomization.yaml`,
    `resources:
- deployment.yaml
- service.yaml
commonLabels:
  app.kubernetes.io/name: ${app}
configMapGenerator:
- name: ${app}-config
  literals:
  - LOG_LEVEL=info
  - REGION=eu-west-1
  files:
  - app.properties
`,
  );
  write(root, `${folder}/app.properties`, `server.port=8080\nserver.name=${app}\n`);
  write(root, `${folder}/deployment.yaml`, deployment(app));
  write(
    root,
    `${folder}/service.yaml`,
    `apiVersion: v1
kind: Service
metadata:
  name: ${app}
spec:
  selector:
    app: ${app}
  ports:
  - name: http
    port: 80
    targetPort: http
`,
  );
}

function deployment(app: string): string {
  return `apiVersion: apps/v1
kind: Deployment
metadata:
  name: ${app}
  annotations:
    example.com/owner: team-${app.length}
spec:
  replicas: 1
  revisionHistoryLimit: 2
  selector:
    matchLabels:
      app: ${app}
  template:
    metadata:
      labels:
        app: ${app}
      annotations:
        prometheus.io/scrape: "true"
    spec:
      terminationGracePeriodSeconds: 5
      containers:
      - name: ${app}
        image: ghcr.io/example/${app}:1.0.0
        ports:
        - name: http
          containerPort: 8080
          protocol: TCP
        - name: metrics
          containerPort: 9797
          protocol: TCP
        env:
        - name: POD_NAME
          valueFrom:
            fieldRef:
              fieldPath: metadata.name
        - name: LOG_LEVEL
          valueFrom:
            configMapKeyRef:
              name: ${app}-config
              key: LOG_LEVEL
        envFrom:
        - configMapRef:
            name: ${app}-config
        readinessProbe:
          httpGet:
            path: /readyz
            port: http
          timeoutSeconds: 5
        resources:
          requests:
            cpu: 10m
            memory: 16Mi
        volumeMounts:
        - name: config
          mountPath: /etc/${app}
      volumes:
      - name: config
        configMap:
          name: ${app}-config
`;
}

interface Overlay {
  readonly app: string;
  readonly environment: string;
  readonly release: number;
}

function writeOverlay(root: string, folder: string, { app, environment, release }: Overlay): void {
  write(
    root,
    `${folder}/kustomization.yaml`,
    `namespace: apps-${environment}
resources:
- ../../base
commonLabels:
  environment: ${environment}
images:
- name: ghcr.io/example/${app}
  newTag: 1.${release}.0
configMapGenerator:
- name: ${app}-config
  behavior: merge
  literals:
  - ENVIRONMENT=${environment}
patches:
- path: patch-deployment.yaml
- target:
    kind: Service
    name: ${app}
  patch: |-
    - op: replace
      path: /spec/ports/0/port
      value: 8080
`,
  );
  write(
    root,
    `${folder}/patch-deployment.yaml`,
    `apiVersion: apps/v1
kind: Deployment
metadata:
  name: ${app}
spec:
  replicas: 2
  template:
    spec:
      containers:
      - name: ${app}
        env:
        - name: ENVIRONMENT
          value: ${environment}
`,
  );
}

/** One kustomization of `count` resources: Deployments, each with a ConfigMap it refers to, all renamed and labelled. */
export function writeLarge(root: string, folder: string, count: number): void {
  const documents: string[] = [];
  for (let i = 0; i < count / 2; i++) {
    const app = `app-${i}`;
    documents.push(
      deployment(app),
      `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: ${app}-config\ndata:\n  LOG_LEVEL: info\n`,
    );
  }
  write(root, `${folder}/all.yaml`, documents.join('---\n'));
  write(
    root,
    `${folder}/kustomization.yaml`,
    `resources:\n- all.yaml\nnamePrefix: p-\nnamespace: apps\ncommonLabels:\n  team: a\n`,
  );
}
