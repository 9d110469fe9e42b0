import type { FlagSpec } from '../flags.ts';

/** The flags of `kustomize build`. */
export const BUILD_FLAGS: Readonly<Record<string, FlagSpec>> = {
  output: { kind: 'string', short: 'o' },
  'as-current-user': { kind: 'boolean' },
  'enable-alpha-plugins': { kind: 'boolean' },
  'enable-helm': { kind: 'boolean' },
  'enable-managedby-label': { kind: 'boolean' },
  env: { kind: 'string[]', short: 'e' },
  'helm-api-versions': { kind: 'string[]' },
  'helm-command': { kind: 'string' },
  'helm-debug': { kind: 'boolean' },
  'helm-kube-version': { kind: 'string' },
  help: { kind: 'boolean', short: 'h' },
  'load-restrictor': { kind: 'string' },
  mount: { kind: 'string[]' },
  network: { kind: 'boolean' },
  'network-name': { kind: 'string' },
  reorder: { kind: 'string' },
};

export const BUILD_HELP = `Build a set of KRM resources using a 'kustomization.yaml' file.
The DIR argument must be a path to a directory containing
'kustomization.yaml', or a git repository URL with a path suffix
specifying same with respect to the repository root.
If DIR is omitted, '.' is assumed.

Usage:
  capstan build DIR [flags]

Flags:
      --as-current-user             accepted; functions in containers are not run
      --enable-alpha-plugins        accepted; plugins that are not built in are refused by name
      --enable-helm                 render helmCharts, by Capstan's own Helm
      --enable-managedby-label      deprecated: use managedByLabel in buildMetadata
  -e, --env stringArray             accepted; functions in containers are not run
      --helm-api-versions stringArray  Kubernetes api versions for Capabilities.APIVersions
      --helm-command string         accepted when it is "helm"
      --helm-debug                  accepted
      --helm-kube-version string    Kubernetes version for Capabilities.KubeVersion
  -h, --help                        help for build
      --load-restrictor string      if set to 'LoadRestrictionsNone', local kustomizations may load files from outside their root (default "LoadRestrictionsRootOnly")
      --mount stringArray           accepted; functions in containers are not run
      --network                     accepted; functions in containers are not run
      --network-name string         accepted; functions in containers are not run
  -o, --output string               write to this file, or a file a resource to this directory
      --reorder string              deprecated: use sortOptions (legacy or none)
`;
