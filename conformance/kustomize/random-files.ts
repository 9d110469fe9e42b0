import { toYaml } from '@capstan/lib-yaml';

type Value = string | number | boolean | null | Value[] | { [key: string]: Value };
type Fields = { [key: string]: Value };

/** Numbers that look random, the same for the same seed (mulberry32). */
class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  below(bound: number): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % bound;
  }

  chance(percent: number): boolean {
    return this.below(100) < percent;
  }

  pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)]!;
  }

  some<T>(list: readonly T[], percent = 50): T[] {
    return list.filter(() => this.chance(percent));
  }
}

const NAMES = ['web', 'api', 'settings', 'creds', 'data'] as const;
const IMAGES = ['nginx:1.0', 'busybox', 'example.com:5000/a/b@sha256:00', 'nginx'] as const;
const TEXTS = [
  'info',
  'yes',
  '1.0',
  'a: b',
  '',
  'two words',
  '$(VAR)',
  'line\nbreak',
  '08',
  'null',
] as const;
const LABELS = ['app', 'team', 'example.com/tier'] as const;

function labels(random: Random): Fields {
  return Object.fromEntries(random.some(LABELS).map((name) => [name, random.pick(TEXTS)]));
}

function podSpec(random: Random): Fields {
  const containers = random.some(['main', 'side', 'extra'], 60).map(
    (name): Fields => ({
      name,
      image: random.pick(IMAGES),
      ...(random.chance(50) ? { env: envList(random) } : {}),
      ...(random.chance(30) ? { args: [random.pick(TEXTS), '$(VAR)'] } : {}),
      ...(random.chance(30) ? { envFrom: [{ configMapRef: { name: random.pick(NAMES) } }] } : {}),
      ...(random.chance(30) ? { ports: ports(random) } : {}),
    }),
  );
  return {
    containers,
    ...(random.chance(40) ? { volumes: volumes(random) } : {}),
    ...(random.chance(30) ? { serviceAccountName: random.pick(NAMES) } : {}),
  };
}

function envList(random: Random): Value[] {
  return random
    .some(['A', 'B', 'C'], 60)
    .map((name) =>
      random.chance(60)
        ? { name, value: random.pick(TEXTS) }
        : { name, valueFrom: { secretKeyRef: { name: random.pick(NAMES), key: 'k' } } },
    );
}

function ports(random: Random): Value[] {
  return random.some([80, 81, 82], 60).map((containerPort) => ({
    containerPort,
    ...(random.chance(60) ? { protocol: random.pick(['TCP', 'UDP']) } : {}),
  }));
}

function volumes(random: Random): Value[] {
  return random
    .some(['v', 'w'], 70)
    .map((name) =>
      random.chance(50)
        ? { name, configMap: { name: random.pick(NAMES) } }
        : { name, secret: { secretName: random.pick(NAMES) } },
    );
}

const KINDS: Readonly<Record<string, (random: Random) => Fields>> = {
  'apps/v1 Deployment': (random) => ({
    spec: {
      ...(random.chance(60) ? { replicas: random.below(4) } : {}),
      selector: { matchLabels: labels(random) },
      template: { metadata: { labels: labels(random) }, spec: podSpec(random) },
    },
  }),
  'apps/v1 StatefulSet': (random) => ({
    spec: { serviceName: random.pick(NAMES), template: { spec: podSpec(random) } },
  }),
  'batch/v1 CronJob': (random) => ({
    spec: { jobTemplate: { spec: { template: { spec: podSpec(random) } } } },
  }),
  'v1 Service': (random) => ({ spec: { selector: labels(random), ports: [{ port: 80 }] } }),
  'v1 ConfigMap': (random) => ({ data: labels(random) }),
  'v1 Secret': () => ({ type: 'Opaque', data: { k: 'dg==' } }),
  'v1 ServiceAccount': (random) => ({ imagePullSecrets: [{ name: random.pick(NAMES) }] }),
  'v1 Namespace': () => ({}),
  'example.com/v1 Thing': (random) => ({
    spec: { text: random.pick(TEXTS), list: [1, random.pick(TEXTS), null, { a: 1.5 }], none: null },
  }),
  'rbac.authorization.k8s.io/v1 RoleBinding': (random) => ({
    roleRef: {
      apiGroup: 'rbac.authorization.k8s.io',
      kind: 'ClusterRole',
      name: random.pick(NAMES),
    },
    subjects: [{ kind: 'ServiceAccount', name: random.pick([...NAMES, 'default']) }],
  }),
  'rbac.authorization.k8s.io/v1 ClusterRole': (random) => ({
    rules: [{ apiGroups: [''], resources: ['secrets'], resourceNames: [random.pick(NAMES)] }],
  }),
};

