import {
  ANY,
  type Functions,
  fixed,
  GoError,
  GoFunc,
  GoInt,
  GoMap,
  GoScalar,
  type GoValue,
  isPlainDict,
  LimitError,
  STRING,
  sprigFunctions,
  TemplateLanguage,
  text,
} from '@capstan/lib-gotemplate';
import { messageOf } from '@capstan/lib-std';
import { parseYaml, toYaml } from '@capstan/lib-yaml';
import { cannotUnmarshal } from './json.ts';
import { sanitizeName, slugifyName } from './names.ts';

/**
 * What templates of ApplicationSets may call (documentation: "Go Template"): Sprig without the functions that tell of the
 * machine, and Argo CD's own.
 */
export function applicationSetLanguage(): TemplateLanguage {
  const functions = sprigFunctions();
  functions.delete('getHostByName');
  for (const [name, func] of ownFunctions()) functions.set(name, func);
  return new TemplateLanguage(functions, { cachedTextMax: 8 * 1024 * 1024 });
}

/** So deep may templates call themselves, as in the original. */
const TPL_DEPTH_MAX = 3;

function ownFunctions(): Functions {
  let depth = 0;
  return [
    ['normalize', fixed([text], sanitizeName)],
    ['slugify', new GoFunc({ params: [], rest: ANY }, (_context, args) => slugify(args))],
    ['toYaml', new GoFunc({ params: [ANY] }, (_context, [value]) => yamlText(value))],
    ['fromYaml', fixed([text], (source) => readYaml(source, 'map'))],
    [
      'tpl',
      new GoFunc({ params: [STRING, ANY] }, (context, [source, data]) => {
        const text = String(source);
        if (depth >= TPL_DEPTH_MAX)
          throw new GoError(`maximum recursion depth ${TPL_DEPTH_MAX} exceeded in tpl function`);
        depth++;
        try {
          return context.renderText('base', text, data ?? null).replaceAll('<no value>', '');
        } catch (error) {
          if (error instanceof LimitError) throw error;
          throw new GoError(
            `error during tpl function execution for ${JSON.stringify(text)}: ${messageOf(error)}`,
          );
        } finally {
          depth--;
        }
      }),
    ],
    ['fromYamlArray', fixed([text], (source) => readYaml(source, 'list'))],
  ];
}

/** slugify [sizeMax [isSmart]] name */
function slugify(args: readonly GoValue[]): string {
  const name = args.at(-1) ?? '';
  const [size, smart] = args
    .slice(0, -1)
    .map((value) => (value instanceof GoInt ? Number(value.value) : value));
  if (typeof name !== 'string') throw new GoError('slugify: the last argument must be a string');
  if (size !== undefined && typeof size !== 'number')
    throw new GoError('slugify: the size must be an integer');
  if (smart !== undefined && typeof smart !== 'boolean')
    throw new GoError('slugify: smart truncation must be true or false');
  return slugifyName(name, size, smart);
}

function yamlText(value: GoValue): string {
  return toYaml(plain(value)).replace(/\n$/, '');
}

function readYaml(source: string, kind: 'map' | 'list'): GoValue {
  let value: ReturnType<typeof parseYaml>;
  try {
    value = parseYaml(source, { numbers: 'float64' });
  } catch (error) {
    throw new GoError(messageOf(error));
  }
  if (value === null) return kind === 'map' ? {} : [];
  if (typeof value !== 'object' || Array.isArray(value) !== (kind === 'list')) {
    throw new GoError(
      cannotUnmarshal(value, kind === 'map' ? 'map[string]interface {}' : '[]interface {}'),
    );
  }
  return value as GoValue;
}

type Plain = null | boolean | number | bigint | string | Plain[] | { [key: string]: Plain };

/** A template's value as JSON; what JSON cannot hold becomes null. */
export function plain(value: GoValue): Plain {
  if (value === undefined || value === null) return null;
  if (typeof value !== 'object') return value;
  if (Array.isArray(value)) return value.map(plain);
  if (value instanceof GoInt || value instanceof GoScalar) return value.value;
  const data = value instanceof GoMap ? value.data : value;
  if (!(data instanceof Map) && !isPlainDict(data)) return null;
  const entries = data instanceof Map ? [...data] : Object.entries(data);
  return Object.fromEntries(entries.map(([key, item]) => [key, plain(item)]));
}
