const SUFFIX = 'bcdfghjklmnpqrstvwxz2456789';

/** Five characters without vowels, so that no word is made (k8s.io/apimachinery/pkg/util/rand). */
export function randomSuffix(random: () => number, length = 5): string {
  let text = '';
  for (let i = 0; i < length; i++) text += SUFFIX[Math.floor(random() * SUFFIX.length)];
  return text;
}

/** A name from `generateName`: cut so that it stays within 63 characters. */
export function generateName(base: string, random: () => number): string {
  return `${base.slice(0, 58)}${randomSuffix(random)}`;
}

/** The short, word-free form of a number that names use for hashes (SafeEncodeString). */
export function safeEncode(text: string): string {
  let out = '';
  for (const c of text) out += SUFFIX[c.charCodeAt(0) % SUFFIX.length];
  return out;
}
