import { type FileTree, resolveLinks, resolvePath } from '@capstan/lib-files';
import { CapstanError } from '@capstan/lib-std';
import { parseYaml } from '@capstan/lib-yaml';
import { Evaluator } from './evaluate.ts';
import { jsonnetError, limitError } from './jsonnet-error.ts';
import { type JsonValue, toJson } from './manifest.ts';
import { parseJsonnet } from './parse.ts';
import { fromJson, percent, standardLibrary } from './standard-library.ts';
import type { Place } from './syntax.ts';
import { isFunction, Scope, Thunk, type Value } from './values.ts';

/** A value from outside: a text as it stands, or a program. */
export interface ExternalValue {
  readonly name: string;
  readonly value: string;
  readonly isCode?: boolean;
}

export interface JsonnetOptions {
  /** Folders in which imports are looked for, after the importing file's own; the last one first. */
  readonly libraries?: readonly string[];
  readonly externals?: readonly ExternalValue[];
  /** Arguments of a program that is a function. */
  readonly topLevel?: readonly ExternalValue[];
  readonly stepsMax?: number;
}

const STEPS_MAX = 20_000_000;
const DEPTH_MAX = 6_000;

/**
 * The value of the program at `path`, as JSON. It reads nothing but the tree; imports do not lead out of it. Throws
 * JSONNET_FAILED with file and line, or JSONNET_LIMIT for a program that does too much.
 */
export function evaluateJsonnet(
  tree: FileTree,
  path: string,
  options: JsonnetOptions = {},
): JsonValue {
  try {
    return new Program(tree, options).run(path);
  } catch (error) {
    if (error instanceof RangeError) throw limitError('the program is nested too deeply');
    throw error;
  }
}

function folderOf(file: string): string {
  const slash = file.lastIndexOf('/');
  return slash < 0 ? '' : file.slice(0, slash);
}

class Program {
  readonly #tree: FileTree;
  readonly #options: JsonnetOptions;
  readonly #evaluator: Evaluator;
  readonly #loaded = new Map<string, Thunk>();
  readonly #externals: ReadonlyMap<string, Thunk>;

  constructor(tree: FileTree, options: JsonnetOptions) {
    this.#tree = tree;
    this.#options = options;
    this.#evaluator = new Evaluator(
      { load: (path, form, from) => this.#import(path, form, from) },
      { depthMax: DEPTH_MAX, stepsMax: options.stepsMax ?? STEPS_MAX },
    );
    this.#evaluator.percent = percent;
    this.#externals = new Map(
      (options.externals ?? []).map((one) => [one.name, this.#external(one, 'extvar')]),
    );
  }

  run(path: string): JsonValue {
    const value = this.#file(path).force();
    if (!isFunction(value)) return toJson(value);
    const given = new Map(
      (this.#options.topLevel ?? []).map((one) => [one.name, this.#external(one, 'top-level-arg')]),
    );
    const args = value.parameters.map((parameter) => {
      const found = given.get(parameter.name);
      if (found === undefined && !('fallback' in parameter))
        throw jsonnetError(`Missing argument: ${parameter.name}`, {
          file: path,
          line: 1,
          column: 1,
        });
      return found;
    });
    return toJson(value.call(args));
  }

  #external({ name, value, isCode }: ExternalValue, kind: string): Thunk {
    if (isCode !== true) return Thunk.of(value);
    return new Thunk(() => this.#evaluate(value, `<${kind}:${name}>`));
  }

  #evaluate(source: string, file: string): Value {
    const library = standardLibrary({
      evaluator: this.#evaluator,
      externals: this.#externals,
      parseYaml: (text) => parseYaml(text, { numbers: 'float64' }) as JsonValue,
      trace: () => undefined,
      file,
    });
    const scope = new Scope(new Map([['std', Thunk.of(library)]]));
    return this.#evaluator.evaluate(parseJsonnet(source, file), scope);
  }

  #file(path: string): Thunk {
    let thunk = this.#loaded.get(path);
    if (thunk === undefined) {
      thunk = new Thunk(() => this.#evaluate(this.#read(path), path));
      this.#loaded.set(path, thunk);
    }
    return thunk;
  }

  #read(path: string): string {
    return new TextDecoder().decode(this.#bytes(path));
  }

  #bytes(path: string): Uint8Array {
    const found = resolveLinks(this.#tree, path);
    const bytes = found.kind === 'found' ? this.#tree.readFile(found.path) : undefined;
    if (bytes !== undefined) return bytes;
    throw new CapstanError('JSONNET_FAILED', `${path}: the file does not exist`);
  }

  #import(path: string, form: 'code' | 'text' | 'bytes', from: Place): Value {
    const place = this.#locate(path, from);
    if (form === 'text') return this.#read(place);
    if (form === 'bytes') return [...this.#bytes(place)].map((byte) => Thunk.of(byte));
    if (place.endsWith('.json')) return fromJson(JSON.parse(this.#read(place)) as JsonValue);
    return this.#file(place).force();
  }

  /** Next to the importing file, then in the libraries. */
  #locate(path: string, from: Place): string {
    const folders = [folderOf(from.file), ...(this.#options.libraries ?? []).toReversed()];
    for (const folder of folders) {
      const place = resolvePath(path.startsWith('/') ? '' : folder, path.replace(/^\/+/, ''));
      if (place === undefined) continue;
      const found = resolveLinks(this.#tree, place);
      if (found.kind === 'found' && this.#tree.stat(found.path)?.kind === 'file') return found.path;
    }
    throw jsonnetError(
      `couldn't open import ${JSON.stringify(path)}: no match locally or in the Jsonnet library paths`,
      from,
    );
  }
}
