import type { ApplicationSet } from '@capstan/argocd-api';
import { isRecord } from './json.ts';
import { IN_CLUSTER, type RegisteredCluster, type Surroundings } from './observation.ts';
import type { GeneratedApplication } from './render-application.ts';

/** What is wrong with generated applications, by qualified name. */
export function validateApplications(
  applications: readonly GeneratedApplication[],
  { metadata }: ApplicationSet,
  surroundings: Pick<Surroundings, 'clusters' | 'project'>,
): ReadonlyMap<string, string> {
  const errors = new Map<string, string>();
  const names = new Set<string>();
  for (const application of applications) {
    const { name = '' } = application.metadata;
    const report = (message: string) => errors.set(qualifiedName(application), message);
    if (name === '') {
      report(
        `ApplicationSet ${metadata.name} contains an application with no name; a name must be set in the template's metadata.name or via a templatePatch (generateName is not supported)`,
      );
      continue;
    }
    if (names.has(name)) {
      report(`ApplicationSet ${metadata.name} contains applications with duplicate name: ${name}`);
      continue;
    }
    names.add(name);
    const spec = isRecord(application['spec']) ? application['spec'] : {};
    const project = typeof spec['project'] === 'string' ? spec['project'] : '';
    if (surroundings.project(project) === undefined) {
      report(`application references project ${project} which does not exist`);
      continue;
    }
    const problem = destinationProblem(spec['destination'], surroundings.clusters);
    if (problem !== undefined) report(`application destination spec is invalid: ${problem}`);
  }
  return errors;
}

export function qualifiedName({ metadata }: GeneratedApplication): string {
  const { namespace = '', name = '' } = metadata;
  return namespace === '' ? name : `${namespace}/${name}`;
}

/** Why a destination names no cluster; undefined when it names one. */
export function destinationProblem(
  destination: unknown,
  registered: readonly RegisteredCluster[],
): string | undefined {
  const { name = '', server = '' } =
    typeof destination === 'object' && destination !== null
      ? (destination as { readonly name?: string; readonly server?: string })
      : {};
  const known = withOwnCluster(registered);
  if (name !== '' && server !== '')
    return `application destination can't have both name and server defined: ${name} ${server}`;
  if (server !== '') {
    const wanted = server.replace(/\/+$/, '');
    if (known.some((cluster) => cluster.server.replace(/\/+$/, '') === wanted)) return undefined;
    return `error getting cluster by server ${JSON.stringify(server)}: cluster ${JSON.stringify(server)} not found`;
  }
  if (name === '') return 'Destination server missing from app spec';
  const found = known.filter((cluster) => cluster.name === name);
  if (found.length === 1) return undefined;
  if (found.length === 0) return `there are no clusters with this name: ${name}`;
  const servers = found.map((cluster) => cluster.server).join(' ');
  return `there are ${found.length} clusters with the same name: [${servers}]`;
}

function withOwnCluster(
  clusters: readonly RegisteredCluster[],
): readonly { readonly name: string; readonly server: string }[] {
  const hasOwn = clusters.some(({ server }) => server === IN_CLUSTER.server);
  return hasOwn ? clusters : [...clusters, IN_CLUSTER];
}
