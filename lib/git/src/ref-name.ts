import { gitError } from './errors.ts';

/** Whether `text` may be a commit id: 4 to 40 (or 64) hexadecimal digits. */
export function isCommitPrefix(text: string): boolean {
  return /^[0-9a-fA-F]{4,64}$/.test(text);
}

/** A whole object id: SHA-1, or SHA-256 in repositories of that format. */
export function isObjectId(text: string): boolean {
  return /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/.test(text);
}

/** The rules of `git check-ref-format`, without asking git; one level (`main`) is allowed. */
export function isRefName(name: string): boolean {
  if (name === '' || name.length > 1024 || name === '@') return false;
  if (name.startsWith('-') || name.startsWith('/') || name.endsWith('/') || name.endsWith('.')) {
    return false;
  }
  if (/[\u0000-\u0020\u007f~^:?*[\\]/.test(name) || /\.\.|@\{|\/\//.test(name)) return false;
  return name.split('/').every((part) => !part.startsWith('.') && !part.endsWith('.lock'));
}

export function requireRefName(name: string, what: string): string {
  if (isRefName(name)) return name;
  throw gitError('GIT_REF_INVALID', `${JSON.stringify(name.slice(0, 200))} is no ${what} name`, {
    hint: 'see git help check-ref-format for what a name may hold',
  });
}
