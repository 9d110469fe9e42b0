import type { IncomingMessage } from 'node:http';
import { gitError } from './errors.ts';
import type { RemoteClient } from './remote-request.ts';

/**
 * Gives `git-upload-pack` one command in protocol version 2 (gitprotocol-v2): one request, no process. Undefined when the server
 * answers anything else, or more than `bytesMax`: git itself is asked then, which knows older protocols and says what is wrong.
 * Throws what may be otherwise a moment later.
 */
export async function askUploadPack(
  client: RemoteClient,
  { command, lines }: { readonly command: string; readonly lines: readonly string[] },
  bytesMax: number,
): Promise<Buffer | undefined> {
  const head = [`command=${command}\n`, 'agent=capstan\n'].map(packet).join('');
  const response = await client.send({
    method: 'POST',
    path: '/git-upload-pack',
    headers: {
      'Content-Type': 'application/x-git-upload-pack-request',
      Accept: 'application/x-git-upload-pack-result',
      'Git-Protocol': 'version=2',
    },
    body: Buffer.from(`${head}0001${lines.map(packet).join('')}0000`),
  });
  const type = response.headers['content-type'] ?? '';
  const { statusCode = 0 } = response;
  if (statusCode === 429 || statusCode >= 500) {
    response.destroy();
    throw gitError('GIT_HOST_UNREACHABLE', `the server answers ${statusCode}`);
  }
  if (statusCode !== 200 || type !== 'application/x-git-upload-pack-result') {
    response.destroy();
    return undefined;
  }
  return await readBody(response, bytesMax);
}

function packet(line: string): string {
  return (line.length + 4).toString(16).padStart(4, '0') + line;
}

/** Leaving the loop early destroys the answer. */
async function readBody(response: IncomingMessage, bytesMax: number): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > bytesMax) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
