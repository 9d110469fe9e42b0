/** What the hosters of repositories tell, in one form. */
import type { GoValue } from '@capstan/lib-gotemplate';

/** A branch of a repository; `sha` is '' until its branches are asked for. */
export interface ScmRepository {
  readonly organization: string;
  readonly repository: string;
  readonly repositoryId: GoValue;
  readonly url: string;
  readonly branch: string;
  readonly sha: string;
  readonly labels: readonly string[];
}

export interface PullRequest {
  readonly number: number;
  readonly title: string;
  readonly branch: string;
  readonly targetBranch: string;
  readonly headSha: string;
  readonly labels: readonly string[];
  readonly author: string;
}

export interface ScmProvider {
  listRepositories(cloneProtocol: string): Promise<readonly ScmRepository[]>;
  hasPath(repository: ScmRepository, path: string): Promise<boolean>;
  /** The repository once for each branch wanted. */
  listBranches(repository: ScmRepository): Promise<readonly ScmRepository[]>;
}

export interface PullRequestService {
  /** Open ones; undefined: there is no such repository. */
  listPullRequests(): Promise<readonly PullRequest[] | undefined>;
}
