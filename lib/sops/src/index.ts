export { type DecryptOptions, decryptSops, isSopsFile, type SopsFormat } from './decrypt-sops.ts';
export type { SopsKeys } from './master-keys.ts';
