/** Names of certificates as notation compares them (RFC 4514; notation-go, internal/pkix). */

/** Attribute → value: `C` → `US`. */
export type Name = ReadonlyMap<string, string>;

const MANDATORY = ['C', 'ST', 'O'];

/** A name of `C=US, ST=WA, O=x`; or what is wrong with it, in the original's words. */
export function parseName(text: string): Name | string {
  const name = JSON.stringify(text);
  const it = `distinguished name (DN) ${name}`;
  if (text.includes('=#')) {
    return `unsupported ${it}: notation does not support x509.subject identities containing "=#"`;
  }
  const found = new Map<string, string>();
  for (const part of splitUnescaped(text, /[,;]/)) {
    if (splitUnescaped(part, /\+/).length > 1) {
      return `${it} has multi-valued RDN attributes, remove multi-valued RDN attributes as they are not supported`;
    }
    const equals = part.indexOf('=');
    if (equals < 0) {
      return `parsing ${it} failed with err: DN ended with incomplete type, value pair. A valid DN must contain 'C', 'ST' or 'S', and 'O' RDN attributes at a minimum, and follow RFC 4514 standard`;
    }
    const given = part.slice(0, equals).trim();
    const key = given === 'S' ? 'ST' : given;
    if (found.has(key)) {
      return `${it} has duplicate RDN attribute for "${key}", DN can only have unique RDN attributes`;
    }
    found.set(key, plainText(part.slice(equals + 1)));
  }
  const missing = MANDATORY.find((key) => !found.get(key));
  if (missing === undefined) return found;
  return `${it} has no mandatory RDN attribute for "${missing}", it must contain 'C', 'ST' or 'S', and 'O' RDN attributes at a minimum`;
}

/** Whether all that one name says, another says too. */
export function isSubset(name: Name, other: Name): boolean {
  return [...name].every(([key, value]) => other.get(key) === value);
}

function splitUnescaped(text: string, separator: RegExp): readonly string[] {
  const parts: string[] = [''];
  for (let at = 0; at < text.length; at++) {
    const char = text.charAt(at);
    if (char === '\\') {
      parts[parts.length - 1] += text.slice(at, at + 2);
      at++;
    } else if (separator.test(char)) parts.push('');
    else parts[parts.length - 1] += char;
  }
  return parts;
}

/** Without the spaces around; `\,` is a comma, `\2C` the byte of that number. */
function plainText(text: string): string {
  const trimmed = text.replace(/^ +/, '').replace(/(?<!\\) +$/, '');
  return trimmed.replaceAll(/\\([0-9a-fA-F]{2}(?:\\[0-9a-fA-F]{2})*|.)/g, (_, found: string) =>
    /^[0-9a-fA-F]{2}/.test(found)
      ? Buffer.from(found.replaceAll('\\', ''), 'hex').toString('utf8')
      : found,
  );
}
