/** Flags and feature gates of Flux's controllers, under their own names: followed, or told why they change nothing here. */
import type { FluxSettings, Tenancy } from '@capstan/flux-controllers';
import { parseLabelSelector } from '@capstan/kube-object';
import { CapstanError, messageOf } from '@capstan/lib-std';
import type { FlagSpec } from '../flags.ts';

export const FLUX_FLAGS: Readonly<Record<string, FlagSpec>> = {
  'no-cross-namespace-refs': { kind: 'boolean' },
  'default-service-account': { kind: 'string' },
  'override-manager': { kind: 'string[]' },
  'sops-age-secret': { kind: 'string' },
  'custom-apply-stage-kinds': { kind: 'string[]' },
  'default-kubeconfig-service-account': { kind: 'string' },
  'default-decryption-service-account': { kind: 'string' },
  'default-source-service-account': { kind: 'string' },
  'sops-vault-configmap': { kind: 'string' },
  'watch-label-selector': { kind: 'string' },
  'feature-gates': { kind: 'string[]' },
  'no-remote-bases': { kind: 'boolean' },
  concurrent: { kind: 'string' },
  'requeue-dependency': { kind: 'string' },
};

export const FLUX_HELP = `  --no-cross-namespace-refs     Flux's resources may refer only to their own namespace
  --default-service-account NAME  what Kustomizations and HelmReleases act as that name no service account
  --watch-label-selector LABELS   only Flux's resources with these labels are reconciled (sharding)
  --override-manager NAME         whose fields Kustomizations take over too; may be repeated
  --sops-age-secret NAME          a Secret in $RUNTIME_NAMESPACE (flux-system) with age keys for all who decrypt
  --custom-apply-stage-kinds GROUP/KIND,…  applied after definitions and classes, before all others
  --sops-vault-configmap NAME     a ConfigMap there: the servers of Vault that are logged in to, and where
  --default-kubeconfig-service-account NAME, --default-decryption-service-account NAME,
  --default-source-service-account NAME
                                  what reaches clusters of kubeConfig.configMapRef, decrypts, and opens sources
                                  at clouds, where an object names no service account
  --no-remote-bases               Kustomizations are built of what their artifact holds alone
  --feature-gates GATE=BOOL,…     those of Flux's controllers; --concurrent and
                                  --requeue-dependency are taken as well; what changes nothing here is said
`;

/** Gates that are followed: what each sets when it is on, or off. */
const GATES: Readonly<Record<string, (isOn: boolean) => FluxSettings>> = {
  StrictPostBuildSubstitutions: (isOn) => ({ laxSubstitutions: !isOn }),
  DisableFailFastBehavior: (isOn) => ({ waitsForAll: isOn }),
  ExternalArtifact: (isOn) => ({ refusesExternalArtifacts: !isOn }),
  AdditiveCELDependencyCheck: (isOn) => ({ additiveDependencyCheck: isOn }),
  CancelHealthCheckOnNewRevision: (isOn) => ({ cancelsHealthChecks: isOn }),
  UseHelm3Defaults: (isOn) => ({ helm3Defaults: isOn }),
  DefaultToRetryOnFailure: (isOn) => ({ retriesOnFailure: isOn }),
  DisableChartDigestTracking: (isOn) => ({ keepsChartVersions: isOn }),
  ObjectLevelWorkloadIdentity: (isOn) => ({ objectIdentities: isOn }),
};

const WATCHES = 'everything is watched, nothing is polled or read from the API each time';
/** Gates that change nothing here, with the reason. */
const WITHOUT_EFFECT: Readonly<Record<string, string>> = {
  DisableStatusPollerCache: WATCHES,
  CacheSecretsAndConfigMaps: WATCHES,
  DirectSourceFetch: WATCHES,
  DisableConfigWatchers:
    'ConfigMaps and Secrets are watched only for those that ask by their label',
  GroupChangeLog: 'changes are told by events, one object each',
  MigrateAPIVersion: 'field ownership is compared across versions of an API',
  OOMWatch: 'the process has bounds of its own',
  AdoptLegacyReleases: 'releases of removed versions are taken over from their records',
  DetectDrift: 'use spec.driftDetection',
  CorrectDrift: 'use spec.driftDetection',
  AllowDNSLookups: 'templates never look up names',
};

export interface FluxFlags {
  readonly tenancy: Tenancy;
  readonly settings: FluxSettings;
  /** What was given and changes nothing. */
  readonly notes: readonly string[];
}

interface Given {
  flag(name: string): boolean;
  text(name: string): string | undefined;
  texts(name: string): readonly string[];
}

