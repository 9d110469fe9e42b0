import { requestUriProblem } from '@capstan/kube-schema';
import {
  ArrayList,
  CelError,
  CelExtension,
  type CelFunction,
  type CelType,
  EntryMap,
  namedType,
  noSuchOverload,
  type CelRuntimeValue as Value,
} from '@capstan/lib-expressions';

const URL_TYPE = 'kubernetes.URL';

/** A URL as Go's net/url takes it apart. */
class UrlValue extends CelExtension {
  readonly type: CelType = namedType(URL_TYPE);
  readonly text: string;
  readonly scheme: string;
  readonly host: string;
  readonly path: string;
  readonly query: string;

  constructor(text: string) {
    super();
    this.text = text;
    const [, scheme = '', rest = text] = /^([a-zA-Z][a-zA-Z0-9+.-]*):(.*)$/s.exec(text) ?? [];
    this.scheme = scheme.toLowerCase();
    const [, body = '', query = ''] = /^([^?#]*)(?:\?([^#]*))?/.exec(rest) ?? [];
    const [, authority, path = body] = /^\/\/([^/]*)(.*)$/s.exec(body) ?? [];
    this.host = (authority ?? '').replace(/^.*@/, '');
    this.path = authority === undefined && scheme !== '' && !body.startsWith('/') ? '' : path;
    this.query = query;
  }

  equals(other: CelExtension): boolean {
    return other instanceof UrlValue && other.text === this.text;
  }
}

function urlOf(value: Value | undefined): UrlValue {
  if (value instanceof UrlValue) return value;
  throw noSuchOverload();
}

export function urlFunctions(): Record<string, CelFunction> {
  const getter = (id: string, get: (url: UrlValue) => string): CelFunction => ({
    overloads: [`url_get_${id}: ${URL_TYPE}.() -> string`],
    call: ([url]) => get(urlOf(url)),
  });
  return {
    url: {
      overloads: [`string_to_url: (string) -> ${URL_TYPE}`],
      call: ([text]) => {
        if (typeof text !== 'string') throw noSuchOverload();
        const why = requestUriProblem(text);
        if (why === undefined) return new UrlValue(text);
        throw new CelError(
          `URL parse error during conversion from string: parse ${JSON.stringify(text)}: ${why}`,
        );
      },
    },
    isURL: {
      overloads: ['is_url_string: (string) -> bool'],
      call: ([text]) => {
        if (typeof text !== 'string') throw noSuchOverload();
        return requestUriProblem(text) === undefined;
      },
    },
    getScheme: getter('scheme', ({ scheme }) => scheme),
    getHost: getter('host', ({ host }) => host),
    getHostname: getter('hostname', ({ host }) =>
      host.replace(/:\d*$/, '').replace(/^\[|\]$/g, ''),
    ),
    getPort: getter('port', ({ host }) => /:(\d*)$/.exec(host)?.[1] ?? ''),
    getEscapedPath: getter('escaped_path', ({ path }) =>
      path.replace(/[^\x21-\x7e]|["<>\\^`{|}]/gu, encodeURIComponent),
    ),
    getQuery: {
      overloads: [`url_get_query: ${URL_TYPE}.() -> map(string, list(string))`],
      call: ([url]) => queryOf(urlOf(url).query),
    },
  };
}

function queryOf(query: string): Value {
  const found = new Map<string, string[]>();
  for (const part of query.split('&')) {
    if (part === '' || part.includes(';')) continue;
    const [key = '', value = ''] = /^([^=]*)=?(.*)$/s.exec(part)?.slice(1) ?? [];
    const [name, text] = [decode(key), decode(value)];
    if (name === undefined || text === undefined) continue;
    found.set(name, [...(found.get(name) ?? []), text]);
  }
  return new EntryMap([...found].map(([key, values]) => [key, new ArrayList(values)]));
}

function decode(text: string): string | undefined {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    return undefined;
  }
}
