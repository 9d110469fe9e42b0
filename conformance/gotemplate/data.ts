import {
  ANY,
  DICT,
  duration,
  FLOAT32,
  GoComplex,
  type GoDict,
  GoError,
  type GoField,
  GoFunc,
  GoInt,
  GoKeyedMap,
  GoMap,
  type GoMethod,
  GoNil,
  GoPointer,
  GoScalar,
  GoStruct,
  type GoType,
  type GoValue,
  INT,
  INTS,
  int,
  LIST,
  mapOf,
  normalInt,
  parseInstant,
  pointerTo,
  STRING,
  STRING_MAP,
  STRINGS,
  strings,
  timeValue,
  typedSlice,
  UTC,
} from '@capstan/lib-gotemplate';

/** JSON as test data is written in; `{"$kind": content}` stands for a value of a Go type. */
export type Json =
  | null
  | boolean
  | number
  | string
  | readonly Json[]
  | { readonly [key: string]: Json };

/** The Go value that the oracle makes of the same JSON. */
export function revive(json: Json): GoValue {
  if (isList(json)) return json.map(revive);
  if (typeof json !== 'object' || json === null) return json;
  const entries = Object.entries(json);
  const [first] = entries;
  if (entries.length === 1 && first?.[0].startsWith('$') === true) {
    return typed(first[0].slice(1), first[1]);
  }
  return Object.fromEntries(entries.map(([key, value]) => [key, revive(value)]));
}

function isList(json: Json): json is readonly Json[] {
  return Array.isArray(json);
}

function texts(json: Json): string[] {
  return isList(json) ? json.map(String) : [];
}

function object(json: Json): { readonly [key: string]: Json } {
  return typeof json === 'object' && json !== null && !isList(json) ? json : {};
}

const VERSIONS: GoType = {
  kind: 'slice',
  text: 'main.Versions',
  named: true,
  elem: STRING,
  methods: new Map<string, GoMethod>([
    [
      'Has',
      (receiver) =>
        new GoFunc(
          { params: [STRING] },
          (_context, [wanted]) => Array.isArray(receiver) && receiver.includes(wanted),
        ),
    ],
  ]),
};

const NAMED: GoType = {
  ...DICT,
  text: 'main.Named',
  named: true,
  methods: new Map<string, GoMethod>([
    [
      'Count',
      (receiver) =>
        new GoFunc({ params: [] }, () =>
          int(receiver instanceof GoMap ? Object.keys(receiver.data).length : 0),
        ),
    ],
  ]),
};

const USER_METHODS = new Map<string, GoMethod>([
  [
    'Greet',
    (receiver) =>
      new GoFunc(
        { params: [STRING] },
        (_context, [greeting]) => `${String(greeting)}, ${String(userFields(receiver)['Name'])}`,
      ),
  ],
  [
    'Fail',
    (receiver) =>
      new GoFunc({ params: [] }, () => {
        throw new GoError(`user ${String(userFields(receiver)['Name'])} failed`);
      }),
  ],
]);

const USER_FIELDS: GoField[] = [
  { name: 'Name', type: STRING },
  { name: 'Age', type: INT },
  { name: 'Tags', type: STRINGS },
];
const USER: GoType = {
  kind: 'struct',
  text: 'main.User',
  named: true,
  fields: USER_FIELDS,
  methods: USER_METHODS,
};
const USER_POINTER: GoType = {
  ...pointerTo(USER),
  methods: new Map<string, GoMethod>([
    ...USER_METHODS,
    ['Self', (receiver) => new GoFunc({ params: [] }, () => receiver)],
  ]),
};
USER_FIELDS.push(
  { name: 'Inner', type: USER_POINTER },
  { name: 'Any', type: ANY },
  { name: 'inner', type: STRING },
);

function userFields(value: GoValue): GoDict {
  const target = value instanceof GoPointer ? value.elem : value;
  return target instanceof GoStruct ? target.values : {};
}

function user(json: Json): GoPointer {
  const fields = object(json);
  const age = fields['age'];
  const inner = fields['inner'];
  const tags = fields['tags'];
  const values: GoDict = {
    Name: typeof fields['name'] === 'string' ? fields['name'] : '',
    Age: int(typeof age === 'number' ? age : 0),
    Tags: tags === undefined ? new GoNil(STRINGS) : strings(texts(tags)),
    Inner: inner === undefined ? new GoNil(USER_POINTER) : user(inner),
    Any: fields['any'] === undefined ? null : revive(fields['any']),
    inner: '',
  };
  return new GoPointer(new GoStruct(USER, values), USER_POINTER);
}

function typed(kind: string, content: Json): GoValue {
  switch (kind) {
    case 'strings':
      return strings(texts(content));
    case 'versions':
      return typedSlice(VERSIONS, texts(content));
    case 'bytes':
      return Uint8Array.from(Buffer.from(String(content), 'base64'));
    case 'ints':
      return typedSlice(
        INTS,
        texts(content).map((item) => int(Number(item))),
      );
    case 'stringMap':
      return new GoMap(
        STRING_MAP,
        Object.fromEntries(Object.entries(object(content)).map(([k, v]) => [k, String(v)])),
      );
    case 'intMap': {
      const entries = Object.entries(object(content));
      return new GoKeyedMap(
        mapOf(INT, STRING),
        entries.map(([k, v]) => [int(Number(k)), String(v)] as const),
      );
    }
    case 'named': {
      const inner = revive(content);
      return new GoMap(NAMED, isDict(inner) ? inner : {});
    }
    case 'time':
      return timeValue(parseInstant('2006-01-02T15:04:05Z07:00', String(content), UTC));
    case 'user':
      return user(content);
    case 'nilUser':
      return new GoNil(USER_POINTER);
    case 'nilMap':
      return new GoNil(DICT);
    case 'nilList':
      return new GoNil(LIST);
    default:
      return number(kind, String(content));
  }
}

function isDict(value: GoValue): value is GoDict {
  return (
    typeof value === 'object' &&
    value !== null &&
    !Array.isArray(value) &&
    Object.getPrototypeOf(value) === Object.prototype
  );
}

function number(kind: string, content: string): GoValue {
  if (kind === 'float32') return new GoScalar(FLOAT32, Math.fround(Number(content)));
  if (kind === 'duration') return duration(BigInt(content));
  if (kind === 'complex') {
    const parts = /^\((.+)([+-].+)i\)$/.exec(content);
    return new GoComplex(Number(parts?.[1]), Number(parts?.[2]));
  }
  const type: GoType = { kind: kind === 'int' ? 'int' : integerKind(kind), text: kind };
  return new GoInt(type, normalInt(type, BigInt(content)));
}

function integerKind(kind: string): GoType['kind'] {
  switch (kind) {
    case 'int8':
    case 'int16':
    case 'int32':
    case 'int64':
    case 'uint':
    case 'uint8':
    case 'uint16':
    case 'uint32':
    case 'uint64':
      return kind;
    default:
      throw new Error(`no kind ${kind}`);
  }
}
