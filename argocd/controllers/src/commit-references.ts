/** A commit of another repository that led to this one, e.g. of the code whose image is deployed. */
export interface RelatedCommit {
  readonly author?: string;
  readonly date?: string;
  readonly subject?: string;
  readonly body?: string;
  readonly sha?: string;
  readonly repoURL?: string;
}

export interface RevisionReference {
  readonly commit: RelatedCommit;
}

const TRAILER = /^Argocd-reference-commit-([a-z]+): (.*)$/;

/** How the value of a trailer is read; undefined when it is malformed: then the line stays in the message. */
const READERS: Readonly<
  Record<string, readonly [field: keyof RelatedCommit, read: (text: string) => string | undefined]>
> = {
  repourl: ['repoURL', (text) => text],
  author: ['author', readAddress],
  date: [
    'date',
    (text) => (RFC3339.test(text) && !Number.isNaN(Date.parse(text)) ? text : undefined),
  ],
  subject: ['subject', (text) => text],
  body: ['body', readJsonText],
  sha: ['sha', (text) => (/^[a-f0-9]{5,40}$/.test(text) ? text : undefined)],
};

const RFC3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)$/;

/**
 * The commit that the trailers `Argocd-reference-commit-*` of a message name, and the message without them (documentation:
 * "Source Hydrator", Commit Tracing).
 */
export function readReferences(message: string): {
  readonly body: string;
  readonly references: readonly RevisionReference[];
} {
  const kept: string[] = [];
  const commit: { -readonly [field in keyof RelatedCommit]: string } = {};
  for (const line of message.split('\n')) {
    const [, key = '', text = ''] = TRAILER.exec(line) ?? [];
    const reader = READERS[key];
    const value = reader?.[1](text);
    if (reader === undefined || value === undefined) kept.push(line);
    else commit[reader[0]] = value;
  }
  const references = Object.keys(commit).length === 0 ? [] : [{ commit }];
  return { body: kept.join('\n').trim(), references };
}

/** An address as Go prints it: the name in quotes. */
function readAddress(text: string): string | undefined {
  const found = /^(?:"?([^"<>]*?)"? *)<([^<>@\s]+@[^<>@\s]+)>$/.exec(text.trim());
  const [, name = '', address = ''] = found ?? [];
  if (found === null)
    return /^[^<>@\s]+@[^<>@\s]+$/.test(text.trim()) ? `<${text.trim()}>` : undefined;
  return name === '' ? `<${address}>` : `${JSON.stringify(name)} <${address}>`;
}

function readJsonText(text: string): string | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'string' ? value : undefined;
  } catch {
    return undefined;
  }
}
