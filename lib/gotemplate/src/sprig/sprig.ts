import { randomBytes as nodeRandomBytes } from 'node:crypto';
import type { GoFunc } from '../value.ts';
import { cryptoFunctions, type RandomBytes, randomIntFrom } from './crypto.ts';
import { dateFunctions } from './dates.ts';
import { defaultFunctions } from './defaults.ts';
import { type Functions, fixed, text } from './define.ts';
import { dictFunctions } from './dicts.ts';
import { encodingFunctions } from './encoding.ts';
import { jsonFunctions } from './json.ts';
import { listFunctions } from './lists.ts';
import { mathFunctions } from './math.ts';
import { pathFunctions } from './paths.ts';
import { regexFunctions } from './regex.ts';
import { stringFunctions } from './strings.ts';
import { urlFunctions } from './urls.ts';
import { versionFunctions } from './versions.ts';

export interface SprigOptions {
  /** Where randomness comes from; Node's own when absent. Private keys come from Node always. */
  readonly randomBytes?: RandomBytes;
  /** The zone that Go calls Local; UTC when absent. */
  readonly localZone?: string;
  /** Answers `env` and `expandenv`; without it a template does not have these functions. */
  readonly environment?: (name: string) => string | undefined;
  /** Answers `getHostByName`; without it every name is the empty string, as in Helm without --enable-dns. */
  readonly resolveHost?: (name: string) => string;
}

/** The functions of Sprig v3.3.0. Nothing here touches the network or the environment unless it is handed in. */
export function sprigFunctions(options: SprigOptions = {}): Map<string, GoFunc> {
  const randomBytes = options.randomBytes ?? nodeRandomBytes;
  const groups: readonly Functions[] = [
    stringFunctions(),
    listFunctions(),
    dictFunctions(),
    defaultFunctions(),
    mathFunctions(randomIntFrom(randomBytes)),
    pathFunctions(),
    encodingFunctions(),
    jsonFunctions(),
    dateFunctions(options.localZone ?? 'UTC'),
    regexFunctions(),
    urlFunctions(),
    versionFunctions(),
    cryptoFunctions(randomBytes),
    hostFunctions(options),
  ];
  return new Map(groups.flat());
}

function hostFunctions({ environment, resolveHost }: SprigOptions): Functions {
  const host = fixed([text], (name) => resolveHost?.(name) ?? '');
  if (environment === undefined) return [['getHostByName', host]];
  const read = (name: string): string => environment(name) ?? '';
  return [
    ['getHostByName', host],
    ['env', fixed([text], read)],
    ['expandenv', fixed([text], (str) => expandEnvironment(str, read))],
  ];
}

/** os.ExpandEnv: $name and ${name}. */
function expandEnvironment(str: string, read: (name: string) => string): string {
  const reference = /\$(?:\{([^}]*)\}|([A-Za-z_][A-Za-z0-9_]*|[*#$@!?\-0-9]))/g;
  return str.replace(reference, (_whole, braced?: string, bare?: string) =>
    read(braced ?? bare ?? ''),
  );
}
