import type { ListGenerator } from '@capstan/argocd-api';
import type { Json } from '@capstan/kube-object';
import { CapstanError, messageOf } from '@capstan/lib-std';
import { parseYaml } from '@capstan/lib-yaml';
import { cannotUnmarshal, isRecord } from './json.ts';
import { type Parameters, toGoValue } from './parameters.ts';

/** Elements as they stand with Go templates; texts only, with `values` flattened, without. */
export function generateList(
  { elements = [], elementsYaml = '' }: ListGenerator,
  options: { readonly goTemplate: boolean },
): readonly Parameters[] {
  const listed = elements.map((element, index) => {
    const field = `list.elements[${index}]`;
    if (!isRecord(element)) throw invalid(`${field} is not an object`);
    return options.goTemplate ? toParameters(element) : textParameters(element, field);
  });
  return elementsYaml === '' ? listed : [...listed, ...readElements(elementsYaml)];
}

function readElements(text: string): readonly Parameters[] {
  let value: ReturnType<typeof parseYaml>;
  try {
    value = parseYaml(text, { numbers: 'float64' });
  } catch (error) {
    throw invalid(`error unmarshling decoded ElementsYaml ${messageOf(error)}`);
  }
  if (value === null) return [];
  const failed = 'error unmarshling decoded ElementsYaml ';
  if (!Array.isArray(value))
    throw invalid(failed + cannotUnmarshal(value, '[]map[string]interface {}'));
  return value.map((item) => {
    if (isRecord(item) || item === null) return toParameters(item);
    throw invalid(failed + cannotUnmarshal(item, 'map[string]interface {}'));
  });
}

function toParameters(element: Json): Parameters {
  const value = isRecord(element) ? element : {};
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, toGoValue(item)]));
}

function textParameters(element: { readonly [key: string]: Json | undefined }, field: string) {
  const params: Parameters = {};
  for (const [key, value] of Object.entries(element)) {
    if (key !== 'values') params[key] = textOf(value, `${field}.${key}`);
    else if (isRecord(value)) {
      for (const [name, item] of Object.entries(value))
        params[`values.${name}`] = textOf(item, `${field}.values.${name}`);
    } else throw invalid(`error parsing values map: ${field}.values is not an object`);
  }
  return params;
}

function textOf(value: Json | undefined, field: string): string {
  if (typeof value === 'string') return value;
  throw invalid(`error parsing value as string: ${field} is no text`);
}

function invalid(message: string): CapstanError {
  return new CapstanError('SPEC_INVALID', message, {
    hint: 'quote the values of list elements, or set spec.goTemplate: true to use other types',
  });
}
