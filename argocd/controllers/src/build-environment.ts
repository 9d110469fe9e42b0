import type { ApplicationSource } from '@capstan/argocd-api';

/** What a build may ask about its application (documentation: "Build Environment"). */
export type BuildEnvironment = ReadonlyMap<string, string>;

export function buildEnvironment(
  source: ApplicationSource,
  app: { readonly instance: string; readonly namespace: string; readonly project: string },
  revision: string,
): BuildEnvironment {
  return new Map([
    ['ARGOCD_APP_NAME', app.instance],
    ['ARGOCD_APP_NAMESPACE', app.namespace],
    ['ARGOCD_APP_PROJECT_NAME', app.project],
    ['ARGOCD_APP_REVISION', revision],
    ['ARGOCD_APP_REVISION_SHORT', revision.slice(0, 7)],
    ['ARGOCD_APP_REVISION_SHORT_8', revision.slice(0, 8)],
    ['ARGOCD_APP_SOURCE_REPO_URL', source.repoURL],
    ['ARGOCD_APP_SOURCE_PATH', source.path ?? ''],
    ['ARGOCD_APP_SOURCE_TARGET_REVISION', source.targetRevision ?? ''],
  ]);
}

/** `$NAME` and `${NAME}` by their values, unknown ones by nothing; `$$` is a dollar sign. */
export function substitute(text: string, environment: BuildEnvironment): string {
  return text.replace(
    /\$(?:\{([^}]*)\}|([*#$@!?\-0-9])|([a-zA-Z_]\w*))/g,
    (_, braced?: string, special?: string, name?: string) =>
      special === '$' || braced === '$' ? '$' : (environment.get(braced ?? name ?? '') ?? ''),
  );
}
