/** Sources of all kinds, sound and not, which `side-by-side.ts` gives to both source controllers. */
import type { Json } from '@capstan/kube-object';

export interface Places {
  readonly git: string;
  readonly commit: string;
  /** `host:port` of a registry with `org/app`, and of a bucket. */
  readonly registry: string;
  readonly bucket: string;
  readonly charts: string;
}

export interface SourceCase {
  readonly name: string;
  readonly kind: string;
  readonly spec: { readonly [field: string]: Json | undefined };
}

export const SECRETS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  empty: { x: 'y' },
  basic: { username: 'u', password: 'p' },
  half: { username: 'u' },
  keys: { accesskey: 'AKID', secretkey: 'SECRET' },
  pub: { 'a.pub': 'x' },
  ca: { 'ca.crt': 'bad' },
};

type Rows = Readonly<Record<string, SourceCase['spec']>>;
const named = (name: string) => ({ name });
const MISSING = named('missing');

const GIT: Rows = {
  git: {},
  'git-default': { ref: undefined },
  'git-name': { ref: { name: 'refs/heads/main' } },
  'git-nobranch': { ref: { branch: 'nope' } },
  'git-notag': { ref: { tag: 'v9' } },
  'git-nosemver': { ref: { semver: '>=1.0.0' } },
  'git-badsemver': { ref: { semver: 'x.y.z.w' } },
  'git-nocommit': { ref: { commit: '0'.repeat(40) } },
  'git-noname': { ref: { name: 'refs/heads/none' } },
  'git-nosecret': { secretRef: MISSING },
  'git-empty': { secretRef: named('empty') },
  'git-half': { secretRef: named('half') },
  'git-basic': { secretRef: named('basic') },
  'git-noproxy': { proxySecretRef: MISSING },
  'git-ignore': { ignore: '/*\n!/app\n' },
  'git-sparse': { sparseCheckout: ['app'] },
  'git-include': { include: [{ repository: named('git-WHO'), fromPath: 'app', toPath: 'sub' }] },
  'git-noinclude': { include: [{ repository: named('none') }] },
  'git-suspend': { suspend: true },
  'git-verify': { verify: { mode: 'HEAD', secretRef: named('pub') } },
  'git-noverify': { verify: { mode: 'HEAD', secretRef: MISSING } },
  'git-tagverify': { verify: { mode: 'Tag', secretRef: named('pub') } },
  'git-provider': { provider: 'github' },
  'git-account': { provider: 'azure', serviceAccountName: 'x' },
};

const COSIGN = { provider: 'cosign' };
const OCI: Rows = {
  oci: {},
  'oci-semver': { ref: { semver: '1.x' } },
  'oci-before': { ref: { semver: '>=1.0.0-0' } },
  'oci-filter': { ref: { semver: '>=1.0.0-0', semverFilter: '.*rc.*' } },
  'oci-nofilter': { ref: { semver: '1.x', semverFilter: 'none' } },
  'oci-nosemver': { ref: { semver: '9.x' } },
  'oci-badsemver': { ref: { semver: '!' } },
  'oci-baddigest': { ref: { digest: 'sha256:0' } },
  'oci-layer': { layerSelector: { mediaType: 'x/y' } },
  'oci-nosecret': { secretRef: MISSING },
  'oci-empty': { secretRef: named('empty') },
  'oci-ca': { certSecretRef: named('ca') },
  'oci-noaccount': { serviceAccountName: 'none' },
  'oci-verify': { verify: { ...COSIGN, secretRef: named('pub') } },
  'oci-noverify': { verify: { ...COSIGN, secretRef: MISSING } },
  'oci-notation': { verify: { provider: 'notation', secretRef: named('empty') } },
  'oci-ignore': { ignore: '*.yaml' },
  'oci-suspend': { suspend: true },
};

const BUCKET: Rows = {
  bucket: {},
  'bucket-prefix': { prefix: 'b/' },
  'bucket-none': { bucketName: 'nope' },
  'bucket-nosecret': { secretRef: MISSING },
  'bucket-empty': { secretRef: named('empty') },
  'bucket-anybody': { secretRef: undefined },
  'bucket-ignore': { ignore: 'a.yaml' },
  'bucket-noproxy': { proxySecretRef: MISSING },
  'bucket-ca': { certSecretRef: named('ca') },
};

const REPOSITORY: Rows = {
  repository: {},
  'repository-nosecret': { secretRef: MISSING },
  'repository-half': { secretRef: named('half') },
  'repository-empty': { secretRef: named('empty') },
  'repository-ca': { certSecretRef: named('ca') },
  'repository-suspend': { suspend: true },
};

const CHART: Rows = {
  chart: {},
  'chart-version': { version: '1.0.x' },
  'chart-noversion': { version: '9.x' },
  'chart-badversion': { version: '!!' },
  'chart-none': { chart: 'none' },
  'chart-nosource': { sourceRef: { kind: 'HelmRepository', name: 'none' } },
  'chart-values': { version: '1.0.0', valuesFiles: ['values.yaml', 'values-x.yaml'] },
  'chart-novalues': { valuesFiles: ['none.yaml'] },
  'chart-anyvalues': { valuesFiles: ['none.yaml'], ignoreMissingValuesFiles: true },
  'chart-verify': { verify: COSIGN },
  'chart-suspend': { suspend: true },
};

/** `WHO` in a value stands for whose case it is. */
export function sourceCases(places: Places): readonly SourceCase[] {
  const { git, commit, registry, bucket, charts } = places;
  const common = { interval: '10m' };
  const far = { ...common, timeout: '20s' };
  const rows = (kind: string, table: Rows, base: SourceCase['spec']): readonly SourceCase[] =>
    Object.entries(table).map(([name, spec]) => ({ name, kind, spec: { ...base, ...spec } }));
  return [
    ...rows('GitRepository', GIT, { ...far, url: git, ref: { branch: 'main' } }),
    {
      ...{ name: 'git-commit', kind: 'GitRepository' },
      spec: { ...far, url: git, ref: { branch: 'main', commit } },
    },
    ...rows('OCIRepository', OCI, {
      ...{ ...far, url: `oci://${registry}/org/app`, insecure: true },
      ref: { tag: '1.0.0' },
    }),
    ...rows('Bucket', BUCKET, {
      ...{ ...far, provider: 'generic', bucketName: 'files', endpoint: bucket, insecure: true },
      secretRef: named('keys'),
    }),
    ...rows('HelmRepository', REPOSITORY, { ...far, url: charts }),
    ...rows('HelmChart', CHART, {
      ...{ ...common, chart: 'shop' },
      sourceRef: { kind: 'HelmRepository', name: 'repository-WHO' },
    }),
  ];
}
