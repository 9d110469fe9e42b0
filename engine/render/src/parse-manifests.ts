import type { Json, JsonObject, KubeObject } from '@capstan/kube-object';
import { CapstanError, type Diagnostic, messageOf } from '@capstan/lib-std';
import { parseDocuments, parseYaml } from '@capstan/lib-yaml';
import type { DesiredObject } from './desired-state.ts';
import { type FieldNames, fieldLine } from './field-sources.ts';

/** A file's objects in order, and what is wrong with the rest of it. */
export interface ParsedManifests {
  readonly objects: readonly DesiredObject[];
  readonly diagnostics: readonly Diagnostic[];
}

interface TextDocument {
  readonly text: string;
  /** Line of the file on which the text begins, from 1. */
  readonly line: number;
}

const DOCUMENTS_MAX = 20_000;
const LIST_DEPTH_MAX = 4;

/** Reads a YAML file of several documents, or a JSON file, into objects. Lists are unfolded; empty documents are skipped. */
export function parseManifests(text: string, file: string): ParsedManifests {
  const objects: DesiredObject[] = [];
  const diagnostics: Diagnostic[] = [];
  const documents = splitDocuments(text);
  if (documents.length > DOCUMENTS_MAX) {
    const message = `${documents.length} documents, at most ${DOCUMENTS_MAX} are read`;
    const hint = 'split the file';
    return {
      objects,
      diagnostics: [
        { severity: 'error', code: 'MANIFEST_LIMIT', message, hint, location: { file } },
      ],
    };
  }
  for (const document of documents) {
    const line = firstLine(document);
    try {
      const value = parseYaml(document.text);
      if (value !== null) addObjects(value, { file, line }, { objects, diagnostics }, 0);
    } catch (error) {
      diagnostics.push(toDiagnostic(error, document, file));
    }
  }
  return { objects, diagnostics };
}

/** The line of the text where a field of an object that was read from it stands. */
export function manifestLine(
  text: string,
  { object, origin }: DesiredObject,
  field: FieldNames,
): number {
  const start = origin?.line ?? 1;
  const document = splitDocuments(text).find((one) => firstLine(one) === start);
  const [node] = document === undefined ? [] : parseDocuments(document.text);
  if (document === undefined || node === undefined) return start;
  const inside = pathInList(parseYaml(document.text), object, 0) ?? [];
  return document.line + fieldLine(node, [...inside, ...field]) - 1;
}

/** Where an object stands within a document that may be a List. */
function pathInList(value: Json, object: KubeObject, depth: number): FieldNames | undefined {
  if (!isObject(value)) return undefined;
  const items = value['items'];
  if (value['kind'] === object.kind || !Array.isArray(items) || depth >= LIST_DEPTH_MAX) {
    const metadata = value['metadata'];
    const isIt =
      value['kind'] === object.kind &&
      isObject(metadata) &&
      metadata['name'] === object.metadata.name;
    return isIt ? [] : undefined;
  }
  for (const [i, item] of items.entries()) {
    const found = pathInList(item as Json, object, depth + 1);
    if (found !== undefined) return ['items', i, ...found];
  }
  return undefined;
}

/**
 * Splits at lines of `---`, which may be followed by a comment, as Kubernetes' own reader does: to it each line ends, also the
 * last one of a file that ends without a line break.
 */
export function splitDocuments(text: string): readonly TextDocument[] {
  const documents: TextDocument[] = [];
  const source = text.startsWith('\uFEFF') ? text.slice(1) : text;
  let start = 0;
  let startLine = 1;
  let line = 1;
  const push = (end: number) => {
    const part = source.slice(start, end);
    if (part.trim() === '') return;
    documents.push({ text: part.endsWith('\n') ? part : `${part}\n`, line: startLine });
  };
  for (let at = 0; at < source.length; line++) {
    const found = source.indexOf('\n', at);
    const next = found < 0 ? source.length : found + 1;
    if (source.startsWith('---', at) && /^---\s*(?:#.*)?$/.test(source.slice(at, next).trimEnd())) {
      push(at);
      start = next;
      startLine = line + 1;
    }
    at = next;
  }
  push(source.length);
  return documents;
}

/** Where the first thing that is no comment stands. */
function firstLine(document: TextDocument): number {
  let line = document.line;
  for (const text of document.text.split('\n', 200)) {
    if (text.trim() !== '' && !text.startsWith('#')) return line;
    line++;
  }
  return document.line;
}

function addObjects(
  value: Json,
  at: { readonly file: string; readonly line: number },
  into: { readonly objects: DesiredObject[]; readonly diagnostics: Diagnostic[] },
  depth: number,
): void {
  const problem = problemOf(value);
  if (problem !== undefined) {
    into.diagnostics.push({
      severity: 'error',
      code: 'MANIFEST_INVALID',
      message: problem.message,
      hint: problem.hint,
      location: at,
    });
    return;
  }
  const object = value as KubeObject;
  const items = object['items'];
  if (object.kind.endsWith('List') && Array.isArray(items) && depth < LIST_DEPTH_MAX) {
    for (const item of items) addObjects(item as Json, at, into, depth + 1);
    return;
  }
  // `items:` with nothing behind it is an empty list, unless the object says something by itself.
  if (items === null && object['spec'] === undefined && object['status'] === undefined) return;
  // What has no name is an object all the same: who is to apply it says so.
  into.objects.push({ object: { ...object, metadata: object.metadata ?? {} }, origin: at });
}

/** What keeps a value from being a Kubernetes object; undefined when nothing does. */
function problemOf(value: Json): { readonly message: string; readonly hint: string } | undefined {
  if (!isObject(value)) {
    return {
      message: `this document is ${describe(value)}, not a Kubernetes object`,
      hint: 'write apiVersion, kind and metadata, or remove the document',
    };
  }
  for (const field of ['apiVersion', 'kind'] as const) {
    const given = value[field];
    if (typeof given === 'string' && given !== '') continue;
    return {
      message: `this object has no ${field}`,
      hint: `set ${field}, or leave the file out of the folder`,
    };
  }
  const metadata = value['metadata'];
  if (metadata === undefined || metadata === null || isObject(metadata)) return undefined;
  return { message: `metadata is ${describe(metadata)}, not a mapping`, hint: 'indent its fields' };
}

function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function describe(value: Json): string {
  if (Array.isArray(value)) return 'a list';
  return typeof value === 'string' ? 'a text' : `a ${typeof value}`;
}

/** The reader's line counts within its document: the file's line is what a person looks for. */
function toDiagnostic(error: unknown, document: TextDocument, file: string): Diagnostic {
  const said = messageOf(error).replace(/^error converting YAML to JSON: /, '');
  const found = /^yaml: line (\d+): ([\s\S]*)$/.exec(said);
  // Go's parser (not its scanner) counts lines from 0.
  const offset = found?.[2]?.startsWith('did not find expected') === true ? 0 : 1;
  const line = found === null ? document.line : document.line + Number(found[1]) - offset;
  return {
    severity: 'error',
    code: error instanceof CapstanError ? error.code : 'MANIFEST_INVALID',
    message: `invalid YAML: ${found?.[2] ?? said.replace(/^yaml: /, '')}`,
    hint: 'correct the file at this line or near it',
    location: { file, line },
  };
}
