import { BoundedCache } from '@capstan/lib-std';
import { builtinFunctions } from './builtins.ts';
import { compileTemplate } from './compile.ts';
import { Budget, type CompiledTemplate, Execution, Frame, type MissingKey } from './execution.ts';
import { DEFAULT_LIMITS, LimitError, type Limits } from './limits.ts';
import { parseText } from './parser.ts';
import { quote } from './quote.ts';
import type { FunctionTable, TableEntry } from './scope.ts';
import { normalizeText } from './text.ts';
import { type CallContext, GoError, type GoFunc, type GoValue } from './value.ts';

/**
 * What templates may call, and the parsed templates of these functions by name and content. A value its owner holds:
 * nothing is kept outside of it. Functions given here hide the language's own of the same name.
 */
export class TemplateLanguage {
  readonly functions: FunctionTable;
  readonly #cache: BoundedCache<string, readonly CompiledTemplate[]>;
  readonly #left: string;
  readonly #right: string;

  constructor(functions: Iterable<readonly [string, GoFunc]> = [], options: LanguageOptions = {}) {
    const table = new Map<string, TableEntry>();
    for (const [name, func] of builtinFunctions()) table.set(name, { func, isBuiltin: true });
    for (const [name, func] of functions) table.set(name, { func, isBuiltin: false });
    this.functions = table;
    this.#cache = new BoundedCache(options.cachedTextMax ?? 64 * 1024 * 1024, sizeOf);
    this.#left = options.left ?? '';
    this.#right = options.right ?? '';
  }

  /** The templates that a text defines, the text's own among them, compiled. Throws GoError with Go's message. */
  compile(name: string, text: string): readonly CompiledTemplate[] {
    const key = `${name}\0${text}`;
    const cached = this.#cache.get(key);
    if (cached !== undefined) return cached;
    const trees = parseText(name, text, {
      left: this.#left,
      right: this.#right,
      hasFunction: (wanted) => this.functions.has(wanted),
    });
    const compiled = Object.assign(
      trees.map((tree) => compileTemplate(tree, this.functions)),
      { textLength: text.length },
    );
    this.#cache.set(key, compiled);
    return compiled;
  }
}

export interface LanguageOptions {
  /** Bound on the sum of the lengths of the texts whose compiled form is kept. */
  readonly cachedTextMax?: number;
  /** Action delimiters other than {{ and }}. */
  readonly left?: string;
  readonly right?: string;
}

function sizeOf(compiled: readonly CompiledTemplate[]): number {
  const length = 'textLength' in compiled ? Number(compiled.textLength) : 0;
  return length + 256;
}

export interface ExecuteOptions {
  readonly limits?: Partial<Limits>;
  /** Milliseconds since the epoch. Without it the bound on time does not hold, and `now` is the epoch. */
  readonly now?: () => number;
  readonly missingKey?: MissingKey;
  /** Handed to functions as context.host. */
  readonly host?: unknown;
}

/** Templates that may call each other. */
export class TemplateSet {
  readonly language: TemplateLanguage;
  readonly #parent: TemplateSet | undefined;
  readonly #templates = new Map<string, CompiledTemplate>();

  constructor(language: TemplateLanguage, parent?: TemplateSet) {
    this.language = language;
    this.#parent = parent;
  }

  /**
   * Adds the text as a template of that name, with all it defines. A later definition replaces an earlier one, unless
   * the later one is empty. Throws GoError with Go's message for a text that does not parse.
   */
  parse(name: string, text: string): void {
    this.add(this.language.compile(name, text));
  }

  /** Adds what `language.compile` gave for a text: for callers that keep it themselves. */
  add(templates: readonly CompiledTemplate[]): void {
    for (const template of templates) {
      if (template.isEmpty && this.lookup(template.name) !== undefined) continue;
      this.#templates.set(template.name, template);
    }
  }

