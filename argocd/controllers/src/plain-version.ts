/**
 * A version of Kubernetes without what its provider adds (`v1.30.2-eks-3c1d`, `v1.31.4+k3s1`), which constraints of charts would
 * take for a pre-release; what is no version stays as it is.
 */
export function plainVersion(text: string): string {
  const numbers = /^\s*v?(\d+(?:\.\d+)+)/.exec(text)?.[1];
  return numbers === undefined ? text : `v${numbers}`;
}
