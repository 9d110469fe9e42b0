/** Trust policies of notation: which signatures count for which repositories (Notary Project, trust store and trust policy). */
import { CapstanError } from '@capstan/lib-std';
import { isSubset, type Name, parseName } from './distinguished-name.ts';

export type Check = 'authenticity' | 'authenticTimestamp' | 'expiry' | 'revocation';
export type Enforcement = 'enforce' | 'log' | 'skip';

export interface TrustStatement {
  readonly name: string;
  readonly isSkipped: boolean;
  readonly checks: Readonly<Record<Check, Enforcement>>;
  /** Types of the trust stores that are named: `ca`, `signingAuthority`, `tsa`. */
  readonly stores: readonly string[];
  /** Whose signatures count; `*`: everybody's whom the stores vouch for. */
  readonly identities: readonly Name[] | '*';
  /** A countersignature is looked at only where a certificate has expired. */
  readonly isTimestampForExpired: boolean;
}

const LEVELS: Readonly<Record<string, Readonly<Record<Check, Enforcement>>>> = {
  strict: levels('enforce', 'enforce', 'enforce', 'enforce'),
  permissive: levels('enforce', 'log', 'log', 'log'),
  audit: levels('log', 'log', 'log', 'log'),
  skip: levels('skip', 'skip', 'skip', 'skip'),
};

function levels(
  authenticity: Enforcement,
  authenticTimestamp: Enforcement,
  expiry: Enforcement,
  revocation: Enforcement,
): Readonly<Record<Check, Enforcement>> {
  return { authenticity, authenticTimestamp, expiry, revocation };
}

const TYPES = ['integrity', 'authenticity', 'authenticTimestamp', 'expiry', 'revocation'];
const ACTIONS = ['enforce', 'log', 'skip'];
const STORES = ['ca', 'signingAuthority', 'tsa'];
const TIMES = ['always', 'afterCertExpiry'];
const SUBJECT = 'x509.subject';

/**
 * The statement of a `trustpolicy.json` for a repository (`registry/path`). The whole document has to be sound, as for
 * notation-go; throws OCI_SIGNATURE in its words when it is not, or when no statement is for the repository.
 */
export function trustStatement(
  document: unknown,
  repository: string,
  digest: string,
): TrustStatement {
  const { version, trustPolicies } = fields(document);
  if (version === undefined || version === '') {
    throw invalid('trust policy document has empty version, version must be specified');
  }
  if (version !== '1.0') {
    throw invalid(`trust policy document uses unsupported version ${quote(version)}`);
  }
  if (!Array.isArray(trustPolicies) || trustPolicies.length === 0) {
    throw invalid('trust policy document can not have zero trust policy statements');
  }
  const statements = trustPolicies.map(fields);
  const read = statements.map((statement, index) => {
    const name = text(statement['name']);
    if (statements.slice(0, index).some((other) => text(other['name']) === name)) {
      throw invalid(
        `multiple trust policy statements use the same name ${quote(name)}, statement names must be unique`,
      );
    }
    return readStatement(name, statement);
  });
  const scopes = statements.map((statement) => readScopes(statement));
  requireUnique(scopes.flat());
  requireScope(repository);
  const at = [repository, '*'].map((scope) => scopes.findIndex((own) => own.includes(scope)));
  const found = read[at.find((index) => index >= 0) ?? -1];
  if (found !== undefined) return found;
  throw invalid(
    `artifact ${quote(`${repository}@${digest}`)} has no applicable trust policy statement. Trust policy applicability for a given artifact is determined by registryScopes`,
  );
}