interface Identity {
  readonly kind: string;
  readonly name: string;
}

function header({ kind, name }: Identity): Fields {
  const [apiVersion = '', kindName = ''] = kind.split(' ');
  return { apiVersion, kind: kindName, metadata: { name } };
}

function resource(random: Random, identity: Identity): Fields {
  const object = { ...header(identity), ...KINDS[identity.kind]!(random) };
  const metadata: Fields = {
    name: identity.name,
    ...(random.chance(20) ? { namespace: random.pick(['one', 'default']) } : {}),
    ...(random.chance(30) ? { labels: labels(random) } : {}),
    ...(random.chance(20) ? { annotations: { note: random.pick(TEXTS), empty: null } } : {}),
  };
  return { ...object, metadata };
}

function mergePatch(random: Random, identity: Identity): Fields {
  const made = resource(random, identity);
  const metadata: Fields = { name: identity.name };
  if (random.chance(30)) metadata['labels'] = { ...labels(random), app: null };
  if (random.chance(10)) return { ...header(identity), $patch: 'delete' };
  return { ...made, metadata };
}

function selector(random: Random, identity: Identity): Fields {
  const kind = identity.kind.split(' ')[1]!;
  return random.pick<Fields>([
    { kind },
    { kind, name: identity.name },
    { name: `${identity.name.slice(0, 2)}.*` },
    { labelSelector: 'app' },
    { kind, name: '.*', namespace: 'default' },
  ]);
}

function jsonPatch(random: Random): Value[] {
  return random.pick<Value[]>([
    [{ op: 'add', path: '/metadata/annotations', value: { patched: 'yes' } }],
    [{ op: 'add', path: '/spec', value: { number: 1000000, text: '5' } }],
    [{ op: 'remove', path: '/metadata/labels' }],
    [{ op: 'replace', path: '/metadata/name', value: 'patched' }],
    [{ op: 'test', path: '/kind', value: 'Deployment' }],
  ]);
}

function replacement(random: Random, identities: readonly Identity[]): Fields {
  const source = random.pick(identities);
  const target = random.pick(identities);
  return {
    source: {
      kind: source.kind.split(' ')[1]!,
      name: source.name,
      fieldPath: random.pick(['metadata.name', 'kind', 'metadata.labels', 'spec.replicas']),
    },
    targets: [
      {
        select: { kind: target.kind.split(' ')[1]! },
        fieldPaths: [
          random.pick(['metadata.annotations.copied', 'spec.template.spec.containers.*.image']),
        ],
        options: random.pick<Fields>([{ create: true }, {}, { delimiter: '-', index: 1 }]),
      },
    ],
  };
}

type Statement = (random: Random, identities: readonly Identity[]) => Value;

