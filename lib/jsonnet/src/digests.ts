import { md5 as md5Of, sha1 as sha1Of } from '@noble/hashes/legacy.js';
import { sha256 as sha256Of, sha512 as sha512Of } from '@noble/hashes/sha2.js';
import { sha3_512 } from '@noble/hashes/sha3.js';
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js';

const hex = (hash: (bytes: Uint8Array) => Uint8Array) => (text: string) =>
  bytesToHex(hash(utf8ToBytes(text)));

export const md5 = hex(md5Of);
export const sha1 = hex(sha1Of);
export const sha256 = hex(sha256Of);
export const sha512 = hex(sha512Of);
export const sha3 = hex(sha3_512);
