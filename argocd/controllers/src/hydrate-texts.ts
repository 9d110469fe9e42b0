import { renderText, sprigFunctions, TemplateLanguage } from '@capstan/lib-gotemplate';
import { CapstanError, messageOf } from '@capstan/lib-std';

/** What a hydrated commit says of the one that it was made from. */
export interface CommitMetadata {
  readonly repoURL: string;
  readonly drySha: string;
  readonly author?: string;
  readonly date?: string;
  readonly subject?: string;
  readonly body?: string;
}

/** The message of a hydrated commit: by the administrator's template, which sees `.metadata`, or as the original has it. */
export function commitMessage(template: string, metadata: CommitMetadata): string {
  if (template === '') return defaultMessage(metadata);
  const functions = sprigFunctions();
  for (const name of ['env', 'expandenv', 'getHostByName']) functions.delete(name);
  try {
    const language = new TemplateLanguage(functions);
    return renderText(language, 'commit-message', template, { metadata: { ...metadata } });
  } catch (error) {
    throw new CapstanError(
      'TEMPLATE_INVALID',
      `sourceHydrator.commitMessageTemplate: ${messageOf(error)}`,
      { hint: 'correct it in argocd-cm' },
    );
  }
}

function defaultMessage({ drySha, subject = '', body = '', author }: CommitMetadata): string {
  const parts = [
    `${drySha.slice(0, 7)}: ${subject}`,
    ...(body === '' ? [] : [body]),
    ...(author === undefined ? [] : [`Co-authored-by: ${author}`]),
  ];
  return parts.join('\n\n');
}

export function readmeText({
  repoURL,
  drySha,
}: Pick<CommitMetadata, 'repoURL' | 'drySha'>): string {
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
