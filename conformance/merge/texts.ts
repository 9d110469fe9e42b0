import {
  canonicalQuantity,
  configKeyProblems,
  dns1035LabelProblems,
  dnsLabelProblems,
  formatDurationNanos,
  formatFieldSelector,
  formatLabelSelector,
  labelKeyProblems,
  labelValueProblems,
  parseDurationNanos,
  parseFieldSelector,
  parseLabelSelector,
  parseQuantity,
  pathSegmentProblems,
  portNameProblems,
  subdomainProblems,
  wildcardSubdomainProblems,
} from '@capstan/kube-object';
import { messageOf } from '@capstan/lib-std';
import type { Answer, TextOperation } from './oracle.ts';
import { Random } from './random.ts';

const pieces: Readonly<Record<TextOperation, readonly string[]>> = {
  quantity: [
    '0',
    '1',
    '12',
    '999',
    '1000',
    '1024',
    '5',
    '.',
    '-',
    '+',
    'm',
    'k',
    'Ki',
    'Mi',
    'Gi',
    'E',
    'e',
    'n',
    'u',
    '000',
    '123456789',
  ],
  labelselector: [
    'a',
    'b/c',
    'x',
    'in',
    'notin',
    '(',
    ')',
    ',',
    ' ',
    '=',
    '==',
    '!=',
    '!',
    '>',
    '<',
    '1',
    '-',
    '_',
  ],
  fieldselector: ['a', 'b.c', '=', '==', '!=', ',', '\\', ' ', 'x'],
  duration: ['1', '2.5', '.5', '0', 'h', 'm', 's', 'ms', 'us', 'ns', '-', '+', '90', ' '],
  names: ['a', 'b-c', '-', '.', '/', '_', 'A', '0', '*.', '..', '%', 'é', 'x'.repeat(40)],
};

export function randomTexts(seed: number): readonly (readonly [TextOperation, string])[] {
  const random = new Random(seed);
  return (Object.keys(pieces) as TextOperation[]).map((op) => {
    const count = 1 + random.below(op === 'labelselector' ? 9 : 5);
    return [op, Array.from({ length: count }, () => random.pick(pieces[op])).join('')];
  });
}

export function answerText(op: TextOperation, text: string): Answer {
  try {
    switch (op) {
      case 'quantity':
        return parseQuantity(text) === undefined
          ? { error: '' }
          : { result: canonicalQuantity(text) };
      case 'labelselector':
        return { result: formatLabelSelector(parseLabelSelector(text)) };
      case 'fieldselector':
        return { result: formatFieldSelector(parseFieldSelector(text)) };
      case 'duration': {
        const nanos = parseDurationNanos(text);
        return nanos === undefined ? { error: '' } : { result: formatDurationNanos(nanos) };
      }
      case 'names':
        return { result: nameProblems(text) };
      default:
        return op satisfies never;
    }
  } catch (error) {
    return { error: messageOf(error) };
  }
}

function nameProblems(text: string): (readonly string[] | null)[] {
  return [
    subdomainProblems,
    dnsLabelProblems,
    dns1035LabelProblems,
    wildcardSubdomainProblems,
    labelKeyProblems,
    labelValueProblems,
    portNameProblems,
    configKeyProblems,
    pathSegmentProblems,
  ].map((check) => {
    const problems = check(text);
    return problems.length === 0 ? null : problems;
  });
}

export function textDifference(
  op: TextOperation,
  ours: Answer,
  theirs: Answer,
): string | undefined {
  const bothRefuse = ours.error !== undefined && theirs.error !== undefined;
  if (bothRefuse && (ours.error === theirs.error || op === 'quantity' || op === 'duration'))
    return undefined;
  if (JSON.stringify(ours) === JSON.stringify(theirs)) return undefined;
  return `\n  ours   ${JSON.stringify(ours)}\n  theirs ${JSON.stringify(theirs)}`;
}
