import type { HttpGet } from '@capstan/lib-oci';

/** One GET by Node's own client. Redirects are left to the caller, who knows where credentials may go. */
export const httpGet: HttpGet = async ({ url, headers, signal }) => {
  const response = await fetch(url, {
    headers,
    redirect: 'manual',
    ...(signal === undefined ? {} : { signal }),
  });
  return {
    status: response.status,
    header: (name) => response.headers.get(name) ?? undefined,
    body: response.body ?? noBody(),
  };
};

async function* noBody(): AsyncIterable<Uint8Array> {}
