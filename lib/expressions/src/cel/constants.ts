import type { Expr } from './ast.ts';
import { ArrayList, type CelValue, EntryMap } from './values.ts';

const CONVERSIONS: ReadonlySet<string> = new Set(
  'bool bytes double duration dyn int string timestamp type uint'.split(' '),
);

export function isConversion(name: string): boolean {
  return CONVERSIONS.has(name);
}

/**
 * Lists and maps of literals, and conversions of such, which are made once and cost nothing; undefined: something else.
 * Throws what a conversion throws: such an expression cannot run.
 */
export function constantOf(
  expr: Expr,
  convert: (name: string, value: CelValue) => CelValue,
): CelValue | undefined {
  switch (expr.kind) {
    case 'literal':
      return expr.value;
    case 'list': {
      const items = expr.elements.map((element) => constantOf(element, convert));
      const isWhole = expr.optional.size === 0 && items.every((item) => item !== undefined);
      return isWhole ? new ArrayList(items) : undefined;
    }
    case 'map': {
      const entries: [CelValue, CelValue][] = [];
      for (const { key, value, optional } of expr.entries) {
        const [name, given] = [constantOf(key, convert), constantOf(value, convert)];
        if (name === undefined || given === undefined || optional) return undefined;
        entries.push([name, given]);
      }
      return new EntryMap(entries);
    }
    case 'call': {
      const [word] = expr.args;
      if (!CONVERSIONS.has(expr.name) || expr.target !== undefined) return undefined;
      if (word === undefined || expr.args.length > 1) return undefined;
      const value = constantOf(word, convert);
      return value === undefined ? undefined : convert(expr.name, value);
    }
    default:
      return undefined;
  }
}