function readStatement(name: string, statement: Fields): TrustStatement {
  const fail = (what: string) =>
    invalid(`trust policy: trust policy statement ${quote(name)} ${what}`);
  if (name === '') {
    throw invalid(
      'trust policy: a trust policy statement is missing a name, every statement requires a name',
    );
  }
  const verification = fields(statement['signatureVerification'] ?? {});
  const checks = readLevel(verification, (what) =>
    fail(`has invalid signatureVerification: ${what}`),
  );
  const when = text(verification['verifyTimestamp']);
  if (when !== '' && !TIMES.includes(when)) {
    throw fail(
      `has invalid signatureVerification: verifyTimestamp must be "always" or "afterCertExpiry", but got ${quote(when)}`,
    );
  }
  const own = { name, checks, isTimestampForExpired: when === 'afterCertExpiry' };
  // Flux passes over what a statement that skips names besides.
  if (verification['level'] === 'skip') {
    return { ...own, isSkipped: true, stores: [], identities: [] };
  }
  const [stores, identities] = [
    texts(statement['trustStores']),
    texts(statement['trustedIdentities']),
  ];
  if (stores.length === 0 || identities.length === 0) {
    throw fail('is either missing trust stores or trusted identities, both must be specified');
  }
  return {
    ...own,
    isSkipped: false,
    stores: stores.map((store) => readStore(store, fail)),
    identities: readIdentities(identities, fail),
  };
}

type Fail = (what: string) => CapstanError;

function readLevel({ level, override }: Fields, fail: Fail): Readonly<Record<Check, Enforcement>> {
  if (text(level) === '') {
    throw fail('signature verification level is empty or missing in the trust policy statement');
  }
  const base = LEVELS[text(level)];
  if (base === undefined) throw fail(`invalid signature verification level ${quote(level)}`);
  const overrides = Object.entries(fields(override ?? {}));
  if (overrides.length > 0 && level === 'skip') {
    throw fail(
      'signature verification level "skip" can\'t be used to customize signature verification',
    );
  }
  const supported = (values: readonly string[]) => `[${values.map(quote).join(' ')}]`;
  const custom = overrides.map(([type, action]) => {
    if (!TYPES.includes(type)) {
      throw fail(
        `verification type ${quote(type)} in custom signature verification is not supported, supported values are ${supported(TYPES)}`,
      );
    }
    if (!ACTIONS.includes(text(action))) {
      throw fail(
        `verification action ${quote(action)} in custom signature verification is not supported, supported values are ${supported(ACTIONS)}`,
      );
    }
    if (type === 'integrity') {
      throw fail(
        `${quote(type)} verification can not be overridden in custom signature verification`,
      );
    }
    if (type !== 'revocation' && action === 'skip') {
      throw fail(`${quote(type)} verification can not be skipped in custom signature verification`);
    }
    return [type, action];
  });
  return { ...base, ...Object.fromEntries(custom) };
}

/** The type of a trust store. */
function readStore(store: string, fail: Fail): string {
  const colon = store.indexOf(':');
  if (colon < 0) {
    throw fail(
      `has malformed trust store value ${quote(store)}. The required format is <TrustStoreType>:<TrustStoreName>`,
    );
  }
  const [type, name] = [store.slice(0, colon), store.slice(colon + 1)];
  if (!STORES.includes(type)) {
    throw fail(
      `uses an unsupported trust store type ${quote(type)} in trust store value ${quote(store)}`,
    );
  }
  if (!/^[a-zA-Z0-9_.-]+$/.test(name)) {
    throw fail(
      `uses an unsupported trust store name ${quote(name)} in trust store value ${quote(store)}. Named store name needs to follow [a-zA-Z0-9_.-]+ format`,
    );
  }
  return type;
}

function readIdentities(identities: readonly string[], fail: Fail): readonly Name[] | '*' {
  if (identities.includes('*')) {
    if (identities.length === 1) return '*';
    throw fail(
      "uses a wildcard trusted identity '*', a wildcard identity cannot be used in conjunction with other values",
    );
  }
  const names = identities.flatMap((identity) => {
    if (identity === '') throw fail('has an empty trusted identity');
    const colon = identity.indexOf(':');
    const it = `has trusted identity ${quote(identity)}`;
    if (colon < 0) throw fail(`${it} missing separator`);
    // Others are for plugins, which there are none of.
    if (identity.slice(0, colon) !== SUBJECT) return [];
    const value = identity.slice(colon + 1);
    if (value === '') throw fail(`${it} without an identity value`);
    const name = parseName(value);
    if (typeof name === 'string') throw fail(`${it} with invalid identity value: ${name}`);
    return [{ identity, name }];
  });
  for (const one of names) {
    const other = names.find((two) => two !== one && isSubset(one.name, two.name));
    if (other === undefined) continue;
    throw fail(
      `has overlapping x509 trustedIdentities, ${quote(one.identity)} overlaps with ${quote(other.identity)}`,
    );
  }
  return names.map(({ name }) => name);
}

