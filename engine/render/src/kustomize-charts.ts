import type { ChartRequest, RenderChart } from '@capstan/kube-kustomize';
import { CapstanError } from '@capstan/lib-std';
import type { ChartRenderer } from './render-helm.ts';

const HOOK = /["']?helm\.sh\/hook["']?\s*:/;

/** Renders charts of kustomizations (`helmCharts`) as others are rendered, in the terms of `kustomize build --enable-helm`. */
export function kustomizeCharts(renderChart: ChartRenderer): RenderChart {
  return ({ chart, files, path, values, apiVersions, kubeVersion }: ChartRequest) => {
    if (chart.nameTemplate)
      throw new CapstanError('HELM_UNSUPPORTED', 'nameTemplate of helmCharts is not followed', {
        hint: 'give a releaseName',
      });
    const documents = renderChart({
      files,
      folder: path,
      release: {
        name: chart.releaseName || 'release-name',
        namespace: chart.namespace || 'default',
      },
      valueTexts: values.map((text, index) => ({ name: `values ${index + 1}`, text })),
      settings: [],
      includeCrds: chart.includeCRDs ?? false,
      skipTests: chart.skipTests ?? false,
      skipSchemaValidation: false,
      apiVersions,
      ...(kubeVersion === '' ? {} : { kubeVersion }),
    });
    return documents
      .filter(({ text }) => chart.skipHooks !== true || !HOOK.test(text))
      .map(({ text }) => `---\n${text.trim()}\n`)
      .join('');
  };
}
