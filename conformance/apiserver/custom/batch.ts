import { type Answer, differences, runScript, type Send } from '@capstan/kube-apiserver/testing';
import { prepare } from '../scripts/kinds.ts';
import { sendToOurs } from '../servers.ts';
import { verdict } from '../validation/script.ts';
import { type Definition, NAMESPACE, objectSteps } from './script.ts';

const DEFINITIONS = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
const json = { 'content-type': 'application/json', accept: 'application/json' };
const WAIT_MS = 20_000;

export interface Compared {
  readonly kinds: number;
  readonly same: number;
  /** Title and lines. */
  readonly different: readonly (readonly [title: string, lines: readonly string[]])[];
}

/** Has both servers judge objects of some kinds; the kinds are gone afterwards. */
export async function compareBatch(
  definitions: readonly Definition[],
  real: Send,
  objects: number,
): Promise<Compared> {
  const ours = await sendToOurs();
  const accepted: Definition[] = [];
  for (const send of [real, ours]) {
    await runScript({ name: 'prepare', steps: prepare(NAMESPACE) }, send, { settles: false });
  }
  for (const definition of definitions) {
    const body = JSON.stringify(definition);
    const [a, b] = await Promise.all(
      [real, ours].map((send) => send({ method: 'POST', path: DEFINITIONS, headers: json, body })),
    );
    if (a?.status === 201 && b?.status === 201) accepted.push(definition);
  }
  let same = 0;
  const different: [string, readonly string[]][] = [];
  for (const definition of accepted) {
    await untilServed(real, definition);
    const steps = objectSteps(definition, objects);
    const script = { name: definition.metadata.name, steps };
    const expected = await runScript(script, real, { settles: false });
    const actual = await runScript(script, ours, { settles: false });
    for (const [i, { headers }] of steps.entries()) {
      const lines = differences(compared(expected[i]), compared(actual[i]));
      if (lines.length === 0) same++;
      else different.push([headers?.['x-title'] ?? '', lines]);
    }
  }
  for (const { metadata } of accepted) {
    const path = `${DEFINITIONS}/${metadata.name}`;
    await real({ method: 'DELETE', path, headers: json });
  }
  return { kinds: accepted.length, same, different };
}

/** Objects whole; of what is refused, the causes. Of several problems of an applied object the original tells some, by chance. */
function compared(answer: Answer | undefined): unknown {
  if (answer !== undefined && answer.status < 300) return answer;
  const found = verdict(answer) as { readonly message?: string };
  const { message = '' } = found;
  const isByChance = /typed patch object.*(errors:|not declared in schema)/.test(message);
  return isByChance ? { ...found, message: message.replace(/\): .*$/s, ')') } : found;
}

async function untilServed(send: Send, { metadata }: Definition): Promise<void> {
  const path = `${DEFINITIONS}/${metadata.name}`;
  for (const end = Date.now() + WAIT_MS; Date.now() < end; ) {
    const { text } = await send({ method: 'GET', path, headers: json });
    if (/"type":"Established","status":"True"/.test(text)) break;
    if (/"status":"True"[^}]*"type":"Established"/.test(text)) break;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
