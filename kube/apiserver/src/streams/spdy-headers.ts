import { constants, createDeflate, createInflate, type Deflate, type Inflate } from 'node:zlib';

/**
 * The dictionary of SPDY/3 (draft-mbelshe-httpbis-spdy-00, 2.6.10.1): words behind their lengths in four bytes, then
 * fragments of common values.
 */
const WORDS =
  'options head post put delete trace accept accept-charset accept-encoding accept-language accept-ranges age allow ' +
  'authorization cache-control connection content-base content-encoding content-language content-length ' +
  'content-location content-md5 content-range content-type date etag expect expires from host if-match ' +
  'if-modified-since if-none-match if-range if-unmodified-since last-modified location max-forwards pragma ' +
  'proxy-authenticate proxy-authorization range referer retry-after server te trailer transfer-encoding upgrade ' +
  'user-agent vary via warning www-authenticate method get status 200_OK version HTTP/1.1 url public set-cookie ' +
  'keep-alive origin';
const FRAGMENTS =
  '100101201202205206300302303304305306307402405406407408409410411412413414415416417502504505' +
  '203 Non-Authoritative Information204 No Content301 Moved Permanently400 Bad Request401 Unauthorized403 Forbidden' +
  '404 Not Found500 Internal Server Error501 Not Implemented503 Service Unavailable' +
  'Jan Feb Mar Apr May Jun Jul Aug Sept Oct Nov Dec 00:00:00 Mon, Tue, Wed, Thu, Fri, Sat, Sun, GMT' +
  'chunked,text/html,image/png,image/jpg,image/gif,application/xml,application/xhtml+xml,text/plain,text/javascript,' +
  'publicprivatemax-age=gzip,deflate,sdchcharset=utf-8charset=iso-8859-1,utf-,*,enq=0.';

function dictionary(): Buffer {
  const words = WORDS.split(' ').map((word) => lengthBefore(Buffer.from(word.replace('_', ' '))));
  return Buffer.concat([...words, Buffer.from(FRAGMENTS)]);
}

function lengthBefore(bytes: Buffer): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
}

const HEADERS_BYTES_MAX = 64 * 1024;

/** The header blocks of one connection: each direction is one compressed stream for as long as it lives. */
export class HeaderBlocks {
  readonly #inflate: Inflate = createInflate({ dictionary: dictionary() });
  readonly #deflate: Deflate = createDeflate({ dictionary: dictionary() });
  #inflated: Buffer[] = [];
  #deflated: Buffer[] = [];

  constructor() {
    this.#inflate.on('data', (chunk: Buffer) => this.#inflated.push(chunk));
    this.#deflate.on('data', (chunk: Buffer) => this.#deflated.push(chunk));
  }

  /** Names in lower case. Blocks must be read one after the other, in their order. */
  async read(block: Uint8Array): Promise<ReadonlyMap<string, string>> {
    await new Promise<void>((resolve, reject) => {
      this.#inflate.once('error', reject);
      this.#inflate.write(block, () => {
        this.#inflate.off('error', reject);
        resolve();
      });
    });
    const bytes = Buffer.concat(this.#inflated);
    this.#inflated = [];
    if (bytes.length > HEADERS_BYTES_MAX) throw new RangeError('the headers are too long');
    return parsePairs(bytes);
  }

  /** A block without headers: all that an answer to a stream needs. */
  async empty(): Promise<Uint8Array> {
    this.#deflate.write(Buffer.alloc(4));
    await new Promise<void>((resolve) => {
      this.#deflate.flush(constants.Z_SYNC_FLUSH, () => resolve());
    });
    const block = Buffer.concat(this.#deflated);
    this.#deflated = [];
    return block;
  }

  close(): void {
    this.#inflate.destroy();
    this.#deflate.destroy();
  }
}

function parsePairs(bytes: Buffer): ReadonlyMap<string, string> {
  const pairs = new Map<string, string>();
  let at = 4;
  const text = (): string => {
    const start = at + 4;
    at = start + bytes.readUInt32BE(at);
    if (at > bytes.length) throw new RangeError('the headers are cut off');
    return bytes.toString('utf8', start, at);
  };
  for (let left = bytes.readUInt32BE(0); left > 0; left--) pairs.set(text().toLowerCase(), text());
  return pairs;
}
