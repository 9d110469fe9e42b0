/** Manifests as they stand in a repository: for each app a Deployment and a ConfigMap. */
export function manifestsOf(count: number, options: { comments: boolean }): string[] {
  const documents: string[] = [];
  for (let i = 0; i < count; i++) {
    const head = options.comments ? `# app ${i}, kept by its team\n` : '';
    const line = options.comments ? ' # see the runbook' : '';
    documents.push(head + deployment(i, line), head + configMap(i));
  }
  return documents;
}

function deployment(i: number, comment: string): string {
  return `apiVersion: apps/v1
kind: Deployment
metadata:
  name: app-${i}
  namespace: team-${i % 40}
  labels:
    app.kubernetes.io/name: app-${i}
    app.kubernetes.io/version: "1.${i % 9}.0"
  annotations:
    description: This is the deployment of app ${i}, kept by the team
spec:
  replicas: ${i % 7}${comment}
  selector:
    matchLabels:
      app: app-${i}
  template:
    metadata:
      labels:
        app: app-${i}
    spec:
      containers:
      - name: main
        image: registry.example.com/team/app-${i}:v1.2.${i % 20}
        args: ["--port", "8080", "--verbose"]
        env:
        - name: LOG_LEVEL
          value: info
        - name: POD_IP
          valueFrom:
            fieldRef:
              fieldPath: status.podIP
        ports:
        - containerPort: 8080
          name: http
          protocol: TCP
        resources:
          limits: {cpu: 500m, memory: 256Mi}
          requests:
            cpu: 100m
            memory: 128Mi
        livenessProbe:
          httpGet:
            path: /healthz
            port: http
          initialDelaySeconds: 10
      volumes:
      - name: config
        configMap:
          name: app-${i}-config
`;
}

function configMap(i: number): string {
  return `apiVersion: v1
kind: ConfigMap
metadata:
  name: app-${i}-config
data:
  config.yaml: |
    server:
      port: 8080
      host: 0.0.0.0
    log:
      level: info
  key: 'value ${i}'
`;
}
