import type { Json } from '@capstan/kube-object';
import { isObject } from '../json.ts';

/**
 * The JSON paths that custom resource definitions use for columns, scale and selectable fields: `.spec.a`, `.items[0].b`,
 * `.m['a.b']`, `.conditions[?(@.type=="Ready")].status`. Gives the first match, undefined when there is none.
 */
export function simplePath(root: Json, path: string): Json | undefined {
  let at: Json | undefined = root;
  let rest = path.trim().replace(/^\$/, '');
  while (rest !== '' && at !== undefined) {
    const step = STEP.exec(rest);
    if (step === null) return undefined;
    rest = rest.slice(step[0].length);
    const { name, index, quoted, filter, operator, wanted } = step.groups ?? {};
    if (filter !== undefined) at = firstMatch(at, filter, operator ?? '==', wanted ?? '');
    else if (index !== undefined) at = item(at, index);
    else at = member(at, (name ?? quoted ?? '').replace(/\\(.)/g, '$1'));
  }
  return at;
}

const STEP =
  /^(?:\.(?<name>(?:[^.[\\]|\\.)+)|\[(?<index>-?\d+|\*)\]|\[['"](?<quoted>[^'"]*)['"]\]|\[\?\(@\.(?<filter>[^=!<>()]+?)\s*(?<operator>==|!=)\s*(?<wanted>"[^"]*"|'[^']*'|[^)]*)\)\])/;

function item(value: Json, index: string): Json | undefined {
  if (!Array.isArray(value)) return undefined;
  return value.at(index === '*' ? 0 : Number(index)) as Json | undefined;
}

function member(value: Json, name: string): Json | undefined {
  return isObject(value) && Object.hasOwn(value, name) ? value[name] : undefined;
}

function firstMatch(
  value: Json,
  field: string,
  operator: string,
  wanted: string,
): Json | undefined {
  if (!Array.isArray(value)) return undefined;
  const expected = wanted.trim().replace(/^["']|["']$/g, '');
  return value.find((entry: Json) => {
    const found = simplePath(entry, `.${field.trim()}`);
    return (String(found) === expected) === (operator === '==');
  }) as Json | undefined;
}