const STATEMENTS: Readonly<Record<string, Statement>> = {
  namePrefix: () => 'p-',
  nameSuffix: () => '-s',
  namespace: (random) => random.pick(['one', 'two']),
  commonLabels: (random) => ({ team: random.pick(TEXTS) }),
  commonAnnotations: (random) => ({ note: random.pick(TEXTS) }),
  labels: (random) => [
    {
      pairs: { added: random.pick(TEXTS) },
      includeSelectors: random.chance(30),
      includeTemplates: random.chance(30),
    },
  ],
  images: (random) => [
    random.pick<Fields>([
      { name: 'nginx', newTag: '2' },
      { name: 'busybox', newName: 'x/y' },
      { name: 'nginx', digest: 'sha256:1' },
    ]),
  ],
  replicas: (random, identities) => [
    { name: random.pick(identities).name, count: random.below(5) },
  ],
  patches: (random, identities) => patchList(random, identities),
  patchesStrategicMerge: (random, identities) => [
    toYaml(mergePatch(random, random.pick(identities))),
  ],
  replacements: (random, identities) => [replacement(random, identities)],
  vars: (random, identities) => {
    const { kind, name } = random.pick(identities);
    const { apiVersion = '', kind: kindName = '' } = header({ kind, name });
    return [{ name: 'VAR', objref: { apiVersion, kind: kindName, name } }];
  },
  sortOptions: (random) => ({ order: random.pick(['fifo', 'legacy']) }),
  buildMetadata: (random) =>
    random.some(['originAnnotations', 'transformerAnnotations', 'managedByLabel'], 40),
};

function patchList(random: Random, identities: readonly Identity[]): Value[] {
  return identities.slice(0, 1 + random.below(3)).map((): Value => {
    const identity = random.pick(identities);
    if (random.chance(30)) {
      return { target: selector(random, identity), patch: JSON.stringify(jsonPatch(random)) };
    }
    const patch = toYaml(mergePatch(random, identity));
    return random.chance(30) ? { target: selector(random, identity), patch } : { patch };
  });
}

function generators(random: Random, layer: number): Fields {
  const made: Fields = {};
  for (const field of ['configMapGenerator', 'secretGenerator']) {
    if (!random.chance(25)) continue;
    made[field] = [
      {
        name: random.pick(['made', ...NAMES]),
        literals: [`k${layer}=${random.pick(['v', '1.0', 'x=y'])}`],
        ...(random.chance(40) ? { behavior: random.pick(['merge', 'replace', 'create']) } : {}),
        ...(random.chance(20) ? { options: { disableNameSuffixHash: true } } : {}),
      },
    ];
  }
  return made;
}

function statements(random: Random, identities: readonly Identity[]): Fields {
  const chosen = random.some(Object.keys(STATEMENTS), 18);
  return Object.fromEntries(chosen.map((name) => [name, STATEMENTS[name]!(random, identities)]));
}

/** The files of one seed; what is to be built is the folder `top`. */
export function randomFiles(seed: number): Map<string, string> {
  const random = new Random(seed);
  const files = new Map<string, string>();
  const identities: Identity[] = [];
  for (const kind of random.some(Object.keys(KINDS), 40))
    identities.push({ kind, name: random.pick(NAMES) });
  if (identities.length === 0) identities.push({ kind: 'v1 ConfigMap', name: 'settings' });
  const objects = identities.map((identity) => toYaml(resource(random, identity)));
  files.set('base/all.yaml', objects.join('---\n'));
  const layers = ['base', ...random.some(['middle'], 40), 'top'];
  layers.forEach((layer, i) => {
    const below = layers[i - 1];
    const kustomization: Fields = {
      resources: [below === undefined ? 'all.yaml' : `../${below}`],
      ...generators(random, i),
      ...statements(random, identities),
    };
    files.set(`${layer}/kustomization.yaml`, toYaml(kustomization));
  });
  if (random.chance(20)) addComponent(random, identities, files);
  return files;
}

function addComponent(
  random: Random,
  identities: readonly Identity[],
  files: Map<string, string>,
): void {
  const own = statements(random, identities);
  files.set(
    'component/kustomization.yaml',
    `apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\n${toYaml({ namePrefix: 'c-', ...own })}`,
  );
  const top = files.get('top/kustomization.yaml')!;
  files.set('top/kustomization.yaml', `components: [../component]\n${top}`);
}
