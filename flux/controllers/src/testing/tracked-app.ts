/** For tests: the repository `my-app` and the Kustomization that applies it. */
export const REPO = 'https://git.example.com/org/my-app.git';

/** `rest` are further lines of the Kustomization's spec, each indented by two. */
export function trackedApp(rest = ''): string {
  return `
apiVersion: source.toolkit.fluxcd.io/v1
kind: GitRepository
metadata: {name: my-app, namespace: flux-system}
spec: {interval: 1m, url: "${REPO}", ref: {branch: main}}
---
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {name: my-app, namespace: flux-system}
spec:
  interval: 10m
  sourceRef: {kind: GitRepository, name: my-app}
  prune: true
${rest}`;
}
