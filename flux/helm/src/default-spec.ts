import type { HelmRelease, InstallSpec } from '@capstan/flux-api';
import type { FluxSettings } from '@capstan/flux-controllers';

/** A HelmRelease with the defaults that feature gates give it where it says nothing itself. Pure. */
export function withDefaults(
  release: HelmRelease,
  { helm3Defaults = false, retriesOnFailure = false }: FluxSettings,
): HelmRelease {
  if (!helm3Defaults && !retriesOnFailure) return release;
  const { spec } = release;
  const install: InstallSpec = {
    ...(helm3Defaults ? { serverSideApply: false } : {}),
    ...(retriesOnFailure ? { strategy: RETRY } : {}),
    ...spec.install,
  };
  return {
    ...release,
    spec: {
      ...(helm3Defaults ? { postRenderStrategy: 'nohooks' } : {}),
      ...spec,
      install,
      ...(retriesOnFailure ? { upgrade: { strategy: RETRY, ...spec.upgrade } } : {}),
    },
  };
}

const RETRY = { name: 'RetryOnFailure' };
