/** For tests: what sops and age encrypted, in a repository and applied to the namespace `production`. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { at } from './look.ts';
import { trackedApp } from './tracked-app.ts';
import type { World } from './world.ts';

export const readSealed = (name: string): string =>
  readFileSync(join(import.meta.dirname, '../testdata/sops', name), 'utf8');

/** As sops and age wrote them: a Secret, values for a generator, a file of any kind. */
export const ENCRYPTED_FILES = {
  'deploy/kustomization.yaml': `
resources: [secret.yaml]
secretGenerator:
- name: db
  envs: [db.env]
  files: [token.txt]
  options: {disableNameSuffixHash: true}
commonAnnotations: {team: web}
`,
  'deploy/secret.yaml': readSealed('secret.yaml'),
  'deploy/db.env': readSealed('db.env'),
  'deploy/token.txt': readSealed('token.txt'),
};

export const DECRYPTION = '  decryption: {provider: sops, secretRef: {name: keys}}\n';

export function encryptedApp(rest: string): string {
  const namespace = 'apiVersion: v1\nkind: Namespace\nmetadata: {name: production}\n---';
  return `${namespace}${trackedApp(`  targetNamespace: production\n  path: ./deploy\n${rest}`)}`;
}

export async function putKeys(world: World, key: string): Promise<void> {
  await world.client.apply(
    {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'keys', namespace: 'flux-system' },
      stringData: { 'team.agekey': key },
    },
    { fieldManager: 'kubectl', force: true },
  );
}

export async function secretOf(world: World, name: string): Promise<Record<string, string>> {
  const secret = await world.get('Secret', `production/${name}`);
  const data = (at(secret, 'data') ?? {}) as Record<string, string>;
  return Object.fromEntries(
    Object.entries(data).map(([key, value]) => [key, Buffer.from(value, 'base64').toString()]),
  );
}

/** All that anybody may read of the app: its status and the events. */
export async function toldOf(world: World): Promise<string> {
  return JSON.stringify([
    await world.get('Kustomization', 'flux-system/my-app'),
    await world.client.list({ apiVersion: 'v1', kind: 'Event' }, { namespace: 'flux-system' }),
  ]);
}
