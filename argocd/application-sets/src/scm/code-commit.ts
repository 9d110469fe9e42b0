/** AWS CodeCommit by its API, and the tagging API where repositories are chosen by tags. */
import type { Json, JsonObject } from '@capstan/kube-object';
import { CapstanError } from '@capstan/lib-std';
import { type AwsSurroundings, askAws, assumeRole } from './aws-request.ts';
import type { HttpPort } from './http-port.ts';
import { askPages, recordsIn, textAt, textsIn, unknownProtocol, valueAt } from './rest.ts';
import type { ScmProvider, ScmRepository } from './types.ts';

export interface CodeCommitAccess {
  readonly http: HttpPort;
  readonly aws: AwsSurroundings;
  /** '' for the process's own. */
  readonly role: string;
  readonly region: string;
  readonly nowMs: () => number;
}

export interface TagFilter {
  readonly key: string;
  readonly value?: string;
}

const TARGETS = {
  codecommit: 'CodeCommit_20150413',
  tagging: 'ResourceGroupsTaggingAPI_20170126',
} as const;
type Service = keyof typeof TARGETS;

/** Asks a service; an error is thrown unless its type is among `allowed`. */
type Ask = (
  service: Service,
  operation: string,
  input: JsonObject,
  allowed?: readonly string[],
) => Promise<Json | undefined>;

export function codeCommitProvider(
  access: CodeCommitAccess,
  {
    tagFilters,
    allBranches,
  }: { readonly tagFilters: readonly TagFilter[]; readonly allBranches: boolean },
): ScmProvider {
  const askService = createAsk(access);
  return {
    listRepositories: async (protocol) => {
      const result: ScmRepository[] = [];
      for (const name of await listNames(askService, tagFilters)) {
        const found = await askService('codecommit', 'GetRepository', { repositoryName: name });
        result.push(...toRepository(valueAt(found, 'repositoryMetadata'), protocol));
      }
      return result;
    },
    hasPath: (repository, path) => hasPath(askService, repository, path),
    listBranches: async (repository) => {
      const { repository: name } = repository;
      if (allBranches) {
        const names = await listTexts('branches', (nextToken) =>
          askService('codecommit', 'ListBranches', { repositoryName: name, ...nextToken }),
        );
        return names.map((branch) => ({ ...repository, branch }));
      }
      const found = await askService('codecommit', 'GetRepository', { repositoryName: name });
      return [{ ...repository, branch: textAt(found, 'repositoryMetadata', 'defaultBranch') }];
    },
  };
}

function createAsk(access: CodeCommitAccess): Ask {
  const { http, aws, nowMs } = access;
  const region = access.region || aws.region;
  if (region === '') {
    throw new CapstanError('SPEC_INVALID', 'AWS CodeCommit: no region is known', {
      hint: 'set scmProvider.awsCodeCommit.region',
    });
  }
  let credentials: ReturnType<AwsSurroundings['credentials']> | undefined;
  return async (service, operation, input, allowed = []) => {
    credentials ??=
      access.role === ''
        ? aws.credentials()
        : assumeRole(http, access.role, { ...aws, region, nowMs: nowMs() });
    const call = {
      service,
      region,
      credentials: await credentials,
      endpoint: aws.endpoint,
      nowMs: nowMs(),
    };
    const target = `${TARGETS[service]}.${operation}`;
    const { value, refused } = await askAws(http, call, { target, input });
    if (refused === '') return value;
    if (allowed.includes(refused)) return undefined;
    throw new CapstanError('SCM_REFUSED', `AWS ${target}: ${refused} ${textAt(value, 'message')}`, {
      hint: 'see what the role may do, and whether the region is right',
    });
  };
}

