import type { RemoteAnswer, RemotePort, RemoteRequest } from '@capstan/kube-kustomize';
import { type FileTree, memoryTree, readText, subTree } from '@capstan/lib-files';
import { hexOf } from '@capstan/lib-std';
import { sha256 } from '@noble/hashes/sha2.js';
import { utf8ToBytes } from '@noble/hashes/utils.js';

const NAME_LENGTH = 32;
const CONTENT = 'content';
const FAILED = '.capstan-remote-failed';

/** The name at the root of a snapshot under which remote content is mounted (mountTrees) for a render to find it. */
export function remoteMount(request: RemoteRequest): string {
  const key = hexOf(sha256(utf8ToBytes(JSON.stringify(identity(request)))));
  return `$remote-${key.slice(0, NAME_LENGTH)}`;
}

function identity(request: RemoteRequest): readonly unknown[] {
  switch (request.kind) {
    case 'repository':
      return [request.kind, request.spec.cloneUrl, request.spec.ref];
    case 'file':
      return [request.kind, request.url];
    case 'chart': {
      const { repo, name, version, devel } = request.chart;
      return [request.kind, repo, name, version, devel];
    }
  }
}

/** A remote file as a tree to mount. */
export function remoteFile(content: Uint8Array): FileTree {
  return memoryTree({ [CONTENT]: content });
}

/** In place of what cannot be had. `http`: a server answered with an error. */
export function remoteFailure(message: string, { http }: { readonly http: boolean }): FileTree {
  return memoryTree({ [FAILED]: JSON.stringify({ message, http }) });
}

/** Remote content as it is mounted in a tree; what is not is pending. */
export function mountedRemotes(tree: FileTree): RemotePort {
  const find = (request: RemoteRequest): RemoteAnswer<FileTree> => {
    const name = remoteMount(request);
    if (tree.readDirectory(name) === undefined) return { kind: 'pending' };
    const failed = readText(tree, `${name}/${FAILED}`);
    if (failed !== undefined) return { kind: 'failed', ...JSON.parse(failed) };
    return { kind: 'found', content: subTree(tree, name) };
  };
  return {
    repository: (spec) => find({ kind: 'repository', spec }),
    chart: (chart) => find({ kind: 'chart', chart }),
    file: (url) => {
      const answer = find({ kind: 'file', url });
      if (answer.kind !== 'found') return answer;
      return { kind: 'found', content: answer.content.readFile(CONTENT) ?? new Uint8Array() };
    },
  };
}
