import { type FieldQuestion, type FieldSource, findField } from '@capstan/engine-render';
import type { LineAuthor, SourceSpec } from '@capstan/engine-source';
import type { Json, KubeObject } from '@capstan/kube-object';
import { loadDesired } from './load-desired.ts';
import type { DeliveryPorts, SignalOptions } from './ports.ts';
import { withReferences } from './refer-sources.ts';
import type { Delivery, DeliverySource, InlineFields, SourceRevision } from './types.ts';

/** A line behind a field, and who wrote it. */
export interface TracedLine extends FieldSource {
  readonly source: SourceSpec;
  readonly revision: SourceRevision;
  /** Absent where no history tells. */
  readonly author?: LineAuthor;
}

export interface FieldTrace {
  /** The object as it is wanted. */
  readonly desired: KubeObject;
  /** Empty where no source speaks of the field. */
  readonly lines: readonly TracedLine[];
}

/** Which lines of which files made a field of an object, and who wrote them; undefined when the delivery does not speak of the object. */
export async function traceField(
  delivery: Delivery,
  question: FieldQuestion,
  { ports, signal }: { readonly ports: DeliveryPorts } & SignalOptions,
): Promise<FieldTrace | undefined> {
  const options = { signal, maxAgeMs: Number.POSITIVE_INFINITY };
  const { prepared } = await loadDesired(delivery, ports, options);
  const objects = [...(prepared?.objects ?? []), ...(prepared?.hooks ?? [])];
  const desired = objects.map(({ object }) => object).find((one) => isAsked(one, question));
  if (desired === undefined) return undefined;
  if (findField(desired as Json, question.field).kind === 'missing') return { desired, lines: [] };
  const { sources } = delivery;
  const fetch = (at: number) => ports.sources.fetchSnapshot(sources[at]!.source, options);
  const traced = sources.map(async (source, index): Promise<readonly TracedLine[]> => {
    if (source.render === undefined) return [];
    const snapshot = await fetch(index);
    const whole = await withReferences(snapshot, source.render, { sources, fetch });
    const rendered = await ports.render(whole, source.render, { signal, question });
    const lines = rendered.sources ?? [];
    return await Promise.all(
      lines.map(async (line) => {
        const told = withOwnField(line, source.inline);
        const place = await placeOf(told, { source, revision: snapshot.revision }, sources, fetch);
        return await withAuthor(place, ports.sources);
      }),
    );
  });
  return { desired, lines: (await Promise.all(traced)).flat() };
}

function isAsked({ kind, metadata }: KubeObject, { name, namespace, ...asked }: FieldQuestion) {
  const isPlaced =
    namespace === undefined || metadata.namespace === undefined || metadata.namespace === namespace;
  return kind === asked.kind && metadata.name === name && isPlaced;
}

/** A file of another source is told by that source. */
async function placeOf(
  line: FieldSource,
  own: { readonly source: DeliverySource; readonly revision: SourceRevision },
  sources: readonly DeliverySource[],
  fetch: (index: number) => Promise<{ readonly revision: SourceRevision }>,
): Promise<TracedLine> {
  const reference = /^\$([^/]+)\/(.*)$/s.exec(line.file ?? '');
  const index = reference === null ? -1 : sources.findIndex(({ ref }) => ref === reference[1]);
  const other = sources[index];
  if (reference === null || other === undefined)
    return { ...line, source: own.source.source, revision: own.revision };
  const { revision } = await fetch(index);
  return { ...line, file: reference[2] ?? '', source: other.source, revision };
}

/** The same line with the field of the delivery's own resource in which it stands. */
function withOwnField(line: FieldSource, inline: InlineFields = {}): FieldSource {
  const { values, parameters } = inline;
  if (line.inline?.kind === 'values' && values !== undefined) {
    return values.isText
      ? { ...line, own: values.field, ownLine: line.inline.line }
      : { ...line, own: `${values.field}.${line.inline.path}` };
  }
  if (line.inline?.kind !== 'parameter' || parameters === undefined) return line;
  // The last one wins, as for helm.
  const at = parameters.names.lastIndexOf(line.inline.path);
  return at < 0 ? line : { ...line, own: `${parameters.field}[${at}].value` };
}

/** The same line with who wrote it, as far as the repository's history is at hand. */
export async function withAuthor(
  traced: TracedLine,
  sources: DeliveryPorts['sources'],
): Promise<TracedLine> {
  const { file, line, source, revision } = traced;
  if (file === undefined || line === undefined) return traced;
  const author = await sources.describeLine(source.url, revision.id, { file, line });
  return author === undefined ? traced : { ...traced, author };
}
