/**
 * Metadata of flat formats: `age__list_0__map_recipient` is `age[0].recipient` (`__map_` goes into a mapping, `__list_` into a
 * list).
 */
export function unflatten(entries: readonly (readonly [string, string])[]): unknown {
  const root = new Map<string, Flat>();
  for (const [name, value] of entries) {
    const parts = name.split(/__(?:map|list)_/);
    let at = root;
    for (const part of parts.slice(0, -1)) {
      const next = at.get(part);
      const inner = next instanceof Map ? next : new Map<string, Flat>();
      at.set(part, inner);
      at = inner;
    }
    at.set(parts.at(-1) ?? '', value);
  }
  return plain(root);
}

type Flat = string | Map<string, Flat>;

function plain(value: Flat): unknown {
  if (typeof value === 'string') return value;
  const keys = [...value.keys()];
  const isList = keys.length > 0 && keys.every((key) => /^\d{1,4}$/.test(key));
  if (!isList) return Object.fromEntries([...value].map(([key, inner]) => [key, plain(inner)]));
  return keys
    .map(Number)
    .sort((a, b) => a - b)
    .map((key) => plain(value.get(String(key)) ?? ''));
}
