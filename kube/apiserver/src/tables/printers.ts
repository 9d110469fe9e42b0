import type { Json, KubeObject } from '@capstan/kube-object';
import type { ServedResource } from '../served-resource.ts';
import { AGE, age, NAME, nameOf, since } from './cells.ts';
import { CLUSTER_PRINTERS } from './cluster-printers.ts';
import { CORE_PRINTERS } from './core-printers.ts';
import { RARE_PRINTERS } from './rare-printers.ts';
import { simplePath } from './simple-path.ts';
import type { Printer } from './table.ts';
import { WORKLOAD_PRINTERS } from './workload-printers.ts';

/** The printer of a resource; one without its own shows name and age. */
export function printerFor(resource: ServedResource): Printer {
  const { custom } = resource;
  if (custom !== undefined) return customPrinter(custom.printerColumns);
  const { bucket } = resource;
  return (
    WORKLOAD_PRINTERS[bucket] ??
    CORE_PRINTERS[bucket] ??
    CLUSTER_PRINTERS[bucket] ??
    RARE_PRINTERS[bucket] ??
    DEFAULT_PRINTER
  );
}

const DEFAULT_PRINTER: Printer = {
  columns: [NAME, AGE],
  cells: (object: KubeObject, now) => [nameOf(object), age(object, now)],
};

type CustomColumns = NonNullable<ServedResource['custom']>['printerColumns'];

/** The columns of a custom resource definition, each a JSON path. Without any: name and age. */
function customPrinter(given: CustomColumns): Printer {
  const shown: CustomColumns =
    given.length > 0
      ? given
      : [
          {
            name: 'Age',
            type: 'date',
            format: '',
            description: AGE.description ?? '',
            priority: 0,
            jsonPath: '.metadata.creationTimestamp',
          },
        ];
  return {
    columns: [
      NAME,
      ...shown.map(({ name, type, format, description, priority }) => ({
        name,
        type,
        format,
        description,
        priority,
      })),
    ],
    cells: (object, now) => [
      nameOf(object),
      ...shown.map((column) => customCell(object, column, now)),
    ],
  };
}

function customCell(object: KubeObject, column: CustomColumns[number], now: number): Json {
  const value = simplePath(object, column.jsonPath);
  if (value === undefined || value === null) return null;
  if (column.type === 'date') return typeof value === 'string' ? since(value, now) : '<invalid>';
  if (column.type === 'integer' || column.type === 'number') {
    return typeof value === 'number' || typeof value === 'bigint' ? value : null;
  }
  if (column.type === 'boolean') return typeof value === 'boolean' ? value : null;
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}
