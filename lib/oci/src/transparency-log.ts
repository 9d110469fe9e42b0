/** Looks signatures up in a transparency log (Rekor, version 1 of its API) that do not bring their entry with them. */
import { createHash } from 'node:crypto';
import { CapstanError, messageOf, valueAt } from '@capstan/lib-std';
import { encodePem } from '@capstan/lib-x509';
import { type HttpGet, readBytes } from './http-port.ts';

/** What `cosign sign` enters: a digest, its signature, and the certificate of the signer. */
export interface LoggedSignature {
  readonly signed: Uint8Array;
  readonly signature: Uint8Array;
  /** DER. */
  readonly certificate: Uint8Array;
}

/** An entry as the log tells it. */
export interface LogEntry {
  /** Base64. */
  readonly body: string;
  readonly integratedTime: number;
  /** Hexadecimal. */
  readonly logID: string;
  readonly logIndex: number;
  readonly signedEntryTimestamp: string;
}

const PATH = '/api/v1/log/entries/retrieve';
const ANSWER_BYTES_MAX = 4 * 1024 * 1024;

/**
 * The entries of a signature, the earliest first: they suffice for the time of it. Each is in the tree that the log tells of; its
 * promise (the signed timestamp) is for the caller to check, as is what is in it. Throws OCI_SIGNATURE when there is none.
 */
export async function findLogEntries(
  get: HttpGet,
  logUrl: string,
  wanted: LoggedSignature,
): Promise<readonly LogEntry[]> {
  const answer = await search(get, logUrl, wanted);
  if (answer.length === 0) throw failure('signature not found in transparency log');
  const entries = answer.flatMap((one) => Object.entries(one ?? {})).filter(isNamed);
  const problems: string[] = [];
  const found = entries.flatMap(([, entry]) => {
    const read = readEntry(entry);
    if (typeof read !== 'string') return [read];
    problems.push(read);
    return [];
  });
  if (found.length > 0) return found.toSorted((a, b) => a.integratedTime - b.integratedTime);
  throw failure(
    problems.length === 0
      ? 'no valid tlog entries found with proposed entry'
      : `no valid tlog entries found ${problems.join(', ')}`,
  );
}

async function search(
  get: HttpGet,
  logUrl: string,
  { signed, signature, certificate }: LoggedSignature,
): Promise<readonly unknown[]> {
  const base64 = (bytes: Uint8Array | string) => Buffer.from(bytes).toString('base64');
  const value = createHash('sha256').update(signed).digest('hex');
  const spec = {
    data: { hash: { algorithm: 'sha256', value } },
    signature: {
      content: base64(signature),
      publicKey: { content: base64(encodePem('CERTIFICATE', certificate)) },
    },
  };
  const body = JSON.stringify({ entries: [{ apiVersion: '0.0.1', kind: 'hashedrekord', spec }] });
  const fail = (why: string, cause?: unknown) => failure(`searching log query: ${why}`, cause);
  const { status, bytes } = await readBytes(get, logUrl.replace(/\/+$/, '') + PATH, {
    ...{ method: 'POST', body, bytesMax: ANSWER_BYTES_MAX },
    headers: { 'content-type': 'application/json', accept: 'application/json' },
  }).catch((cause: unknown) => {
    throw fail(messageOf(cause), cause);
  });
  if (status !== 200) throw fail(`[POST ${PATH}][${status}]`);
  try {
    const answer: unknown = JSON.parse(new TextDecoder().decode(bytes));
    return Array.isArray(answer) ? answer : [];
  } catch (cause) {
    throw fail(messageOf(cause), cause);
  }
}

/** Whether an entry goes by the hash of its body: what precedes that names a tree. */
function isNamed([name, entry]: readonly [string, unknown]): boolean {
  const body = Buffer.from(String(valueAt(entry, 'body') ?? ''), 'base64');
  return name.slice(-64) === leafHash(body).toString('hex');
}

/** Or what is wrong with it. */
function readEntry(entry: unknown): LogEntry | string {
  const at = (...path: readonly string[]) => valueAt(entry, ...path);
  const proof = at('verification', 'inclusionProof');
  if (typeof proof !== 'object' || proof === null) return 'inclusion proof not provided';
  const [index, size, root] = ['logIndex', 'treeSize', 'rootHash'].map((key) =>
    valueAt(proof, key),
  );
  if (typeof index !== 'number' || typeof size !== 'number' || typeof root !== 'string') {
    return 'inclusion proof fields not provided';
  }
  const hashes = valueAt(proof, 'hashes');
  const body = String(at('body'));
  const found = rootOf(Buffer.from(body, 'base64'), {
    ...{ index: BigInt(index), size: BigInt(size) },
    hashes: Array.isArray(hashes) ? hashes.map((one) => Buffer.from(String(one), 'hex')) : [],
  });
  if (typeof found === 'string' || found.toString('hex') !== root) {
    const why = typeof found === 'string' ? found : 'calculated root does not match';
    return `verifying inclusion proof: ${why}`;
  }
  return {
    body,
    integratedTime: Number(at('integratedTime')),
    logID: String(at('logID')),
    logIndex: Number(at('logIndex')),
    signedEntryTimestamp: String(at('verification', 'signedEntryTimestamp')),
  };
}

interface Proof {
  readonly index: bigint;
  readonly size: bigint;
  readonly hashes: readonly Buffer[];
}

/** The root of the tree to which a proof leads from an entry (RFC 9162, section 2.1.3.2); or why to none. */
function rootOf(body: Uint8Array, { index, size, hashes }: Proof): Buffer | string {
  if (index < 0n || index >= size) return `index ${index} is beyond size ${size}`;
  let [at, last] = [index, size - 1n];
  let hash = leafHash(body);
  for (const other of hashes) {
    if (last === 0n) return `wrong proof size ${hashes.length}`;
    const isRight = (at & 1n) === 1n;
    if (isRight || at === last) {
      hash = nodeHash(other, hash);
      // Above it are only nodes on the right edge, which have no neighbour until one is a right one.
      while (!isRight && (at & 1n) === 0n && at !== 0n) [at, last] = [at >> 1n, last >> 1n];
    } else hash = nodeHash(hash, other);
    [at, last] = [at >> 1n, last >> 1n];
  }
  return last === 0n ? hash : `wrong proof size ${hashes.length}`;
}

function leafHash(body: Uint8Array): Buffer {
  return createHash('sha256').update(Uint8Array.of(0)).update(body).digest();
}

function nodeHash(left: Uint8Array, right: Uint8Array): Buffer {
  return createHash('sha256').update(Uint8Array.of(1)).update(left).update(right).digest();
}

function failure(message: string, cause?: unknown): CapstanError {
  return new CapstanError('OCI_SIGNATURE', message, {
    hint: 'sign with a transparency log, and let this process reach it',
    ...(cause === undefined ? {} : { cause }),
  });
}
