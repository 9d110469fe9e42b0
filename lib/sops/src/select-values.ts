import { RE2JS } from 're2js';
import { sopsError } from './sops-error.ts';
import type { SelectionRules } from './sops-metadata.ts';

/** Comments that stand above a value, from the root down; of the innermost, the last is the nearest. */
export type CommentStack = readonly (readonly string[])[];

/** Says of a value (or comment) by its path whether it is encrypted, as `sops` decides. */
export type IsEncrypted = (
  path: readonly string[],
  comments: CommentStack,
  isComment: boolean,
) => boolean;

export function selectValues(rules: SelectionRules): IsEncrypted {
  const unencrypted = compile(rules.unencryptedRegex);
  const encrypted = compile(rules.encryptedRegex);
  const unencryptedComment = compile(rules.unencryptedCommentRegex);
  const encryptedComment = compile(rules.encryptedCommentRegex);
  const { unencryptedSuffix, encryptedSuffix } = rules;
  return (path, comments, isComment) => {
    let is = true;
    if (unencryptedSuffix !== '' && path.some((part) => part.endsWith(unencryptedSuffix)))
      is = false;
    if (encryptedSuffix !== '') is = path.some((part) => part.endsWith(encryptedSuffix));
    if (unencrypted !== undefined && path.some(unencrypted)) is = false;
    if (encrypted !== undefined) is = path.some(encrypted);
    if (
      unencryptedComment !== undefined &&
      comments.some((some) => some.some(unencryptedComment))
    ) {
      is = false;
    }
    if (encryptedComment !== undefined) {
      // The line that matches is itself left alone.
      const counted = isComment
        ? [...comments.slice(0, -1), (comments.at(-1) ?? []).slice(0, -1)]
        : comments;
      is = counted.some((some) => some.some(encryptedComment));
    }
    return is;
  };
}

function compile(pattern: string): ((text: string) => boolean) | undefined {
  if (pattern === '') return undefined;
  try {
    const compiled = RE2JS.compile(pattern);
    return (text) => compiled.matcher(text).find();
  } catch {
    throw sopsError('SOPS_METADATA', 'a regular expression of the sops metadata is not valid');
  }
}
