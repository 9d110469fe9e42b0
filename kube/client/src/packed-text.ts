/**
 * JSON of an object, packed to take as little memory as may be while it is quick to read again. A string takes a byte for
 * each character, unless one is beyond Latin-1: then it would take two for each, and is held as bytes.
 */
export type PackedText = string | Uint8Array | Holed;

/** A text of which parts were taken out that others have too, each at its place in what is left. */
interface Holed {
  readonly body: string | Uint8Array;
  readonly holes: readonly Hole[];
}

interface Hole {
  readonly at: number;
  readonly shared: SharedText;
}

interface SharedText {
  readonly text: string;
  users: number;
}

/**
 * Packs texts that have long parts in common. Half of an object that is applied is its managedFields, of which the sets of
 * fields are the same for all objects of the same shape: they are held once, however many objects have them.
 */
export class TextPacker {
  readonly #shared = new Map<string, SharedText>();

  pack(text: string): PackedText {
    const holes: Hole[] = [];
    let rest = '';
    let from = 0;
    for (let at = text.indexOf(opening); at >= 0; at = text.indexOf(opening, from)) {
      const begin = at + opening.length - 1;
      const end = endOfObject(text, begin);
      rest += text.slice(from, begin);
      if (end - begin < sharedCharsMin) rest += text.slice(begin, end);
      else holes.push({ at: rest.length, shared: this.#share(text.slice(begin, end)) });
      from = end;
    }
    const body = bodyOf(rest + text.slice(from));
    // A copy of just the length: one that grew has room for more.
    return holes.length === 0 ? body : { body, holes: holes.slice() };
  }

  unpack(packed: PackedText): string {
    if (typeof packed === 'string') return packed;
    if (packed instanceof Uint8Array) return decoder.decode(packed);
    const rest = this.unpack(packed.body);
    let text = '';
    let from = 0;
    for (const { at, shared } of packed.holes) {
      text += rest.slice(from, at) + shared.text;
      from = at;
    }
    return text + rest.slice(from);
  }

  /** The text is held no more; whoever has it still may unpack it. */
  release(packed: PackedText): void {
    if (typeof packed === 'string' || packed instanceof Uint8Array) return;
    for (const { shared } of packed.holes) {
      shared.users--;
      if (shared.users === 0) this.#shared.delete(shared.text);
    }
  }

  #share(part: string): SharedText {
    const known = this.#shared.get(part);
    if (known !== undefined) {
      known.users++;
      return known;
    }
    const shared = { text: copyOf(part), users: 1 };
    this.#shared.set(shared.text, shared);
    return shared;
  }
}

/** Nothing but a key is written so: within a string the quotes would have backslashes. */
const opening = '"fieldsV1":{';
/** Below this a hole costs as much as it saves. */
const sharedCharsMin = 80;
const beyondLatin1 = /[^\0-\xff]/;
const encoder = new TextEncoder();
const decoder = new TextDecoder();

function bodyOf(text: string): string | Uint8Array {
  return beyondLatin1.test(text) ? encoder.encode(text) : copyOf(text);
}

/** A string of its own: a part of a longer one would keep all of that one in memory. */
function copyOf(text: string): string {
  if (beyondLatin1.test(text)) return Buffer.from(text).toString();
  if (text.length > scratch.length) return Buffer.from(text, 'latin1').toString('latin1');
  return scratch.toString('latin1', 0, scratch.write(text, 'latin1'));
}

/** Written over by each copy: pieces of Buffer's pool, made for every object that is read, would stay until old memory is searched. */
const scratch = Buffer.allocUnsafeSlow(64 * 1024);

/** The place behind the object that begins here, in JSON that is known to be sound. */
function endOfObject(text: string, begin: number): number {
  let depth = 0;
  for (let i = begin; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === quote) i = endOfString(text, i);
    else if (code === openBrace) depth++;
    else if (code === closeBrace && --depth === 0) return i + 1;
  }
  return text.length;
}

function endOfString(text: string, begin: number): number {
  let i = begin + 1;
  while (i < text.length && text.charCodeAt(i) !== quote) {
    i += text.charCodeAt(i) === backslash ? 2 : 1;
  }
  return i;
}

const quote = 0x22;
const openBrace = 0x7b;
const closeBrace = 0x7d;
const backslash = 0x5c;
