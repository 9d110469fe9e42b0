import { isObjectId, isRefName } from './ref-name.ts';

/** What a remote offers at one moment. */
export interface RemoteRefs {
  /** Full name (`refs/heads/main`) → object id; an annotated tag's own id. */
  readonly ids: ReadonlyMap<string, string>;
  /** Annotated tags: full name → the object they lead to. */
  readonly peeled: ReadonlyMap<string, string>;
  /** The branch that HEAD stands for, full name; undefined when detached, empty or not told. */
  readonly head: string | undefined;
}

/** Reads the answer of `git ls-remote --symref`. Names that break Git's own rules are left out. */
export function parseRemoteRefs(text: string): RemoteRefs {
  const ids = new Map<string, string>();
  const peeled = new Map<string, string>();
  let head: string | undefined;
  for (const line of text.split('\n')) {
    const tab = line.indexOf('\t');
    if (tab < 0) continue;
    const left = line.slice(0, tab);
    const name = line.slice(tab + 1);
    if (left.startsWith('ref: ')) {
      if (name === 'HEAD' && isRefName(left.slice(5))) head = left.slice(5);
    } else if (isObjectId(left)) {
      const isPeeled = name.endsWith('^{}');
      const plain = isPeeled ? name.slice(0, -3) : name;
      if (isRefName(plain)) (isPeeled ? peeled : ids).set(plain, left);
    }
  }
  return { ids, peeled, head };
}

/** The commit that a ref leads to, as far as the remote says. */
export function commitOf(refs: RemoteRefs, name: string): string | undefined {
  return refs.peeled.get(name) ?? refs.ids.get(name);
}
