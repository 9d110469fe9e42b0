import type { ApplicationSet } from '@capstan/argocd-api';
import type { TemplateLanguage } from '@capstan/lib-gotemplate';
import { CapstanError, messageOf } from '@capstan/lib-std';
import { generateParameters } from './generate-parameters.ts';
import type { Surroundings } from './observation.ts';
import type { Parameters } from './parameters.ts';
import {
  type GeneratedApplication,
  mergeTemplates,
  renderApplication,
} from './render-application.ts';
import { applyTemplatePatch } from './template-patch.ts';
import { createTextRenderer, type TextRenderer } from './text-renderer.ts';
import { wrapError } from './wrap-error.ts';

export type GenerationReason = 'ApplicationGenerationFromParamsError' | 'RenderTemplateParamsError';

export type Generation =
  | { readonly kind: 'generated'; readonly applications: readonly GeneratedApplication[] }
  | { readonly kind: 'failed'; readonly reason: GenerationReason; readonly error: CapstanError };

export interface GenerationPorts {
  readonly surroundings: Surroundings;
  readonly language: TemplateLanguage;
  readonly now: () => number;
}

const APPLICATIONS_MAX = 10_000;

/**
 * All Applications that a set asks for, in the order of its generators. The first error ends it: a set that is understood
 * in part only is never acted upon. They are always in the set's own namespace.
 */
export async function generateApplications(
  applicationSet: ApplicationSet,
  { surroundings, language, now }: GenerationPorts,
): Promise<Generation> {
  const { spec } = applicationSet;
  const applications: GeneratedApplication[] = [];
  let reason: GenerationReason = 'ApplicationGenerationFromParamsError';
  try {
    const renderer = createTextRenderer({
      goTemplate: spec.goTemplate === true,
      goTemplateOptions: spec.goTemplateOptions ?? [],
      language,
      now,
    });
    for (const generator of spec.generators) {
      reason = 'ApplicationGenerationFromParamsError';
      const results = await generateParameters(generator, {
        applicationSet,
        surroundings,
        renderer,
      });
      reason = 'RenderTemplateParamsError';
      for (const { params, template } of results) {
        const merged = mergeTemplates(template, spec.template);
        checkCount(applications.length + params.length);
        for (const set of params)
          applications.push(
            renderOne({ ...applicationSet, spec: { ...spec, template: merged } }, set, renderer),
          );
      }
    }
  } catch (error) {
    return { kind: 'failed', reason, error: asCapstanError(error) };
  }
  return { kind: 'generated', applications };
}

function renderOne(
  { spec, metadata }: ApplicationSet,
  params: Parameters,
  renderer: TextRenderer,
): GeneratedApplication {
  const preservesResources = spec.syncPolicy?.preserveResourcesOnDeletion === true;
  const rendered = renderApplication(spec.template, params, { renderer, preservesResources });
  const patched =
    spec.templatePatch === undefined
      ? rendered
      : applyTemplatePatch(rendered, renderPatch(spec.templatePatch, params, renderer));
  const { namespace = '' } = metadata;
  return { ...patched, metadata: { ...patched.metadata, namespace } };
}

function renderPatch(text: string, params: Parameters, renderer: TextRenderer): string {
  try {
    return renderer.render(text, params);
  } catch (error) {
    throw wrapError('error replacing values in templatePatch', error);
  }
}

function checkCount(count: number): void {
  if (count <= APPLICATIONS_MAX) return;
  throw new CapstanError(
    'APPLICATIONS_TOO_MANY',
    `the set gives more than ${APPLICATIONS_MAX} applications`,
    { hint: 'narrow its generators, or split the ApplicationSet' },
  );
}

function asCapstanError(error: unknown): CapstanError {
  if (error instanceof CapstanError) return error;
  return new CapstanError('GENERATOR_FAILED', messageOf(error), { kind: 'bug', cause: error });
}
