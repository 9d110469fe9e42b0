import { readFileSync } from 'node:fs';
import { isAbsolute, join } from 'node:path';
import type { JsonObject } from '@capstan/kube-object';
import { CapstanError, messageOf } from '@capstan/lib-std';

/** A named part of a kubeconfig, and the folder of the file it came from. */
export interface Entry {
  readonly name: string;
  readonly value: JsonObject;
  readonly directory: string | undefined;
}

export function invalid(origin: string, what: string): CapstanError {
  return new CapstanError(
    'KUBECONFIG_INVALID',
    `the kubeconfig of ${origin} cannot be used: ${what}`,
    {
      hint: 'kubectl config view shows how it is read',
    },
  );
}

/** A field that must be text; empty counts as absent. A number or `yes` without quotes is an error, as for kubectl. */
export function textOf(value: JsonObject, key: string): string | undefined {
  const member = value[key];
  if (member === undefined || member === null || member === '') return undefined;
  if (typeof member === 'string') return member;
  throw new CapstanError('KUBECONFIG_INVALID', `${key} is not a text; put it in quotes`, {
    hint: 'YAML takes words such as yes, no, on, off and digits for something else than text',
  });
}

/** Refuses an entry that has both of two fields which say the same in two ways. */
export function refuseBoth(
  [first, second]: readonly [string, string],
  value: JsonObject,
  { origin, what }: { readonly origin: string; readonly what: string },
): void {
  if (textOf(value, first) === undefined || textOf(value, second) === undefined) return;
  throw invalid(origin, `${what} has both ${first} and ${second}; one must go`);
}

/** `<field>-data` as base64, else the file that `<field>` names. */
export function pemOf(
  value: JsonObject,
  field: string,
  directory: string | undefined,
  origin: string,
): string | undefined {
  const data = textOf(value, `${field}-data`);
  if (data !== undefined) return Buffer.from(data, 'base64').toString('utf8');
  const path = textOf(value, field);
  if (path === undefined) return undefined;
  try {
    return readFileSync(pathFrom(directory, path), 'utf8');
  } catch (error) {
    throw invalid(origin, `${field}: ${messageOf(error)}`);
  }
}

export function pathFrom(directory: string | undefined, path: string): string {
  return isAbsolute(path) || directory === undefined ? path : join(directory, path);
}
