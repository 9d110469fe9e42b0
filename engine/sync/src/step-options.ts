import { type KubeObject, parseApiVersion } from '@capstan/kube-object';
import { readHints } from './read-hints.ts';
import type { StepOptions, SyncHints, SyncPolicy } from './types.ts';

/** An option of an object adds to what is told for all, and takes only validation away. Replace and Force count on either side. */
export function readStepOptions(
  object: Pick<KubeObject, 'apiVersion' | 'kind'>,
  { options, switches }: SyncHints,
  { policy, live }: { readonly policy: SyncPolicy; readonly live: KubeObject | undefined },
): StepOptions {
  const told = live === undefined ? {} : readHints(live, policy.vocabulary).options;
  const asks = (name: string) => options[name] === 'true' || told[name] === 'true';
  const force = policy.force || asks('Force');
  return {
    replace: policy.replace || asks('Replace'),
    force,
    validate: validates(options, policy),
    leavesOutUnknown: leavesOutUnknown(object, options, policy),
    dryRun: policy.dryRun,
    propagation: policy.propagation,
    // Merging leaves to others what they wrote.
    takeOverFrom: switches.includes('mergeOnly') ? [] : policy.takeOverFrom,
    recreate: switches.includes('recreate') || force,
    createOnly: switches.includes('createOnly'),
    sendsRepeated: sendsRepeated(options, policy),
  };
}

/** Whether what an object's kind does not have is refused; it may ask for less, not for more. */
export function validates(
  options: SyncHints['options'],
  { validate }: Pick<SyncPolicy, 'validate'>,
): boolean {
  return validate && options['Validate'] !== 'false';
}

/** Whether an object is applied less what its kind does not have: where that is not validated, and of typed kinds. */
export function leavesOutUnknown(
  { apiVersion, kind }: Pick<KubeObject, 'apiVersion' | 'kind'>,
  options: SyncHints['options'],
  policy: Pick<SyncPolicy, 'validate' | 'typedKinds'>,
): boolean {
  if (!validates(options, policy)) return true;
  const { group } = parseApiVersion(apiVersion);
  const { groups = [], except = [] } = policy.typedKinds ?? {};
  return groups.includes(group) && !except.some((one) => one.group === group && one.kind === kind);
}

/** Whether keyed lists that name a key twice are sent all the same; an object that asks for the server's merge gets it. */
export function sendsRepeated(
  options: SyncHints['options'],
  { sendsRepeated: isSent = false }: Pick<SyncPolicy, 'sendsRepeated'>,
): boolean {
  return isSent && options['ServerSideApply'] !== 'true';
}
