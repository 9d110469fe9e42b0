import { readFileSync } from 'node:fs';
import { Agent, request as httpsRequest } from 'node:https';
import { createApiServer } from '@capstan/kube-apiserver';
import type { Send } from '@capstan/kube-apiserver/testing';

/** Our server, without a socket, as an administrator. */
export async function sendToOurs(): Promise<Send> {
  const server = await createApiServer({});
  return async (request) => {
    const response = await server.transport.request(request);
    const chunks: Uint8Array[] = [];
    for await (const chunk of response.body) chunks.push(chunk);
    return {
      status: response.status,
      headers: response.headers,
      text: Buffer.concat(chunks).toString(),
    };
  };
}

/** A real server, by address, bearer token and CA file. */
export function sendToReal(access: {
  readonly server: string;
  readonly token: string;
  readonly caFile: string;
}): Send {
  const agent = new Agent({ keepAlive: true, ca: readFileSync(access.caFile) });
  const send = (request: Parameters<Send>[0]): ReturnType<Send> =>
    new Promise((resolve, reject) => {
      // A path may hold spaces in its selectors.
      const url = `${access.server}${encodeURI(request.path).replaceAll('%25', '%')}`;
      const call = httpsRequest(
        url,
        {
          method: request.method,
          agent,
          headers: {
            ...request.headers,
            authorization: `Bearer ${access.token}`,
            // Node sends no length with the body of a DELETE by itself.
            ...(request.body === undefined
              ? {}
              : { 'content-length': String(Buffer.byteLength(request.body)) }),
          },
        },
        (response) => {
          const chunks: Buffer[] = [];
          response.on('data', (chunk: Buffer) => chunks.push(chunk));
          response.on('error', reject);
          response.on('end', () => {
            const headers = Object.fromEntries(
              Object.entries(response.headers).map(([name, value]) => [
                name,
                Array.isArray(value) ? value.join(', ') : String(value),
              ]),
            );
            resolve({
              status: response.statusCode ?? 0,
              headers,
              text: Buffer.concat(chunks).toString(),
            });
          });
        },
      );
      // The server may close a kept connection just when it is used again.
      call.on('error', (error) => (call.reusedSocket ? resolve(send(request)) : reject(error)));
      call.end(request.body);
    });
  return send;
}