  lookup(name: string): CompiledTemplate | undefined {
    return this.#templates.get(name) ?? this.#parent?.lookup(name);
  }

  has(name: string): boolean {
    return this.lookup(name) !== undefined;
  }

  /** The names of all templates, those of the set it extends too. */
  names(): string[] {
    return [...new Set([...(this.#parent?.names() ?? []), ...this.#templates.keys()])];
  }

  /** A set that sees this one's templates; what is parsed into it, this one does not see. */
  extend(): TemplateSet {
    return new TemplateSet(this.language, this);
  }

  /**
   * Renders a template. Throws ExecError for what Go would report, with its text; LimitError when a bound is reached.
   */
  execute(name: string, data: GoValue, options: ExecuteOptions = {}): string {
    const budget = new Budget({ ...DEFAULT_LIMITS, ...options.limits }, options.now ?? (() => 0));
    const run = { budget, missingKey: options.missingKey ?? 'default', host: options.host };
    try {
      const template = this.lookup(name);
      return normalizeText(renderTemplate({ set: this, run, name, template }, data));
    } catch (error) {
      throw explained(error, name, budget);
    }
  }
}

interface Run {
  readonly budget: Budget;
  readonly missingKey: MissingKey;
  readonly host: unknown;
}

interface Rendering {
  readonly set: TemplateSet;
  readonly run: Run;
  readonly name: string;
  readonly template: CompiledTemplate | undefined;
}

function renderTemplate({ set, run, name, template }: Rendering, data: GoValue): string {
  if (template === undefined) {
    throw new GoError(`template: no template ${quote(name)} associated with template "gotpl"`);
  }
  const execution = newExecution(set, run);
  const { budget } = run;
  const { depth } = budget;
  if (depth >= budget.limits.depthMax) {
    throw new LimitError(
      `template: ${name}: exceeded maximum template depth (${budget.limits.depthMax})`,
    );
  }
  budget.step();
  budget.depth = depth + 1;
  // Data that is nil is an invalid value, not a nil interface{}.
  const dot = data === null ? undefined : data;
  template.walk(dot, new Frame(execution, template, dot));
  // Not restored after an error: that ends the run. Nothing here is caught, to keep the stack of a nested run small.
  budget.depth = depth;
  return execution.out;
}

function newExecution(set: TemplateSet, run: Run): Execution {
  return new Execution({
    missingKey: run.missingKey,
    lookup: (wanted) => set.lookup(wanted),
    context: () => callContext(set, run),
    budget: run.budget,
  });
}

/** The engine's own limits as ours: a full call stack is too deep a nesting, a refused size too long a text. */
function explained(error: unknown, name: string, budget: Budget): unknown {
  if (!(error instanceof RangeError)) return error;
  if (error.message.includes('call stack')) {
    return new LimitError(`template: ${name}: exceeded maximum template depth (${budget.depth})`);
  }
  return new LimitError(`template: ${name}: a value is too large (${error.message})`);
}

function callContext(set: TemplateSet, run: Run): CallContext {
  return {
    host: run.host,
    render: (name, data) => renderTemplate({ set, run, name, template: set.lookup(name) }, data),
    renderText: (name, text, data) => {
      const extended = set.extend();
      extended.parse(name, text);
      // The text itself, even when it is empty and so does not replace a definition of that name.
      const own = set.language.compile(name, text).find((template) => template.name === name);
      return renderTemplate(
        { set: extended, run, name, template: own ?? extended.lookup(name) },
        data,
      );
    },
    hasTemplate: (name) => set.has(name),
    now: run.budget.now,
    spend: (steps) => run.budget.step(steps),
  };
}

/** Parses and renders one text: for callers that have no set of templates. */
export function renderText(
  language: TemplateLanguage,
  name: string,
  text: string,
  data: GoValue,
  options?: ExecuteOptions,
): string {
  const set = new TemplateSet(language);
  set.parse(name, text);
  return set.execute(name, data, options);
}
