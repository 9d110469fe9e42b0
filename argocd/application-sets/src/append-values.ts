import { type Parameters, stringMap } from './parameters.ts';
import type { TextRenderer } from './text-renderer.ts';
import { within } from './wrap-error.ts';

/**
 * The parameters with a generator's own `values`, each rendered with the parameters alone: one value never sees another,
 * so that they cannot multiply.
 */
export function appendValues(
  params: Parameters,
  values: { readonly [name: string]: string } | undefined,
  renderer: TextRenderer,
): Parameters {
  const given = Object.entries(values ?? {});
  if (given.length === 0) return params;
  const rendered = given.map(
    ([name, text]) =>
      [
        name,
        within('failed to replace templated string with rendered values', () =>
          renderer.render(text, params),
        ),
      ] as const,
  );
  if (renderer.isGoTemplate) return { ...params, values: stringMap(Object.fromEntries(rendered)) };
  return {
    ...params,
    ...Object.fromEntries(rendered.map(([name, text]) => [`values.${name}`, text])),
  };
}
