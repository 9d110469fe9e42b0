const LENGTH_MAX = 50;
const WORDS: Readonly<Record<string, string>> = { '&': 'and', '@': 'at' };
const LATIN: Readonly<Record<string, string>> = {
  ß: 'ss',
  æ: 'ae',
  Æ: 'AE',
  œ: 'oe',
  Œ: 'OE',
  ø: 'o',
  Ø: 'O',
  đ: 'd',
  Đ: 'D',
  ð: 'd',
  þ: 'th',
  ł: 'l',
  Ł: 'L',
  ı: 'i',
};

/**
 * A text as part of a DNS name, as Argo CD makes `branch_slug`: letters without accents, everything else than letters and
 * digits one dash, whole words up to 50 characters.
 */
export function slugOf(text: string): string {
  const plain = text
    .trim()
    .replaceAll('_', '-')
    .replace(/[&@]/g, (sign) => WORDS[sign] ?? sign)
    .replace(/["'’]/g, '')
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .replace(/[^\p{ASCII}]/gu, (letter) => LATIN[letter] ?? '')
    .toLowerCase();
  const slug = plain
    .replace(/[^a-z0-9-]/g, '-')
    .replace(/-+/g, '-')
    .replace(/^-+|-+$/g, '');
  if (slug.length <= LENGTH_MAX) return slug;
  const dash = slug.lastIndexOf('-', LENGTH_MAX);
  return slug.slice(0, dash < 0 ? LENGTH_MAX : dash);
}
