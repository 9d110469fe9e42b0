import type { DiffEntry } from '@capstan/engine-diff';
import type { KubeObject } from '@capstan/kube-object';
import type {
  DeletePhase,
  HookDeletePolicy,
  HookVocabulary,
  PhaseName,
  SyncHints,
  SyncSwitch,
  SyncVocabulary,
} from './types.ts';

type Values = { readonly [name: string]: string };

/**
 * What an object says of its own sync, in the words of this vocabulary. Unreadable numbers are wave 0. Of several families
 * of hooks the first that names a phase of syncs speaks; the ends of a delivery are named by all of them.
 */
export function readHints(object: KubeObject, vocabulary: SyncVocabulary): SyncHints {
  const annotations = object.metadata.annotations ?? {};
  const told = vocabulary.hooks.flatMap((words) => {
    const text = annotations[words.annotation];
    return text === undefined ? [] : [readPhases(text, words)];
  });
  const speaking = told.find((phases) => phases.some(concernsSyncs)) ?? [];
  const ordinary = told.every(
    (phases) => phases.length > 0 && phases.every((phase) => phase === 'Ordinary'),
  );
  const endPhases = told.flat().filter(isDeletePhase);
  const hookPhases = [...new Set([...speaking.filter(isPhase), ...endPhases])];
  return {
    wave: readWave(annotations, [
      ...vocabulary.wave,
      ...vocabulary.hooks.flatMap(({ wave }) => wave),
    ]),
    hookPhases,
    skip: !ordinary && hookPhases.length === 0,
    hookDeletePolicies: readDeletePolicies(annotations, vocabulary.hooks),
    options: readOptions(annotations, vocabulary.options),
    switches: switchesOf(object, vocabulary),
  };
}

/** Whether the object runs as a hook and is not part of what is compared. */
export function isHook(object: KubeObject, vocabulary: SyncVocabulary): boolean {
  const { hookPhases, skip } = readHints(object, vocabulary);
  return hookPhases.length > 0 || skip;
}

/** Whether the object is a hook of the end of its delivery. */
export function isDeleteHook(
  object: KubeObject,
  phase: DeletePhase,
  vocabulary: SyncVocabulary,
): boolean {
  return readHints(object, vocabulary).hookPhases.includes(phase);
}

/** Whether what is live stays as it is, whatever is desired: told so by either side, or only ever created and there. */
export function isLeftAlone(
  { desired, live }: Pick<DiffEntry, 'desired' | 'live'>,
  vocabulary: SyncVocabulary,
): boolean {
  const wanted = switchesOf(desired?.object, vocabulary);
  if (wanted.includes('ignoreObject')) return true;
  if (live === undefined) return false;
  return wanted.includes('createOnly') || switchesOf(live, vocabulary).includes('ignoreObject');
}

function switchesOf(
  object: KubeObject | undefined,
  { switches }: SyncVocabulary,
): readonly SyncSwitch['means'][] {
  if (object === undefined) return [];
  return switches.filter((one) => isOn(object, one)).map(({ means }) => means);
}

type ReadPhase = PhaseName | 'Skip' | 'Ordinary';

/** Values that mean nothing are as good as none. */
function readPhases(text: string, hook: HookVocabulary): readonly ReadPhase[] {
  return [...new Set(split(text).flatMap((value) => hook.phases[value] ?? []))];
}

function concernsSyncs(phase: ReadPhase): boolean {
  return phase === 'Skip' || (isPhase(phase) && !isDeletePhase(phase));
}

function isDeletePhase(phase: ReadPhase): phase is DeletePhase {
  return phase === 'PreDelete' || phase === 'PostDelete';
}

function isPhase(value: ReadPhase): value is PhaseName {
  return value !== 'Skip' && value !== 'Ordinary';
}

function readWave(annotations: Values, names: readonly string[]): number {
  for (const name of names) {
    const text = annotations[name];
    if (text !== undefined && /^[+-]?\d{1,15}$/.test(text)) return Number(text);
  }
  return 0;
}

/** What all families say together; the default of the first where none says anything. */
function readDeletePolicies(
  annotations: Values,
  hooks: readonly HookVocabulary[],
): readonly HookDeletePolicy[] {
  const told = hooks.flatMap(({ deletePolicy, deletePolicies }) =>
    split(annotations[deletePolicy] ?? '').flatMap((value) => deletePolicies[value] ?? []),
  );
  const [first] = hooks;
  if (told.length > 0) return [...new Set(told)];
  return first === undefined ? [] : [first.defaultDeletePolicy];
}

function readOptions(annotations: Values, names: readonly string[]): Values {
  const options: { [name: string]: string } = {};
  for (const name of names) {
    for (const option of split(annotations[name] ?? '')) {
      const equals = option.indexOf('=');
      if (equals > 0) options[option.slice(0, equals)] = option.slice(equals + 1);
    }
  }
  return options;
}

function isOn(object: KubeObject, { metadata, name, value }: SyncSwitch): boolean {
  const values = metadata === 'label' ? object.metadata.labels : object.metadata.annotations;
  return values?.[name]?.toLowerCase() === value.toLowerCase();
}

function split(text: string): readonly string[] {
  return text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');
}
