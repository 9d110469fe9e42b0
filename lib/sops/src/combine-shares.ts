import { sopsError } from './sops-error.ts';

/**
 * The secret behind shares (Shamir's scheme over GF(2^8), in the form of HashiCorp Vault that SOPS uses: the last byte of a
 * share is its coordinate).
 */
export function combineShares(shares: readonly Uint8Array[]): Uint8Array {
  const length = shares[0]?.length ?? 0;
  const coordinates = shares.map((share) => share[share.length - 1] ?? 0);
  const isSound =
    shares.length >= 2 &&
    length >= 2 &&
    shares.every((share) => share.length === length) &&
    new Set(coordinates).size === shares.length;
  if (!isSound) throw sopsError('SOPS_DAMAGED', 'the parts of the data key do not fit together');
  const secret = new Uint8Array(length - 1);
  for (let at = 0; at < secret.length; at++) {
    secret[at] = interpolateAtZero(
      coordinates,
      shares.map((share) => share[at] ?? 0),
    );
  }
  return secret;
}

/** Lagrange's polynomial at 0; addition is XOR. */
function interpolateAtZero(xs: readonly number[], ys: readonly number[]): number {
  let result = 0;
  for (const [i, xi] of xs.entries()) {
    let basis = 1;
    for (const [j, xj] of xs.entries()) {
      if (i !== j) basis = multiply(basis, divide(xj, xi ^ xj));
    }
    result ^= multiply(ys[i] ?? 0, basis);
  }
  return result;
}

/** In the field of AES: modulo x^8 + x^4 + x^3 + x + 1. */
function multiply(a: number, b: number): number {
  let product = 0;
  for (let bit = 7; bit >= 0; bit--) {
    product = ((product << 1) ^ (product & 0x80 ? 0x11b : 0)) & 0xff;
    if ((b >> bit) & 1) product ^= a;
  }
  return product;
}

function divide(a: number, b: number): number {
  // b^254 is the inverse of b.
  let inverse = 1;
  for (let step = 0; step < 254; step++) inverse = multiply(inverse, b);
  return multiply(a, inverse);
}
