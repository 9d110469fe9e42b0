const NAME_MAX = 253;

/** `normalize`: a name fit for DNS: lower case, other characters than letters, digits, '-' and '.' become '-'. */
export function sanitizeName(name: string): string {
  const plain = [...name.toLowerCase()]
    .map((character) => (/[-a-z0-9.]/.test(character) ? character : '-'))
    .join('');
  return plain.slice(0, NAME_MAX).replace(/^[-.]+|[-.]+$/g, '');
}

/**
 * `slugify`: the sanitized name with everything but letters, digits, '-' and '_' made '-', at most `sizeMax` long. A smart
 * cut keeps whole words when at least one fits.
 */
export function slugifyName(name: string, sizeMax = 50, isSmart = true): string {
  const slug = sanitizeName(name)
    .replace(/[^a-z0-9\-_]/g, '-')
    .replace(/-+/g, '-')
    .replace(/^[-_]+|[-_]+$/g, '');
  if (sizeMax <= 0 || slug.length <= sizeMax) return slug;
  const cut = isSmart ? cutAtWord(slug, sizeMax) : slug.slice(0, sizeMax);
  return cut.replace(/[-_]+$/, '');
}

function cutAtWord(slug: string, sizeMax: number): string {
  let result = '';
  for (const word of slug.split('-')) {
    const longer = result === '' ? word : `${result}-${word}`;
    if (longer.length > sizeMax) break;
    result = longer;
  }
  return result === '' ? slug.slice(0, sizeMax) : result;
}
