import type { KubeObject } from '@capstan/kube-object';
import type {
  HookDeletePolicy,
  HookVocabulary,
  PhaseName,
  SyncHints,
  SyncSwitch,
  SyncVocabulary,
} from './types.ts';

type Values = { readonly [name: string]: string };

/** What an object says of its own sync, in the words of this vocabulary. Unreadable numbers are wave 0. */
export function readHints(object: KubeObject, vocabulary: SyncVocabulary): SyncHints {
  const annotations = object.metadata.annotations ?? {};
  const hook = vocabulary.hooks.find(
    (words) =>
      annotations[words.annotation] !== undefined &&
      words.unless.every((name) => annotations[name] === undefined),
  );
  const phases = hook === undefined ? [] : readPhases(annotations[hook.annotation] ?? '', hook);
  const ordinary = hook === undefined || phases.includes('Ordinary');
  const hookPhases = ordinary ? [] : phases.filter(isPhase);
  return {
    wave: readWave(
      annotations,
      hookPhases.length > 0 && hook ? [...vocabulary.wave, ...hook.wave] : vocabulary.wave,
    ),
    hookPhases,
    skip: !ordinary && hookPhases.length === 0,
    hookDeletePolicies: hook === undefined ? [] : readDeletePolicies(annotations, hook),
    options: readOptions(annotations, vocabulary.options),
    switches: vocabulary.switches.filter((one) => isOn(object, one)).map(({ means }) => means),
  };
}

/** Whether the object runs as a hook and is not part of what is compared. */
export function isHook(object: KubeObject, vocabulary: SyncVocabulary): boolean {
  const { hookPhases, skip } = readHints(object, vocabulary);
  return hookPhases.length > 0 || skip;
}

function readPhases(
  text: string,
  hook: HookVocabulary,
): readonly (PhaseName | 'Skip' | 'Ordinary')[] {
  return [...new Set(split(text).map((value) => hook.phases[value] ?? 'Skip'))];
}

function isPhase(value: PhaseName | 'Skip' | 'Ordinary'): value is PhaseName {
  return value !== 'Skip' && value !== 'Ordinary';
}

function readWave(annotations: Values, names: readonly string[]): number {
  for (const name of names) {
    const text = annotations[name];
    if (text !== undefined && /^[+-]?\d{1,9}$/.test(text.trim())) return Number(text);
  }
  return 0;
}

function readDeletePolicies(
  annotations: Values,
  hook: HookVocabulary,
): readonly HookDeletePolicy[] {
  const told = split(annotations[hook.deletePolicy] ?? '').flatMap((value) => {
    const policy = hook.deletePolicies[value];
    return policy === undefined ? [] : [policy];
  });
  return told.length === 0 ? [hook.defaultDeletePolicy] : [...new Set(told)];
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
