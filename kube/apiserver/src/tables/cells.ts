import type { Json, KubeObject } from '@capstan/kube-object';
import { listAt, objectAt, textAt, valueAt } from '../json.ts';
import { formatSelector, fromSelectorObject } from '../selectors.ts';
import type { Column } from './table.ts';

export const NAME: Column = {
  name: 'Name',
  type: 'string',
  format: 'name',
  description: 'Name of the object, unique in its namespace among objects of its kind.',
};
export const AGE: Column = {
  name: 'Age',
  type: 'string',
  description: 'Time since the object was created.',
};

/** Columns from short notes: `Ready`, `Desired:integer`, `IP:string:1` (name, type, priority). */
export function columns(...notes: readonly string[]): readonly Column[] {
  return notes.map((note) => {
    if (note === 'Name') return NAME;
    if (note === 'Age') return AGE;
    const [name = '', type = 'string', priority = '0'] = note.split(':');
    return { name, type, priority: Number(priority) };
  });
}

export function nameOf(object: KubeObject): string {
  return object.metadata.name ?? '';
}

export function age(object: KubeObject, nowMs: number): string {
  return since(object.metadata.creationTimestamp, nowMs);
}

/** How long ago a time is, as kubectl shows it; `<unknown>` for none. */
export function since(time: unknown, nowMs: number): string {
  if (typeof time !== 'string' || time === '') return '<unknown>';
  return humanDuration(nowMs - Date.parse(time));
}

/** A duration in at most two units and three digits (k8s.io/apimachinery/pkg/util/duration HumanDuration). */
export function humanDuration(milliseconds: number): string {
  const seconds = Math.trunc(milliseconds / 1000);
  if (seconds < -1) return '<invalid>';
  if (seconds < 0) return '0s';
  if (seconds < 120) return `${seconds}s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 10) return withRest(minutes, 'm', seconds % 60, 's');
  if (minutes < 180) return `${minutes}m`;
  const hours = Math.floor(minutes / 60);
  if (hours < 8) return withRest(hours, 'h', minutes % 60, 'm');
  if (hours < 48) return `${hours}h`;
  if (hours < 192) return withRest(Math.floor(hours / 24), 'd', hours % 24, 'h');
  if (hours < 24 * 365 * 2) return `${Math.floor(hours / 24)}d`;
  const years = Math.floor(hours / 24 / 365);
  if (hours < 24 * 365 * 8) return withRest(years, 'y', Math.floor(hours / 24) % 365, 'd');
  return `${years}y`;
}

function withRest(count: number, unit: string, rest: number, restUnit: string): string {
  return rest === 0 ? `${count}${unit}` : `${count}${unit}${rest}${restUnit}`;
}

export function orNone(text: string): string {
  return text === '' ? '<none>' : text;
}

export function orUnset(value: Json | undefined): string {
  return value === undefined || value === null ? '<unset>' : String(value);
}

/** `a=b,c=d`, sorted. */
export function labelText(labels: unknown): string {
  const text = Object.entries(objectAt(labels))
    .map(([key, value]) => `${key}=${value}`)
    .sort()
    .join(',');
  return orNone(text);
}

export function selectorText(selector: unknown): string {
  const requirements = fromSelectorObject(selector);
  if (requirements === undefined) return '<none>';
  const sorted = [...requirements].sort((a, b) => (a.key < b.key ? -1 : 1));
  return orNone(formatSelector(sorted));
}

/** Names and images of a template's containers, the last two wide columns of workloads. */
export function containerCells(object: KubeObject, ...path: readonly string[]): [string, string] {
  const containers = listAt(object, ...path, 'containers');
  return [
    containers.map((container) => textAt(container, 'name')).join(','),
    containers.map((container) => textAt(container, 'image')).join(','),
  ];
}

export function count(object: unknown, ...path: readonly string[]): number {
  const value = valueAt(object, ...path);
  return typeof value === 'number' ? value : 0;
}

export function size(value: Json | undefined): number {
  if (Array.isArray(value)) return value.length;
  return Object.keys(objectAt(value)).length;
}
