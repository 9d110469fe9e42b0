import {
  checkConstraint,
  compareVersions,
  formatVersion,
  incrementMajor,
  incrementMinor,
  incrementPatch,
  parseConstraint,
  parseVersion,
  SemverError,
  type Version,
} from '@capstan/lib-semver';
import {
  GoError,
  GoFunc,
  GoInt,
  type GoMethod,
  GoPointer,
  GoStruct,
  type GoType,
  type GoValue,
  int,
  normalInt,
  pointerTo,
  UINT64,
} from '../value.ts';
import { type Functions, fixed, text } from './define.ts';

/** Sprig's semver functions. */
export function versionFunctions(): Functions {
  return [
    ['semver', fixed([text], (version) => versionValue(readVersion(version)))],
    ['semverCompare', fixed([text, text], compare)],
  ];
}

function readVersion(version: string): Version {
  return attempt(() => parseVersion(version));
}

function compare(constraint: string, version: string): boolean {
  const parsed = attempt(() => parseConstraint(constraint));
  return checkConstraint(parsed, readVersion(version));
}

function attempt<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof SemverError) throw new GoError(error.message);
    throw error;
  }
}

interface Held {
  readonly version: Version;
}

function isHeld(hidden: unknown): hidden is Held {
  return typeof hidden === 'object' && hidden !== null && 'version' in hidden;
}

function versionOf(value: GoValue): Version {
  const target = value instanceof GoPointer ? value.elem : value;
  if (target instanceof GoStruct && isHeld(target.hidden)) return target.hidden.version;
  throw new GoError('runtime error: invalid memory address or nil pointer dereference');
}

function method(run: (version: Version) => GoValue): GoMethod {
  return (receiver) => new GoFunc({ params: [] }, () => run(versionOf(receiver)));
}

function comparing(run: (order: number) => GoValue): GoMethod {
  return (receiver) =>
    new GoFunc({ params: [VERSION_POINTER] }, (_context, [other]) =>
      run(compareVersions(versionOf(receiver), versionOf(other))),
    );
}

function uint(value: bigint): GoInt {
  return new GoInt(UINT64, normalInt(UINT64, value));
}

function plain(version: Version): GoStruct {
  return new GoStruct(VERSION, {}, { version });
}

const METHODS: ReadonlyMap<string, GoMethod> = new Map<string, GoMethod>([
  ['Major', method((version) => uint(version.major))],
  ['Minor', method((version) => uint(version.minor))],
  ['Patch', method((version) => uint(version.patch))],
  ['Prerelease', method((version) => version.prerelease)],
  ['Metadata', method((version) => version.metadata)],
  ['Original', method((version) => version.original)],
  ['String', method(formatVersion)],
  ['IncMajor', method((version) => plain(attempt(() => incrementMajor(version))))],
  ['IncMinor', method((version) => plain(attempt(() => incrementMinor(version))))],
  ['IncPatch', method((version) => plain(attempt(() => incrementPatch(version))))],
  ['Compare', comparing(int)],
  ['Equal', comparing((order) => order === 0)],
  ['LessThan', comparing((order) => order < 0)],
  ['LessThanEqual', comparing((order) => order <= 0)],
  ['GreaterThan', comparing((order) => order > 0)],
  ['GreaterThanEqual', comparing((order) => order >= 0)],
]);

const VERSION: GoType = {
  kind: 'struct',
  text: 'semver.Version',
  named: true,
  methods: METHODS,
  stringer: (value) => formatVersion(versionOf(value)),
  textMarshaler: (value) => formatVersion(versionOf(value)),
};

const VERSION_POINTER: GoType = pointerTo(VERSION);

/** A *semver.Version. */
export function versionValue(version: Version): GoPointer {
  return new GoPointer(plain(version), VERSION_POINTER);
}
