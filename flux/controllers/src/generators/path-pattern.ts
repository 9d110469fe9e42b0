/** `spec.pathPattern` of an ArtifactGenerator: each folder that matches gives the artifacts anew, with what was captured. */
import type { ArtifactGenerator, OutputArtifact } from '@capstan/flux-api';
import { labelKeyProblems, labelValueProblems, subdomainProblems } from '@capstan/kube-object';
import { type FileTree, joinPath } from '@capstan/lib-files';
import { CapstanError, messageOf } from '@capstan/lib-std';

/** An artifact to be made, and the labels that its captures give. */
export interface ArtifactRequest {
  readonly output: OutputArtifact;
  readonly labels: Readonly<Record<string, string>>;
}

type Captures = Readonly<Record<string, string>>;

const NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;

/** What is to be made of these sources. Throws PATH_PATTERN, which only a change of the object can help. */
export function artifactRequests(
  { spec }: ArtifactGenerator,
  sources: ReadonlyMap<string, FileTree>,
): readonly ArtifactRequest[] {
  const { pathPattern: whole = '', artifacts } = spec;
  if (whole === '') return artifacts.map((output) => ({ output, labels: {} }));
  const slash = whole.indexOf('/');
  if (slash < 0 || !whole.startsWith('@')) throw invalid(`invalid pathPattern format: ${whole}`);
  const alias = whole.slice(1, slash);
  const source = sources.get(alias);
  if (source === undefined) {
    throw invalid(
      `pathPattern ${JSON.stringify(whole)}: source alias ${alias} not found in local sources`,
    );
  }
  const fail = (what: string) => invalid(`pathPattern ${JSON.stringify(whole)}: ${what}`);
  const capture = compilePattern(whole.slice(slash + 1), fail);
  const seen = new Map<string, string>();
  return [...folders(source, '')].flatMap((path) => {
    const raw = capture(path);
    if (raw === undefined) return [];
    const labels = asLabels(raw, fail);
    return artifacts.map((output) => {
      const rendered = renderOutput(output, { raw, labels, path, fail });
      const before = seen.get(rendered.name);
      if (before !== undefined) {
        throw fail(
          `directories ${JSON.stringify(before)} and ${JSON.stringify(path)} both resolve to artifact name ${JSON.stringify(rendered.name)}`,
        );
      }
      seen.set(rendered.name, path);
      return { output: rendered, labels };
    });
  });
}

type Fail = (what: string) => CapstanError;

/** Folders in the order in which Go walks them. */
function* folders(tree: FileTree, folder: string): Generator<string> {
  for (const { name, kind } of tree.readDirectory(folder) ?? []) {
    if (kind !== 'directory') continue;
    const path = joinPath(folder, name);
    yield path;
    yield* folders(tree, path);
  }
}

/** `apps/{app}`: a capture is one whole or part of a name; all else stands for itself. */
function compilePattern(pattern: string, fail: Fail): (path: string) => Captures | undefined {
  const names: string[] = [];
  const source = mapPieces(pattern, {
    text: (text) => text.replaceAll(/[.*+?^${}()|[\]\\/-]/g, '\\$&'),
    capture: (name) => {
      if (names.includes(name)) throw fail(`duplicate capture variable ${JSON.stringify(name)}`);
      names.push(name);
      return '([^/]+)';
    },
    complain: {
      open: (at) => fail(`invalid capture starting at offset ${at}: missing closing brace`),
      close: (at) => fail(`invalid capture ending at offset ${at}: missing opening brace`),
      name: (name) => fail(nameProblem(name)),
    },
  });
  for (const name of names) {
    const problems = labelKeyProblems(name);
    if (problems.length > 0) {
      throw fail(
        `capture variable ${JSON.stringify(name)} is not a valid Kubernetes label key: ${problems.join('; ')}`,
      );
    }
  }
  const matcher = new RegExp(`^${source}$`, 's');
  return (path) => {
    const found = matcher.exec(path);
    if (found === null) return undefined;
    return Object.fromEntries(names.map((name, at) => [name, found[at + 1] ?? '']));
  };
}

function nameProblem(name: string): string {
  return name === ''
    ? 'empty capture variable'
    : `capture variable ${JSON.stringify(name)} must be a valid capture name matching [A-Za-z_][A-Za-z0-9_]*`;
}

interface Pieces {
  readonly text: (text: string) => string;
  readonly capture: (name: string) => string;
  readonly complain: {
    readonly open: (at: number) => CapstanError;
    readonly close: (at: number) => CapstanError;
    readonly name: (name: string) => CapstanError;
  };
}

function mapPieces(text: string, { text: onText, capture, complain }: Pieces): string {
  let made = '';
  for (let at = 0; at < text.length; ) {
    const brace = text.slice(at).search(/[{}]/);
    if (brace < 0) return made + onText(text.slice(at));
    const found = at + brace;
    made += onText(text.slice(at, found));
    if (text[found] === '}') throw complain.close(found);
    const end = text.indexOf('}', found);
    if (end < 0) throw complain.open(found);
    const name = text.slice(found + 1, end);
    if (!NAME.test(name)) throw complain.name(name);
    made += capture(name);
    at = end + 1;
  }
  return made;
}

function asLabels(raw: Captures, fail: Fail): Captures {
  const labels = Object.entries(raw).map(([name, value]) => [name, value.toLowerCase()] as const);
  for (const [name, value] of labels) {
    const problems = labelValueProblems(value);
    if (problems.length > 0) {
      throw fail(
        `captured value ${JSON.stringify(value)} for variable ${JSON.stringify(name)} is not a valid Kubernetes label value: ${problems.join('; ')}`,
      );
    }
  }
  return Object.fromEntries(labels);
}

/** Names are made of lower-cased captures, paths of what the folders are called. */
function renderOutput(
  output: OutputArtifact,
  of: {
    readonly raw: Captures;
    readonly labels: Captures;
    readonly path: string;
    readonly fail: Fail;
  },
): OutputArtifact {
  const { raw, labels, path, fail } = of;
  let rendered: OutputArtifact;
  try {
    rendered = {
      ...output,
      name: renderText(output.name, labels),
      copy: output.copy.map((operation) => ({
        ...operation,
        from: renderText(operation.from, raw),
        to: renderText(operation.to, raw),
      })),
    };
  } catch (error) {
    throw fail(`failed to render artifact ${output.name} for match ${path}: ${messageOf(error)}`);
  }
  const problems = subdomainProblems(rendered.name);
  if (problems.length === 0) return rendered;
  throw fail(
    `rendered artifact name ${JSON.stringify(rendered.name)} is not a valid Kubernetes object name: ${problems.join('; ')}`,
  );
}

function renderText(template: string, values: Captures): string {
  const fail = (what: string) => invalid(`invalid template ${JSON.stringify(template)}: ${what}`);
  return mapPieces(template, {
    text: (text) => text,
    capture: (name) => {
      const value = Object.hasOwn(values, name) ? values[name] : undefined;
      if (value !== undefined) return value;
      throw fail(`capture variable ${JSON.stringify(name)} is not defined by pathPattern`);
    },
    complain: {
      open: (at) => fail(`capture starting at offset ${at} is missing closing brace`),
      close: (at) => fail(`capture ending at offset ${at} is missing opening brace`),
      name: (name) => fail(nameProblem(name)),
    },
  });
}

function invalid(message: string): CapstanError {
  return new CapstanError('PATH_PATTERN', message, { kind: 'stalled' });
}