async function listNames(
  askService: Ask,
  tagFilters: readonly TagFilter[],
): Promise<readonly string[]> {
  if (tagFilters.length === 0) {
    const found = await askPages('', async (token) => {
      const page = await askService('codecommit', 'ListRepositories', tokenOf(token));
      return { items: recordsIn(valueAt(page, 'repositories')), next: nextOf(page, 'nextToken') };
    });
    return found.map((one) => textAt(one, 'repositoryName'));
  }
  const filters = new Map<string, string[]>();
  for (const { key, value = '' } of tagFilters) {
    const values = filters.get(key) ?? [];
    filters.set(key, value === '' ? values : [...values, value]);
  }
  const TagFilters = [...filters].map(([Key, Values]) => ({ Key, Values }));
  const found = await askPages('', async (token) => {
    const page = await askService('tagging', 'GetResources', {
      ResourceTypeFilters: ['codecommit:repository'],
      TagFilters,
      ...(token === '' ? {} : { PaginationToken: String(token) }),
    });
    const items = recordsIn(valueAt(page, 'ResourceTagMappingList'));
    return { items, next: nextOf(page, 'PaginationToken') };
  });
  // arn:aws:codecommit:<region>:<account>:<name>
  return found.flatMap((one) => {
    const parts = textAt(one, 'ResourceARN').split(':');
    return parts.length >= 6 ? [parts.slice(5).join(':')] : [];
  });
}

function tokenOf(token: string | number): JsonObject {
  return token === '' ? {} : { nextToken: String(token) };
}

function nextOf(page: Json | undefined, field: string): string | undefined {
  return textAt(page, field) || undefined;
}

async function listTexts(
  field: string,
  page: (token: JsonObject) => Promise<Json | undefined>,
): Promise<readonly string[]> {
  return askPages('', async (token) => {
    const found = await page(tokenOf(token));
    return { items: textsIn(valueAt(found, field)), next: nextOf(found, 'nextToken') };
  });
}

function toRepository(one: Json | undefined, protocol: string): readonly ScmRepository[] {
  const branch = textAt(one, 'defaultBranch');
  // Without a branch nothing was pushed yet.
  if (branch === '') return [];
  return [
    {
      // There are no organizations: the account stands in.
      organization: textAt(one, 'accountId'),
      repository: textAt(one, 'repositoryName'),
      repositoryId: textAt(one, 'repositoryId'),
      url: cloneUrl(one, protocol),
      branch,
      sha: '',
      labels: [],
    },
  ];
}

const PLAIN = 'https://git-codecommit.';
const FIPS = 'https://git-codecommit-fips.';

function cloneUrl(one: Json | undefined, protocol: string): string {
  const https = textAt(one, 'cloneUrlHttp');
  switch (protocol) {
    case '':
    case 'ssh':
      return textAt(one, 'cloneUrlSsh');
    case 'https':
      return https;
    case 'https-fips':
      if (https.startsWith(FIPS)) return https;
      if (https.startsWith(PLAIN)) return https.replace(PLAIN, FIPS);
      throw new CapstanError(
        'SCM_ANSWER',
        `https-fips is provided but repoUrl can't be transformed to FIPS endpoint: the provided https endpoint isn't recognized, cannot be transformed to FIPS endpoint: ${https}`,
      );
    default:
      throw unknownProtocol('codecommit', protocol);
  }
}

/** From the root, without `.`, `..` and doubled slashes. */
function cleanPath(given: string): string {
  const parts: string[] = [];
  for (const part of given.split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '' && part !== '.') parts.push(part);
  }
  return `/${parts.join('/')}`;
}

const MISSING = [
  'RepositoryDoesNotExistException',
  'CommitDoesNotExistException',
  'FolderDoesNotExistException',
];

/** Looks into the folder above: files, folders, links and submodules alike. */
async function hasPath(
  askService: Ask,
  { repository, branch }: ScmRepository,
  given: string,
): Promise<boolean> {
  const path = cleanPath(given);
  if (path === '/') return true;
  const slash = path.lastIndexOf('/');
  const name = path.slice(slash + 1);
  const input = {
    repositoryName: repository,
    commitSpecifier: branch,
    folderPath: slash === 0 ? '/' : path.slice(0, slash),
  };
  const found = await askService('codecommit', 'GetFolder', input, MISSING);
  if (found === undefined) return false;
  return ['subModules', 'subFolders', 'files', 'symbolicLinks'].some((field) =>
    recordsIn(valueAt(found, field)).some((one) => textAt(one, 'relativePath') === name),
  );
}
