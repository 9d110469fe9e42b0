import type { KubeObject } from '@capstan/kube-object';
import type { ServedResource } from '../served-resource.ts';
import { AGE, age, NAME, nameOf } from './cells.ts';
import type { Printer } from './table.ts';

/** The printer of a resource; one without its own shows name and time of creation. */
export function printerFor(_resource: ServedResource): Printer {
  return DEFAULT_PRINTER;
}

const DEFAULT_PRINTER: Printer = {
  columns: [NAME, AGE],
  cells: (object: KubeObject, now) => [nameOf(object), age(object, now)],
};