export function readFluxFlags(
  flags: Given,
  environment: Readonly<Record<string, string | undefined>>,
): FluxFlags {
  const { settings, notes } = readGates(flags.texts('feature-gates'));
  const sopsAgeSecret = flags.text('sops-age-secret');
  const vaults = flags.text('sops-vault-configmap');
  const namespace = environment['RUNTIME_NAMESPACE'] ?? 'flux-system';
  const selector = flags.text('watch-label-selector');
  const accounts = readAccounts(flags, settings);
  return {
    tenancy: {
      noCrossNamespaceRefs: flags.flag('no-cross-namespace-refs'),
      defaultServiceAccount: flags.text('default-service-account') ?? '',
    },
    settings: {
      ...settings,
      ...accounts,
      ...(flags.flag('no-remote-bases') ? { noRemoteBases: true } : {}),
      overrideManagers: flags.texts('override-manager'),
      customStageKinds: readKinds(flags.texts('custom-apply-stage-kinds')),
      ...(selector === undefined ? {} : { watchSelector: readSelector(selector) }),
      ...(sopsAgeSecret === undefined ? {} : { sopsAgeSecret: { namespace, name: sopsAgeSecret } }),
      ...(vaults === undefined ? {} : { sopsVaultConfigMap: { namespace, name: vaults } }),
    },
    notes: [
      ...notes,
      ...(flags.text('concurrent') === undefined
        ? []
        : ['--concurrent: work is shared by what waits, not by a number']),
      ...(flags.text('requeue-dependency') === undefined
        ? []
        : ['--requeue-dependency: dependencies are watched']),
    ],
  };
}

/** Accounts that stand in where an object names none; they need identities of objects to be switched on, as in Flux. */
function readAccounts(flags: Given, { objectIdentities }: FluxSettings): FluxSettings {
  const kubeConfig = flags.text('default-kubeconfig-service-account') ?? '';
  const decryption = flags.text('default-decryption-service-account') ?? '';
  const source = flags.text('default-source-service-account') ?? '';
  if (`${kubeConfig}${decryption}${source}` !== '' && objectIdentities !== true) {
    throw new CapstanError(
      'OPTION_INVALID',
      'cannot set default service accounts when the feature gate ObjectLevelWorkloadIdentity is not enabled',
      { hint: 'add --feature-gates=ObjectLevelWorkloadIdentity=true' },
    );
  }
  return {
    ...(kubeConfig === '' ? {} : { defaultKubeConfigAccount: kubeConfig }),
    ...(decryption === '' ? {} : { defaultDecryptionAccount: decryption }),
    ...(source === '' ? {} : { defaultSourceAccount: source }),
  };
}

/** `group/Kind` or, of the core group, `Kind`. */
function readKinds(texts: readonly string[]) {
  return texts
    .flatMap((text) => text.split(','))
    .map((text) => text.trim())
    .filter((text) => text !== '')
    .map((text) => {
      const at = text.indexOf('/');
      return { group: text.slice(0, Math.max(at, 0)), kind: text.slice(at + 1) };
    });
}

function readGates(texts: readonly string[]) {
  let settings: FluxSettings = {};
  const notes: string[] = [];
  for (const pair of texts.flatMap((text) => text.split(',')).filter((text) => text !== '')) {
    const [name = '', value = ''] = pair.split('=').map((part) => part.trim());
    const set = Object.hasOwn(GATES, name) ? GATES[name] : undefined;
    const why = Object.hasOwn(WITHOUT_EFFECT, name) ? WITHOUT_EFFECT[name] : undefined;
    if ((set === undefined && why === undefined) || !/^(true|false)$/i.test(value)) {
      throw new CapstanError('OPTION_INVALID', `--feature-gates: ${pair} is no gate of Flux's`, {
        hint: `write NAME=true or NAME=false with one of ${[...Object.keys(GATES), ...Object.keys(WITHOUT_EFFECT)].join(', ')}`,
      });
    }
    if (set !== undefined) settings = { ...settings, ...set(value.toLowerCase() === 'true') };
    if (why !== undefined) notes.push(`--feature-gates ${name}: ${why}`);
  }
  return { settings, notes };
}

function readSelector(text: string) {
  try {
    return parseLabelSelector(text);
  } catch (cause) {
    const message = `--watch-label-selector ${text}: ${messageOf(cause)}`;
    throw new CapstanError('OPTION_INVALID', message, {
      hint: 'e.g. sharding.fluxcd.io/key=shard1',
    });
  }
}
