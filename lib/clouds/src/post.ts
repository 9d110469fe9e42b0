import { createHttpGet, type HttpGetOptions } from '@capstan/lib-oci';
import { CapstanError } from '@capstan/lib-std';

const ANSWER_BYTES_MAX = 1024 * 1024;
const TIMEOUT_MS = 15_000;

export interface PostOptions extends HttpGetOptions {
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

/**
 * Asks one question, a form or JSON, of one address. A redirect is an answer like any other: what is sent holds credentials.
 */
export async function post(
  url: string,
  body: URLSearchParams | object,
  options: PostOptions,
): Promise<Answer> {
  const isForm = body instanceof URLSearchParams;
  const type = isForm ? 'application/x-www-form-urlencoded' : 'application/json';
  const text = isForm ? body.toString() : JSON.stringify(body);
  const headers = { 'content-type': type, ...options.headers };
  return await send({ method: 'POST', url, body: text }, { ...options, headers });
}

export interface Answer {
  readonly status: number;
  readonly text: string;
}

/** As `post`, whatever the method. */
export async function send(
  question: { readonly method: 'GET' | 'POST'; readonly url: string; readonly body?: string },
  { headers = {}, signal, ...options }: PostOptions,
): Promise<Answer> {
  const client = createHttpGet({ timeoutMs: TIMEOUT_MS, ...options });
  try {
    const answer = await client.get({
      ...question,
      headers,
      ...(signal === undefined ? {} : { signal }),
    });
    const chunks: Uint8Array[] = [];
    let size = 0;
    for await (const chunk of answer.body) {
      size += chunk.length;
      if (size > ANSWER_BYTES_MAX) {
        throw new CapstanError(
          'HTTP_TOO_LARGE',
          `${question.url} sends more than ${ANSWER_BYTES_MAX} bytes`,
        );
      }
      chunks.push(chunk);
    }
    return { status: answer.status, text: Buffer.concat(chunks).toString('utf8') };
  } finally {
    await client.close();
  }
}
