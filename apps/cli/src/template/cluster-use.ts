import { ChartError, type HelmFlavor } from '@capstan/kube-helm';
import type { ParsedFlags } from '../flags.ts';

/** What a render asks the cluster for. */
export interface ClusterUse {
  /** Its version and kinds. */
  readonly capabilities: boolean;
  /** Objects that the templates look up. */
  readonly lookups: boolean;
  /** Whether what was rendered could be installed. */
  readonly plan: boolean;
}

const ALL: ClusterUse = { capabilities: true, lookups: true, plan: true };

const TRUE = ['1', 't', 'T', 'true', 'TRUE', 'True'];
const FALSE = ['0', 'f', 'F', 'false', 'FALSE', 'False'];

/** What --validate and --dry-run mean in a version of Helm; undefined when there is no need of a cluster. */
export function clusterUse(flags: ParsedFlags, flavor: HelmFlavor): ClusterUse | undefined {
  return flavor === 4 ? useOf4(flags) : useOf3(flags);
}

/** Helm 4: --validate is another name of --dry-run=server. */
function useOf4(flags: ParsedFlags): ClusterUse | undefined {
  const mode = flags.text('dry-run');
  const isValidated = flags.flag('validate');
  if (mode !== undefined && isValidated) {
    throw new ChartError(
      'FLAGS',
      'if any flags in the group [validate dry-run] are set none of the others can be; [dry-run validate] were all set',
    );
  }
  if (isValidated || mode === 'server') return ALL;
  if (mode === undefined || ['unset', 'client', ...TRUE].includes(mode)) return undefined;
  const known = mode === 'none' || FALSE.includes(mode);
  throw new ChartError(
    'FLAGS',
    `invalid dry-run value (${JSON.stringify(mode)}). Must be ${known ? '' : '"none", '}"server"${known ? '' : ','} or "client"`,
  );
}

/** Helm 3: --validate asks for everything but lookups, which go by --dry-run alone. */
function useOf3(flags: ParsedFlags): ClusterUse | undefined {
  const given = flags.text('dry-run') ?? '';
  const mode = given === 'unset' ? 'client' : given;
  if (!['', 'false', 'true', 'none', 'client', 'server'].includes(mode)) {
    throw new ChartError(
      'FLAGS',
      'Invalid dry-run flag. Flag must one of the following: false, true, none, client, server',
    );
  }
  const lookups = ['server', 'none', 'false'].includes(mode);
  const isValidated = flags.flag('validate');
  if (!lookups && !isValidated) return undefined;
  return { capabilities: isValidated, lookups, plan: isValidated };
}
