import type { KubeObject } from '@capstan/kube-object';
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
  const seconds = Math.floor(milliseconds / 1000);
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
