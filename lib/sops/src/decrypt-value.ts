import { createDecipheriv } from 'node:crypto';
import { sopsError } from './sops-error.ts';
import type { SopsComment, SopsLeaf } from './sops-tree.ts';

const FORM = /^ENC\[AES256_GCM,data:(.+),iv:(.+),tag:(.+),type:(.+)\]/s;

/** Opens one value, which is bound to its path. Throws SOPS_DAMAGED without a word of its content. */
export function decryptValue(
  text: string,
  key: Uint8Array,
  additionalData: string,
): SopsLeaf | SopsComment {
  if (text === '') return { kind: 'leaf', type: 'str', text: '' };
  const found = FORM.exec(text);
  if (found === null) throw damaged('a value that should be encrypted is not');
  const [, data = '', iv = '', tag = '', type = ''] = found;
  const bytes = open({ data, iv, tag }, key, additionalData);
  const plain = bytes.toString('utf8');
  switch (type) {
    case 'str':
    case 'time':
      return { kind: 'leaf', type, text: plain };
    case 'bytes':
      return { kind: 'leaf', type, text: bytes.toString('latin1') };
    case 'int':
      if (!/^[+-]?\d+$/.test(plain)) throw damaged('a number is none');
      return { kind: 'leaf', type, text: String(BigInt(plain)) };
    case 'float':
      return { kind: 'leaf', type, text: plain };
    case 'bool':
      return { kind: 'leaf', type, text: /^(?:1|t|true)$/i.test(plain) ? 'True' : 'False' };
    case 'comment':
      return { kind: 'comment', text: plain, inline: false };
    default:
      throw damaged('a value is of an unknown type');
  }
}

function open(
  { data, iv, tag }: { readonly data: string; readonly iv: string; readonly tag: string },
  key: Uint8Array,
  additionalData: string,
): Buffer {
  try {
    const decipher = createDecipheriv('aes-256-gcm', key, Buffer.from(iv, 'base64'), {
      authTagLength: 16,
    });
    decipher.setAuthTag(Buffer.from(tag, 'base64'));
    decipher.setAAD(Buffer.from(additionalData));
    return Buffer.concat([decipher.update(Buffer.from(data, 'base64')), decipher.final()]);
  } catch {
    throw damaged('a value cannot be decrypted: it was changed, moved, or is of another file');
  }
}

function damaged(message: string): Error {
  return sopsError(
    'SOPS_DAMAGED',
    message,
    'encrypt the file again with sops; never edit it by hand',
  );
}
