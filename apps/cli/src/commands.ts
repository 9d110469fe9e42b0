import type { Command } from './io.ts';

interface Entry {
  readonly summary: string;
  readonly load: () => Promise<{ readonly run: Command }>;
}

/** Every command, in the order of the help text. A module is loaded when its command is called, not before. */
export const COMMANDS: Readonly<Record<string, Entry>> = {
  appset: {
    summary: 'tell which Applications an ApplicationSet would create, change and delete',
    load: () => import('./appset/appset.ts'),
  },
  'argocd-k8s-auth': {
    summary: "print a token for a cluster of a cloud, as the command in Argo CD's image does",
    load: () => import('./argocd-k8s-auth/argocd-k8s-auth.ts'),
  },
  bootstrap: {
    summary: 'put Capstan into a repository and a cluster, which follows it from then on',
    load: () => import('./bootstrap/bootstrap.ts'),
  },
  build: {
    summary: 'build a kustomization, as kustomize build does',
    load: () => import('./build/build.ts'),
  },
  dependency: {
    summary: 'keep the charts that a chart depends on, as helm dependency does',
    load: () => import('./dependency/dependency.ts'),
  },
  explain: {
    summary: 'tell why an app is out of sync, not healthy or waiting, and what to do next',
    load: () => import('./explain/explain.ts'),
  },
  lint: {
    summary: 'examine charts for faults, as helm lint does',
    load: () => import('./lint/lint.ts'),
  },
  plan: {
    summary: 'print what a sync of an app would do, before it runs',
    load: () => import('./plan/plan.ts'),
  },
  sandbox: {
    summary: 'start a Kubernetes cluster in this process, with simulated workloads',
    load: () => import('./sandbox/sandbox.ts'),
  },
  serve: {
    summary: 'run the control plane and its page on a cluster',
    load: () => import('./serve/serve.ts'),
  },
  show: {
    summary: 'show what a chart holds, as helm show does',
    load: () => import('./show/show.ts'),
  },
  template: {
    summary: 'render a chart, as helm template does',
    load: () => import('./template/template.ts'),
  },
  verify: {
    summary: 'check the signature of a packed chart, as helm verify does',
    load: () => import('./verify/verify.ts'),
  },
  why: {
    summary: 'tell which line and which commit made a field of an object',
    load: () => import('./why/why.ts'),
  },
};
