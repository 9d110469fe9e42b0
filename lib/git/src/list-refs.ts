import { isObjectId, isRefName } from './ref-name.ts';
import type { RemoteRefs } from './remote-refs.ts';
import type { RemoteClient } from './remote-request.ts';
import { askUploadPack } from './upload-pack.ts';

const ANSWER_BYTES_MAX = 64 * 1024 * 1024;

/**
 * Asks a server for its refs in protocol version 2 (gitprotocol-v2, ls-refs): one request, no process. Undefined when the
 * server answers anything else: git itself is asked then, which knows older protocols and says what is wrong.
 */
export async function listRefs(client: RemoteClient): Promise<RemoteRefs | undefined> {
  const command = { command: 'ls-refs', lines: ['peel\n', 'symrefs\n'] };
  const body = await askUploadPack(client, command, ANSWER_BYTES_MAX);
  return body === undefined ? undefined : parseListedRefs(body);
}

/** Lines of `id name [symref-target:name] [peeled:id]` up to the flush packet; undefined for anything else. */
export function parseListedRefs(body: Buffer): RemoteRefs | undefined {
  const ids = new Map<string, string>();
  const peeled = new Map<string, string>();
  let head: string | undefined;
  for (let at = 0; at + 4 <= body.length; ) {
    const size = body.toString('latin1', at, at + 4);
    if (size === '0000') return { ids, peeled, head };
    const length = /^[0-9a-f]{4}$/.test(size) ? Number.parseInt(size, 16) : 0;
    if (length < 4 || at + length > body.length) return undefined;
    const line = body.toString('utf8', at + 4, at + length).trimEnd();
    at += length;
    const [id = '', name = '', ...attributes] = line.split(' ');
    if (id !== 'unborn' && !isObjectId(id)) return undefined;
    for (const attribute of attributes) {
      const target = afterPrefix(attribute, 'symref-target:');
      if (name === 'HEAD' && target !== undefined && isRefName(target)) head = target;
      const leadsTo = afterPrefix(attribute, 'peeled:');
      if (leadsTo !== undefined && isObjectId(leadsTo) && isRefName(name)) {
        peeled.set(name, leadsTo);
      }
    }
    if (id !== 'unborn' && isRefName(name)) ids.set(name, id);
  }
  return undefined;
}

function afterPrefix(attribute: string, prefix: string): string | undefined {
  return attribute.startsWith(prefix) ? attribute.slice(prefix.length) : undefined;
}
