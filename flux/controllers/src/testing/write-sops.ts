/** For tests: an object as SOPS writes it, with a data key that some service keeps. */
import { createCipheriv, createHash, randomBytes } from 'node:crypto';

type Texts = Readonly<Record<string, string>>;

/** A Secret whose `stringData` is encrypted; `wrap` gives the part of the metadata that names who keeps the key. */
export async function sealSecret(
  metadata: Texts,
  stringData: Texts,
  wrap: (dataKey: Buffer) => object | Promise<object>,
): Promise<string> {
  const key = randomBytes(32);
  const lastmodified = '2026-01-02T03:04:05Z';
  const plain = ['v1', 'Secret', ...Object.values(metadata), ...Object.values(stringData)];
  const mac = createHash('sha512').update(plain.join('')).digest('hex').toUpperCase();
  const sealed = Object.fromEntries(
    Object.entries(stringData).map(([name, value]) => [
      name,
      seal(key, value, `stringData:${name}:`),
    ]),
  );
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata,
    stringData: sealed,
    sops: {
      ...(await wrap(key)),
      lastmodified,
      mac: seal(key, mac, lastmodified),
      encrypted_regex: '^stringData$',
      version: '3.13.3',
    },
  });
}

function seal(key: Buffer, text: string, place: string): string {
  const iv = randomBytes(32);
  const cipher = createCipheriv('aes-256-gcm', key, iv).setAAD(Buffer.from(place));
  const data = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()]);
  const [d, i, t] = [data, iv, cipher.getAuthTag()].map((part) => part.toString('base64'));
  return `ENC[AES256_GCM,data:${d},iv:${i},tag:${t},type:str]`;
}
