import {
  BOOL,
  BYTES,
  fromBytes,
  type GoField,
  GoFunc,
  GoMap,
  type GoMethod,
  GoPointer,
  GoStruct,
  type GoType,
  type GoValue,
  mapOf,
  pointerTo,
  STRING,
  sliceOf,
  strings,
  typedSlice,
} from '@capstan/lib-gotemplate';
import { toYaml } from '@capstan/lib-yaml';
import type { Capabilities, HelmFlavor } from './capabilities.ts';
import { parseKubeVersion } from './capabilities.ts';
import type { ChartFile } from './chart.ts';
import { globMatcher } from './glob.ts';
import { wellFormed } from './plain-value.ts';

/** `.Files`: the plain files of a chart, with Get, GetBytes, Glob, AsConfig, AsSecrets and Lines. Nothing outside. */
export function filesObject(files: readonly ChartFile[]): GoMap {
  return filesMap(new Map(files.map((file) => [file.name, file.data])));
}

function filesMap(files: ReadonlyMap<string, Uint8Array>): GoMap {
  const data = new Map<string, GoValue>(files);
  return new GoMap(FILES, data);
}

const NO_BYTES = new Uint8Array();

function fileBytes(receiver: GoValue, name: GoValue): Uint8Array {
  const data =
    receiver instanceof GoMap && receiver.data instanceof Map ? receiver.data : undefined;
  const bytes = data?.get(String(name));
  return bytes instanceof Uint8Array ? bytes : NO_BYTES;
}

function entriesOf(receiver: GoValue): readonly (readonly [string, Uint8Array])[] {
  const data = receiver instanceof GoMap && receiver.data instanceof Map ? [...receiver.data] : [];
  return data.flatMap(([name, bytes]) =>
    bytes instanceof Uint8Array ? [[name, bytes] as const] : [],
  );
}

function baseName(name: string): string {
  return name.slice(name.lastIndexOf('/') + 1);
}

function asMap(receiver: GoValue, value: (bytes: Uint8Array) => string): string {
  const files = entriesOf(receiver).map(([name, bytes]) => [baseName(name), value(bytes)] as const);
  return toYaml(Object.fromEntries(files)).replace(/\n$/, '');
}

function lines(receiver: GoValue, name: GoValue): GoValue {
  const bytes = fileBytes(receiver, name);
  if (bytes.length === 0) return strings([]);
  return strings(fromBytes(bytes).replace(/\n$/, '').split('\n'));
}

function method(
  params: readonly GoType[],
  results: string,
  call: (receiver: GoValue, ...args: GoValue[]) => GoValue,
): GoMethod {
  return (receiver) => new GoFunc({ params, results }, (_context, args) => call(receiver, ...args));
}

const FILES: GoType = {
  ...mapOf(STRING, BYTES),
  text: 'engine.files',
  named: true,
  methods: new Map<string, GoMethod>([
    ['Get', method([STRING], 'string', (files, name) => fromBytes(fileBytes(files, name)))],
    ['GetBytes', method([STRING], '[]uint8', fileBytes)],
    ['Glob', method([STRING], 'engine.files', globFiles)],
    [
      'AsConfig',
      method([], 'string', (files) => asMap(files, (bytes) => wellFormed(fromBytes(bytes)))),
    ],
    [
      'AsSecrets',
      method([], 'string', (files) =>
        asMap(files, (bytes) => Buffer.from(bytes).toString('base64')),
      ),
    ],
    ['Lines', method([STRING], '[]string', lines)],
  ]),
};

function globFiles(files: GoValue, pattern: GoValue): GoValue {
  const matches = globMatcher(String(pattern));
  return filesMap(new Map(entriesOf(files).filter(([name]) => matches(name))));
}

/** `.Capabilities`, a pointer to a struct with methods as in the original. */
export function capabilitiesObject(capabilities: Capabilities, flavor: HelmFlavor): GoPointer {
  const owner = flavor === 4 ? 'common' : 'chartutil';
  const kube = kubeVersionObject(capabilities.kubeVersion, owner);
  const versions = typedSlice(versionSetType(owner), [...capabilities.apiVersions]);
  const helm = new GoStruct(
    { kind: 'struct', text: 'version.BuildInfo', named: true, fields: helmFields(flavor) },
    {
      Version: capabilities.helmVersion,
      GitCommit: '',
      GitTreeState: '',
      GoVersion: 'go1.26.8',
      KubeClientVersion: flavor === 4 ? 'v1.37' : '',
    },
  );
  const fields = [
    { name: 'KubeVersion', type: kube.type },
    { name: 'APIVersions', type: versionSetType(owner) },
    { name: 'HelmVersion', type: helm.type },
  ];
  const type: GoType = { kind: 'struct', text: `${owner}.Capabilities`, named: true, fields };
  const struct = new GoStruct(type, {
    KubeVersion: kube,
    APIVersions: versions,
    HelmVersion: helm,
  });
  return new GoPointer(struct, pointerTo(type));
}

function helmFields(flavor: HelmFlavor): readonly GoField[] {
  const common = [
    ['Version', 'version'],
    ['GitCommit', 'git_commit'],
    ['GitTreeState', 'git_tree_state'],
    ['GoVersion', 'go_version'],
  ] as const;
  const fields = common.map(([name, json]) => ({ name, type: STRING, json, omitEmpty: true }));
  const client = { name: 'KubeClientVersion', type: STRING, json: 'kube_client_version' };
  return flavor === 4 ? [...fields, client] : fields;
}

function versionSetType(owner: string): GoType {
  return {
    ...sliceOf(STRING),
    text: `${owner}.VersionSet`,
    named: true,
    methods: new Map([
      [
        'Has',
        (receiver: GoValue) =>
          new GoFunc({ params: [STRING], results: BOOL.text }, (_context, [wanted]) =>
            Array.isArray(receiver) ? receiver.includes(wanted) : false,
          ),
      ],
    ]),
  };
}

function kubeVersionObject(version: string, owner: string): GoStruct {
  const parts = parseKubeVersion(version);
  const shown = parts?.version ?? version;
  const normalized = parts?.normalized ?? version;
  const values = { Version: shown, Major: parts?.major ?? '', Minor: parts?.minor ?? '' };
  const full = owner === 'common' ? { ...values, normalizedVersion: normalized } : values;
  const text = owner === 'common' ? normalized : shown;
  const type: GoType = {
    kind: 'struct',
    text: `${owner}.KubeVersion`,
    named: true,
    fields: kubeFields(owner).map((name) => ({ name, type: STRING })),
    methods: new Map<string, GoMethod>([
      ['GitVersion', method([], 'string', () => shown)],
      ['String', method([], 'string', () => text)],
    ]),
    pointerStringer: () => text,
  };
  return new GoStruct(type, full);
}

function kubeFields(owner: string): readonly string[] {
  return owner === 'common'
    ? ['Version', 'normalizedVersion', 'Major', 'Minor']
    : ['Version', 'Major', 'Minor'];
}
