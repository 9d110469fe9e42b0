/**
 * A pack that is there whole or not at all. The few objects of a small answer git would write one by one, the commit first: cut off
 * there, the commit would be taken for a whole one ever after.
 */
export const IN_ONE_PIECE = { settings: [['fetch.unpackLimit', '1']] } as const;

export const FETCH_OPTIONS = [
  '--quiet',
  '--force',
  '--no-tags',
  '--prune',
  '--no-write-fetch-head',
  '--no-recurse-submodules',
  '--no-auto-maintenance',
  '--no-show-forced-updates',
] as const;

export const WITHOUT_BLOBS = '--filter=blob:none';
export const BLOB_OPTIONS = [
  '--quiet',
  '--no-tags',
  '--no-write-fetch-head',
  '--no-recurse-submodules',
  '--no-auto-maintenance',
  WITHOUT_BLOBS,
  '--stdin',
] as const;

export function fetchArguments(
  url: string,
  specs: readonly string[],
  more: readonly string[] = [],
): readonly string[] {
  return ['fetch', ...FETCH_OPTIONS, ...more, '--', url, ...specs];
}
