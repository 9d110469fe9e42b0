import { createReadStream } from 'node:fs';
import { Readable } from 'node:stream';
import type { ArtifactStorage } from './artifact-storage.ts';

/**
 * Answers GET and HEAD of artifacts below `prefix`, whole or by one byte range. Folders are not listed: who has an artifact's
 * URL may read it, as in Flux, but nobody learns which there are.
 */
export function serveArtifacts(
  storage: ArtifactStorage,
  { prefix }: { readonly prefix: string },
): (request: Request) => Promise<Response> {
  return async (request) => {
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      return new Response('GET and HEAD only\n', { status: 405, headers: { allow: 'GET, HEAD' } });
    }
    const { pathname } = new URL(request.url);
    const path = pathname.startsWith(prefix) ? pathname.slice(prefix.length) : undefined;
    const found = path === undefined ? undefined : await storage.find(decode(path));
    if (found === undefined) return new Response('404 page not found\n', { status: 404 });
    const modified = new Date(found.modifiedMs).toUTCString();
    if (isFresh(request.headers.get('if-modified-since'), modified)) {
      return new Response(null, { status: 304, headers: { 'last-modified': modified } });
    }
    const range = parseRange(request.headers.get('range'), found.size);
    if (range === 'unsatisfiable') {
      const headers = { 'content-range': `bytes */${found.size}` };
      return new Response('invalid range\n', { status: 416, headers });
    }
    const { start, end } = range ?? { start: 0, end: found.size - 1 };
    const headers = {
      'accept-ranges': 'bytes',
      'content-length': String(end - start + 1),
      'content-type': typeOf(found.file),
      'last-modified': modified,
      ...(range === undefined ? {} : { 'content-range': `bytes ${start}-${end}/${found.size}` }),
    };
    const status = range === undefined ? 200 : 206;
    if (request.method === 'HEAD' || end < start) return new Response(null, { status, headers });
    const body = Readable.toWeb(createReadStream(found.file, { start, end }));
    return new Response(body as ReadableStream<Uint8Array>, { status, headers });
  };
}

/** Whether what somebody holds since this time is what there is (RFC 9110, 13.1.3). */
function isFresh(since: string | null, modified: string): boolean {
  return since !== null && Date.parse(since) >= Date.parse(modified);
}

/** Archives, and the indexes of Helm repositories. */
function typeOf(file: string): string {
  return file.endsWith('.yaml') ? 'text/plain; charset=utf-8' : 'application/gzip';
}

function decode(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return '';
  }
}

/** `bytes=a-b`, `bytes=a-` or `bytes=-n`; anything else is as if it were not there (RFC 9110, 14.2). */
function parseRange(
  header: string | null,
  size: number,
): { readonly start: number; readonly end: number } | 'unsatisfiable' | undefined {
  const found = /^bytes=(\d*)-(\d*)$/.exec(header ?? '');
  if (found === null || (found[1] === '' && found[2] === '')) return undefined;
  if (found[1] === '') {
    const length = Math.min(Number(found[2]), size);
    return length === 0 ? 'unsatisfiable' : { start: size - length, end: size - 1 };
  }
  const start = Number(found[1]);
  const end = found[2] === '' ? size - 1 : Math.min(Number(found[2]), size - 1);
  return start >= size || end < start ? 'unsatisfiable' : { start, end };
}
