import { readFile } from 'node:fs/promises';
import { extname, join } from 'node:path';

const TYPES: Readonly<Record<string, string>> = {
  '.css': 'text/css; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.ico': 'image/x-icon',
  '.js': 'text/javascript; charset=utf-8',
  '.json': 'application/json',
  '.png': 'image/png',
  '.svg': 'image/svg+xml',
  '.woff2': 'font/woff2',
};

/** The built page: files of `folder` by name; any other path gets index.html, whose router takes it from there. */
export function staticFiles(folder: string): (request: Request) => Promise<Response> {
  return async (request) => {
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      return new Response('GET only\n', { status: 405 });
    }
    const path = new URL(request.url).pathname;
    const isFile = /^\/(?:[\w-]+\/)*[\w-]+(?:\.[\w-]+)+$/.test(path);
    const found = isFile ? await read(join(folder, path)) : undefined;
    if (found !== undefined) {
      const isHashed = path.startsWith('/assets/');
      return answer(
        found,
        extname(path),
        isHashed ? 'public, max-age=31536000, immutable' : 'no-cache',
      );
    }
    if (isFile) return new Response('not found\n', { status: 404 });
    const index = await read(join(folder, 'index.html'));
    if (index !== undefined) return answer(index, '.html', 'no-cache');
    const text = 'The page is not built. Run: npm run build --workspace apps/ui\n';
    return new Response(text, { status: 503 });
  };
}

async function read(path: string): Promise<Buffer<ArrayBuffer> | undefined> {
  return await readFile(path).catch(() => undefined);
}

function answer(content: Buffer<ArrayBuffer>, extension: string, caching: string): Response {
  return new Response(content, {
    headers: {
      'Content-Type': TYPES[extension] ?? 'application/octet-stream',
      'Cache-Control': caching,
    },
  });
}
