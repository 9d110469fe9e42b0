import { isPrintable } from './quote.ts';
import { toBytes } from './text.ts';

const HTML: Readonly<Record<string, string>> = {
  '\0': '\ufffd',
  '"': '&#34;',
  "'": '&#39;',
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
};

/** text/template.HTMLEscapeString */
export function escapeHtml(text: string): string {
  return text.replace(/[\0"'&<>]/g, (char) => HTML[char] ?? char);
}

const SCRIPT: Readonly<Record<string, string>> = {
  '\\': '\\\\',
  "'": "\\'",
  '"': '\\"',
  '<': '\\u003C',
  '>': '\\u003E',
  '&': '\\u0026',
  '=': '\\u003D',
};

/** text/template.JSEscapeString */
export function escapeScript(text: string): string {
  let out = '';
  for (const char of text) {
    const code = char.codePointAt(0) ?? 0;
    const special = SCRIPT[char];
    if (special !== undefined) out += special;
    else if (code < 0x20) out += `\\u00${upperHex(code, 2)}`;
    else if (code < 0x80 || isPrintable(code)) out += char;
    else out += `\\u${upperHex(code >= 0xd800 && code < 0xe000 ? 0xfffd : code, 4)}`;
  }
  return out;
}

function upperHex(code: number, width: number): string {
  return code.toString(16).toUpperCase().padStart(width, '0');
}

const UNRESERVED = /[A-Za-z0-9\-_.~]/;

/** net/url.QueryEscape */
export function escapeQuery(text: string): string {
  let out = '';
  for (const byte of toBytes(text)) {
    const char = String.fromCharCode(byte);
    if (byte < 0x80 && UNRESERVED.test(char)) out += char;
    else out += char === ' ' ? '+' : `%${upperHex(byte, 2)}`;
  }
  return out;
}
