import {
  type GoValue,
  renderText,
  sprigFunctions,
  TemplateLanguage,
} from '@capstan/lib-gotemplate';
import { CapstanError, messageOf } from '@capstan/lib-std';
import type { RevisionReference } from './commit-references.ts';

/** What a hydrated commit says of the one that it was made from. */
export interface CommitMetadata {
  readonly repoURL: string;
  readonly drySha: string;
  readonly author?: string;
  readonly date?: string;
  readonly subject?: string;
  readonly body?: string;
  readonly references?: readonly RevisionReference[];
}

/** The message of a hydrated commit: by the administrator's template, which sees `.metadata`, or as the original has it. */
export function commitMessage(template: string, metadata: CommitMetadata): string {
  if (template === '') return defaultMessage(metadata);
  return render('sourceHydrator.commitMessageTemplate', template, { metadata });
}

function render(setting: string, template: string, data: object): string {
  const functions = sprigFunctions();
  for (const name of ['env', 'expandenv', 'getHostByName']) functions.delete(name);
  try {
    const value = JSON.parse(JSON.stringify(data)) as GoValue;
    return renderText(new TemplateLanguage(functions), 'hydrator', template, value);
  } catch (error) {
    throw new CapstanError('TEMPLATE_INVALID', `${setting}: ${messageOf(error)}`, {
      hint: 'correct it in argocd-cm',
    });
  }
}

/** What hydrator.metadata says: of a whole commit, or of one folder of it. */
export function metadataText(metadata: CommitMetadata): string {
  return `${JSON.stringify(metadata, undefined, 2)}\n`;
}

function defaultMessage(metadata: CommitMetadata): string {
  const { drySha, subject = '', body = '', author, references = [] } = metadata;
  const authors = [...references.map(({ commit }) => commit.author), author];
  const trailers = authors.flatMap((one) => (one === undefined ? [] : [`Co-authored-by: ${one}`]));
  const parts = [
    `${drySha.slice(0, 7)}: ${subject}`,
    ...(body === '' ? [] : [body]),
    ...(trailers.length === 0 ? [] : [trailers.join('\n')]),
  ];
  return `${parts.join('\n\n')}\n`;
}

/** By the administrator's template, which sees the fields under the names that Go gives them. */
export function readmeText(
  template: string,
  { repoURL, drySha }: Pick<CommitMetadata, 'repoURL' | 'drySha'>,
): string {
  if (template !== '') {
    const data = { RepoURL: repoURL, DrySHA: drySha, Commands: [], References: [] };
    const texts = { Author: '', Date: '', Subject: '', Body: '' };
    return render('sourceHydrator.readmeMessageTemplate', template, { ...data, ...texts });
  }
  return `# Rendered manifests

These manifests were rendered from commit \`${drySha}\` of ${repoURL}. Change them there: what is changed here is overwritten.

To see what they were made from:

\`\`\`shell
git clone ${repoURL}
cd "$(basename ${repoURL} .git)"
git checkout ${drySha}
\`\`\`
`;
}
