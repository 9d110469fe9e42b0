import { readFileSync } from 'node:fs';
import type { GroupVersionKind } from '@capstan/kube-object';
import type { Catalogue } from '@capstan/kube-schema';

/** One field of a message; `type` is a scalar's letter (s b i y d) or a message's name. */
export interface Field {
  readonly number: number;
  /** In JSON; '' for an embedded Go struct, '-' for what has no name there. */
  readonly name: string;
  readonly type: string;
  /** `*` repeated, `%` map with texts as keys, `^` embedded: its fields stand beside the others in JSON. */
  readonly mark: '' | '*' | '%' | '^';
}

/** The messages of Kubernetes' protobuf encoding, as `tools/generate-protobuf` wrote them down. */
export interface Messages {
  fieldsOf(message: string): readonly Field[];
  fieldByNumber(message: string, number: number): Field | undefined;
  /** The message that a kind is encoded as; undefined for kinds that are not spoken in protobuf, as custom ones. */
  ofKind(kind: GroupVersionKind): string | undefined;
}

export const UNKNOWN = 'k8s.io.apimachinery.pkg.runtime.Unknown';
export const TYPE_META = 'k8s.io.apimachinery.pkg.runtime.TypeMeta';
/** What stands before each object: "k8s" and a zero. */
export const MAGIC = Uint8Array.of(0x6b, 0x38, 0x73, 0x00);

interface Message {
  readonly list: readonly Field[];
  readonly byNumber: ReadonlyMap<number, Field>;
}

/** The table is read when the first protobuf body comes or goes. */
export function createMessages(catalogue: Catalogue): Messages {
  let table: ReadonlyMap<string, string> | undefined;
  const readTable = (): ReadonlyMap<string, string> => {
    table ??= new Map(
      Object.entries(
        JSON.parse(
          readFileSync(new URL('../generated/protobuf.json', import.meta.url), 'utf8'),
        ) as Readonly<Record<string, string>>,
      ),
    );
    return table;
  };
  const parsed = new Map<string, Message>();
  const message = (name: string): Message => {
    const known = parsed.get(name);
    if (known !== undefined) return known;
    const list = parseFields(readTable().get(name) ?? '');
    const made = { list, byNumber: new Map(list.map((field) => [field.number, field])) };
    parsed.set(name, made);
    return made;
  };
  return {
    fieldsOf: (name) => message(name).list,
    fieldByNumber: (name, number) => message(name).byNumber.get(number),
    ofKind(kind) {
      const { definition } = catalogue.kind(kind)?.schema ?? {};
      const name =
        definition === undefined
          ? `${PACKAGES[`${kind.group}/${kind.version}`] ?? META}.${kind.kind}`
          : definition.replace(/^io\.k8s\./, 'k8s.io.').replaceAll('-', '_');
      return readTable().has(name) ? name : undefined;
    },
  };
}

const META = 'k8s.io.apimachinery.pkg.apis.meta.v1';
/** Groups whose kinds no OpenAPI document of the server names. */
const PACKAGES: Readonly<Record<string, string | undefined>> = {
  'apidiscovery.k8s.io/v2': 'k8s.io.api.apidiscovery.v2',
  'metrics.k8s.io/v1beta1': 'k8s.io.metrics.pkg.apis.metrics.v1beta1',
};

function parseFields(text: string): Field[] {
  return (text === '' ? [] : text.split(',')).map((entry) => {
    const [number = '', name = '', type = ''] = entry.split(' ');
    const mark = (/^[*%^]/.exec(type)?.[0] ?? '') as Field['mark'];
    return { number: Number(number), name, type: type.slice(mark.length), mark };
  });
}

/** The group, version and kind that an object names. */
export function kindOf(apiVersion: string, kind: string): GroupVersionKind {
  const slash = apiVersion.indexOf('/');
  return {
    group: slash < 0 ? '' : apiVersion.slice(0, slash),
    version: apiVersion.slice(slash + 1),
    kind,
  };
}
