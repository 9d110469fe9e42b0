/** What stands at a path in plain data: own members by name, elements by number; undefined where it leads nowhere. */
export function valueAt(value: unknown, ...path: readonly (string | number)[]): unknown {
  let found = value;
  for (const part of path) {
    if (typeof found !== 'object' || found === null) return undefined;
    if (Array.isArray(found)) found = typeof part === 'number' ? found[part] : undefined;
    else found = Object.hasOwn(found, part) ? Reflect.get(found, part) : undefined;
  }
  return found;
}
