import type { FlagSpec } from '../flags.ts';
import { VALUE_FLAGS } from './value-flags.ts';

/** The flags of `helm template` that a render without a cluster can mean something by. */
export const TEMPLATE_FLAGS: Readonly<Record<string, FlagSpec>> = {
  ...VALUE_FLAGS,
  help: { kind: 'boolean', short: 'h' },
  namespace: { kind: 'string', short: 'n' },
  'name-template': { kind: 'string' },
  'include-crds': { kind: 'boolean' },
  'is-upgrade': { kind: 'boolean' },
  'kube-version': { kind: 'string' },
  'api-versions': { kind: 'list', short: 'a' },
  'no-hooks': { kind: 'boolean' },
  'output-dir': { kind: 'string' },
  'release-name': { kind: 'boolean' },
  'show-only': { kind: 'string[]', short: 's' },
  'skip-tests': { kind: 'boolean' },
  'skip-crds': { kind: 'boolean' },
  'skip-schema-validation': { kind: 'boolean' },
  'helm-version': { kind: 'string' },
};

export const TEMPLATE_HELP = `usage: capstan template [NAME] CHART [flags]

Renders a chart (a folder or a packed .tgz) as helm template does, without a cluster.

  -f, --values FILE          values from a file ("-" for standard input); several are laid over each other
      --set KEY=VALUE        one value; also --set-string, --set-json, --set-file, --set-literal
  -n, --namespace NAME       .Release.Namespace (default "default")
      --name-template NAME   the release's name when none is given
      --include-crds         print the CRDs of crds/ too
      --is-upgrade           .Release.IsUpgrade instead of .Release.IsInstall
      --kube-version VERSION .Capabilities.KubeVersion
  -a, --api-versions LIST    further .Capabilities.APIVersions
  -s, --show-only TEMPLATE   only what these templates make
      --no-hooks             leave hooks out
      --skip-tests           leave test hooks out
      --skip-schema-validation
      --output-dir DIR       files instead of text; with --release-name in a folder of the release's name
      --helm-version 3|4     whose output is followed where the two differ (default 4)
`;
