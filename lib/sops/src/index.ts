export { type DecryptOptions, decryptSops, isSopsFile, type SopsFormat } from './decrypt-sops.ts';
export type { ServiceKey, SopsKeys } from './master-keys.ts';
