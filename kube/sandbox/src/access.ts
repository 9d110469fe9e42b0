import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type CertificateAuthority, createAuthority, type KeyPair } from '@capstan/kube-apiserver';

/** What lets clients in: the authority, the server's certificate, the administrator's, and the key of account tokens. */
export interface Access {
  readonly authority: CertificateAuthority;
  readonly server: KeyPair;
  readonly administrator: KeyPair;
  readonly tokenKey: string | undefined;
}

const NAMES = [
  '127.0.0.1',
  'localhost',
  'kubernetes',
  'kubernetes.default',
  'kubernetes.default.svc',
];

/** Takes the keys that a data directory holds, or makes new ones. */
export async function prepareAccess(nowMs: number, dataDir: string | undefined): Promise<Access> {
  const kept = dataDir === undefined ? undefined : await readKept(dataDir);
  const authority = createAuthority(nowMs, kept?.authority);
  const server = authority.issueServer(NAMES);
  const administrator = authority.issueClient('kubernetes-admin', ['system:masters']);
  return { authority, server, administrator, tokenKey: kept?.tokenKey };
}

interface Kept {
  readonly authority: KeyPair;
  readonly tokenKey: string;
}

async function readKept(dataDir: string): Promise<Kept | undefined> {
  try {
    return JSON.parse(await readFile(join(dataDir, 'keys.json'), 'utf8')) as Kept;
  } catch {
    return undefined;
  }
}

export async function keepAccess(dataDir: string, kept: Kept): Promise<void> {
  await mkdir(dataDir, { recursive: true });
  const path = join(dataDir, 'keys.json');
  await writeFile(`${path}.new`, JSON.stringify(kept), { mode: 0o600 });
  await rename(`${path}.new`, path);
}