function readScopes(statement: Fields): readonly string[] {
  const name = quote(text(statement['name']));
  const scopes = texts(statement['registryScopes']);
  if (scopes.length === 0) {
    throw invalid(
      `trust policy statement ${name} has zero registry scopes, it must specify registry scopes with at least one value`,
    );
  }
  if (scopes.length > 1 && scopes.includes('*')) {
    throw invalid(
      `trust policy statement ${name} uses wildcard registry scope '*', a wildcard scope cannot be used in conjunction with other scope values`,
    );
  }
  for (const scope of scopes) if (scope !== '*') requireScope(scope);
  return scopes;
}

function requireUnique(scopes: readonly string[]): void {
  const twice = scopes.find((scope, index) => scopes.indexOf(scope) !== index);
  if (twice === undefined) return;
  throw invalid(
    `registry scope ${quote(twice)} is present in multiple trust policy statements, one registry scope value can only be associated with one statement`,
  );
}

const LABEL = '(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])';
const DOMAIN = new RegExp(`^${LABEL}(?:\\.${LABEL})*(?::[0-9]+)?$`);
const PART = '[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*';
const PATH = new RegExp(`^${PART}(?:/${PART})*$`);

/** A repository as the distribution specification names it. */
function requireScope(scope: string): void {
  const slash = scope.indexOf('/');
  const isSound =
    slash > 0 && DOMAIN.test(scope.slice(0, slash)) && PATH.test(scope.slice(slash + 1));
  if (isSound) return;
  const wild = scope.length > 1 && scope.includes('*') ? ' with wild card(s)' : '';
  throw invalid(
    `registry scope ${quote(scope)}${wild} is not valid, make sure it is a fully qualified repository without the scheme, protocol or tag. For example domain.com/my/repository or a local scope like local/myOCILayout`,
  );
}

/** Why a certificate's subject (Node's form: a part each line) is none of those that count; undefined when it is one. */
export function identityProblem(
  subject: string,
  { identities, name }: Pick<TrustStatement, 'identities' | 'name'>,
): string | undefined {
  if (identities === '*') return undefined;
  if (identities.length === 0) {
    return `no x509 trusted identities are configured in the trust policy ${quote(name)}`;
  }
  const own = parseName(subject.split('\n').join(','));
  if (typeof own === 'string') {
    return `error while parsing the certificate subject from the digital signature. error : ${quote(own)}`;
  }
  if (identities.some((identity) => isSubset(identity, own))) return undefined;
  const shown = identities.map(printName).join(' ');
  return `signing certificate from the digital signature does not match the X.509 trusted identities [${shown}] defined in the trust policy ${quote(name)}`;
}

/** As Go prints a map of texts by %q. */
function printName(name: Name): string {
  const pairs = [...name].toSorted(([a], [b]) => (a < b ? -1 : 1));
  return `map[${pairs.map(([key, value]) => `${quote(key)}:${quote(value)}`).join(' ')}]`;
}

type Fields = { readonly [key: string]: unknown };

function fields(value: unknown): Fields {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Fields;
  throw invalid('trust policy document is malformed');
}

function texts(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((one): one is string => typeof one === 'string') : [];
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function quote(value: unknown): string {
  return JSON.stringify(text(value));
}

function invalid(message: string): CapstanError {
  return new CapstanError('OCI_SIGNATURE', message);
}
