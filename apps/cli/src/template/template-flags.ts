import { type FlagSpec, GLOBAL_FLAGS } from '../flags.ts';
import { HELM_VERSION_FLAG, HELM_VERSION_HELP } from '../helm-version.ts';
import { CHART_FLAGS, CHART_HELP } from '../locate-chart.ts';
import { VALUE_FLAGS } from './value-flags.ts';

/** What an installation would do with a cluster: a render takes these flags and has no use for them, as `helm template`. */
const WITHOUT_EFFECT: Readonly<Record<string, FlagSpec>> = {
  atomic: { kind: 'boolean' },
  'create-namespace': { kind: 'boolean' },
  description: { kind: 'string' },
  'disable-openapi-validation': { kind: 'boolean' },
  'enable-dns': { kind: 'boolean' },
  force: { kind: 'boolean' },
  'force-conflicts': { kind: 'boolean' },
  'force-replace': { kind: 'boolean' },
  'hide-notes': { kind: 'boolean' },
  labels: { kind: 'list', short: 'l' },
  'render-subchart-notes': { kind: 'boolean' },
  replace: { kind: 'boolean' },
  'rollback-on-failure': { kind: 'boolean' },
  'server-side': { kind: 'boolean' },
  'take-ownership': { kind: 'boolean' },
  timeout: { kind: 'string' },
  wait: { kind: 'boolean' },
  'wait-for-jobs': { kind: 'boolean' },
};

/** The flags of `helm template`. */
export const TEMPLATE_FLAGS: Readonly<Record<string, FlagSpec>> = {
  ...WITHOUT_EFFECT,
  ...VALUE_FLAGS,
  ...CHART_FLAGS,
  'dependency-update': { kind: 'boolean' },
  'dry-run': { kind: 'string', bare: 'unset' },
  'generate-name': { kind: 'boolean', short: 'g' },
  'post-renderer': { kind: 'string' },
  'post-renderer-args': { kind: 'string[]' },
  validate: { kind: 'boolean' },
  ...GLOBAL_FLAGS,
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
  ...HELM_VERSION_FLAG,
};

export const TEMPLATE_HELP = `usage: capstan template [NAME] CHART [flags]

Renders a chart as helm template does. CHART is a folder, a packed .tgz, a URL, an oci:// reference, or a name in --repo.

  -f, --values FILE          values from a file ("-" for standard input); several are laid over each other
      --set KEY=VALUE        one value; also --set-string, --set-json, --set-file, --set-literal
  -n, --namespace NAME       .Release.Namespace (default "default")
      --name-template TEXT   a template that makes the release's name when none is given
      --include-crds         print the CRDs of crds/ too
      --is-upgrade           .Release.IsUpgrade instead of .Release.IsInstall
      --kube-version VERSION .Capabilities.KubeVersion
  -a, --api-versions LIST    further .Capabilities.APIVersions
  -s, --show-only TEMPLATE   only what these templates make
      --no-hooks             leave hooks out
      --skip-tests           leave test hooks out
      --skip-schema-validation
      --debug                print what cannot be read as YAML too
      --output-dir DIR       files instead of text; with --release-name in a folder of the release's name
      --dependency-update    fetch the dependencies that are missing in charts/ first
      --validate             or --dry-run=server: ask the cluster of --kubeconfig, --kube-context for its version and
                             kinds, and answer lookup from it; changes nothing
      --post-renderer PROGRAM, --post-renderer-args ARG   its standard output takes the place of what was rendered
${CHART_HELP}${HELM_VERSION_HELP}`;
