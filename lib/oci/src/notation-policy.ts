/** Trust policies of notation: which signatures count for which repositories (Notary Project, trust store and trust policy). */
import { CapstanError } from '@capstan/lib-std';

export type Check = 'authenticity' | 'authenticTimestamp' | 'expiry' | 'revocation';
export type Enforcement = 'enforce' | 'log' | 'skip';

export interface TrustStatement {
  readonly name: string;
  readonly isSkipped: boolean;
  readonly checks: Readonly<Record<Check, Enforcement>>;
  /** Types of the trust stores that are named: `ca`, `signingAuthority`, `tsa`. */
  readonly stores: readonly string[];
  readonly identities: readonly string[];
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

const CHECKS: readonly Check[] = ['authenticity', 'authenticTimestamp', 'expiry', 'revocation'];

/** The statement of a `trustpolicy.json` for a repository (`registry/path`). Throws OCI_SIGNATURE when there is none, or no sound one. */
export function trustStatement(document: unknown, repository: string): TrustStatement {
  const { version, trustPolicies } = fields(document);
  if (version !== '1.0')
    throw invalid(`trust policy document uses unsupported version '${String(version)}'`);
  if (!Array.isArray(trustPolicies) || trustPolicies.length === 0) {
    throw invalid('trust policy document can not have zero trust policy statements');
  }
  const statements = trustPolicies.map(fields);
  const names = (one: Fields): readonly string[] => texts(one['registryScopes']);
  const found =
    statements.find((one) => names(one).includes(repository)) ??
    statements.find((one) => names(one).includes('*'));
  if (found === undefined) {
    throw invalid(
      `artifact "${repository}" has no applicable trust policy statement: none has it, or '*', among its registryScopes`,
    );
  }
  return readStatement(found);
}

function readStatement(statement: Fields): TrustStatement {
  const name = String(statement['name'] ?? '');
  const fail = (what: string) => invalid(`trust policy statement '${name}' ${what}`);
  const { level, override } = fields(statement['signatureVerification'] ?? {});
  const checks = LEVELS[String(level)];
  if (checks === undefined) throw fail(`has invalid signatureVerification: '${String(level)}'`);
  const isSkipped = level === 'skip';
  const [stores, identities] = [
    texts(statement['trustStores']).map((store) => store.split(':')[0] ?? ''),
    texts(statement['trustedIdentities']),
  ];
  if (!isSkipped && (stores.length === 0 || identities.length === 0)) {
    throw fail('is either missing trust stores or trusted identities, both must be specified');
  }
  const overridden = Object.entries(fields(override ?? {})).map(([check, action]) => {
    const known = CHECKS.find((one) => one === check);
    const isAction = action === 'enforce' || action === 'log' || action === 'skip';
    if (known === undefined || !isAction) throw fail(`overrides '${check}' as '${String(action)}'`);
    return [known, action] as const;
  });
  return {
    name,
    isSkipped,
    stores,
    identities,
    checks: { ...checks, ...Object.fromEntries(overridden) },
  };
}

/** Whether a subject (`C=US`, `O=x`, a line each) has all that one of the identities names. */
export function isTrustedSubject(subject: string, identities: readonly string[]): boolean {
  const own = new Set(subject.split('\n').map((line) => line.trim()));
  return identities.some((identity) => {
    if (identity === '*') return true;
    const wanted = /^x509\.subject:(.*)$/s.exec(identity)?.[1];
    return (
      wanted?.split(/(?<!\\),/).every((part) => own.has(part.trim().replaceAll('\\,', ','))) ===
      true
    );
  });
}

type Fields = { readonly [key: string]: unknown };

function fields(value: unknown): Fields {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Fields;
  throw invalid('trust policy document is malformed');
}

function texts(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((one): one is string => typeof one === 'string') : [];
}

function invalid(message: string): CapstanError {
  return new CapstanError('OCI_SIGNATURE', message);
}
