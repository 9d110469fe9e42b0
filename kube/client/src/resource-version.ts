/**
 * Orders two resourceVersions of one kind: negative when `a` is older. They are decimal numbers without a bound (KEP-5504
 * made that a promise of the API); anything else is only equal to itself and otherwise counts as newer.
 */
export function compareResourceVersions(a: string, b: string): number {
  if (a === b) return 0;
  if (!isDecimal(a)) return 1;
  if (!isDecimal(b)) return -1;
  if (a.length !== b.length) return a.length - b.length;
  return a < b ? -1 : 1;
}

function isDecimal(version: string): boolean {
  return /^\d+$/.test(version);
}
