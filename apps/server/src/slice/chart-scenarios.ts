import assert from 'node:assert/strict';
import type { JsonObject, KubeObject } from '@capstan/kube-object';
import { textAt } from '../views/fields.ts';
import { type Scenario, untilSynced } from './application-scenarios.ts';
import { APPLICATION, application, until, type World } from './world.ts';

const CHART = {
  'chart/Chart.yaml': 'apiVersion: v2\nname: web\nversion: 0.1.0\n',
  'chart/values.yaml': 'greeting: default\nfrom: chart\n',
  'chart/templates/_helpers.tpl': '{{ define "web.name" }}{{ .Release.Name }}-web{{ end }}',
  'chart/templates/cm.yaml': `apiVersion: v1
kind: ConfigMap
metadata:
  name: {{ include "web.name" . }}
data:
  value: {{ .Values.greeting | quote }}
  from: {{ .Values.from }}
`,
} as const;

/** An Application of several sources, or of one with source.helm. */
function chartApplication(name: string, sources: readonly JsonObject[]): KubeObject {
  const base = application(name, { url: '', path: '' });
  const spec = base['spec'] as JsonObject;
  const { source: _source, ...rest } = spec;
  return { ...base, spec: { ...rest, sources } };
}

async function data(world: World, name: string, key: string): Promise<string> {
  const ref = { apiVersion: 'v1', kind: 'ConfigMap', namespace: name, name: `${name}-web` };
  return textAt(await world.get(ref), 'data', key);
}

export const CHART_SCENARIOS: readonly Scenario[] = [
  {
    name: 'a chart takes its values from another repository, and follows both',
    run: async (world) => {
      const charts = await world.repository('charts');
      const values = await world.repository('values');
      await charts.push(CHART);
      await values.push({
        'prod/web.yaml': 'greeting: from values\n',
        'prod/other.yaml': 'x: 1\n',
      });
      await world.apply(
        chartApplication('charted', [
          {
            repoURL: charts.url,
            path: 'chart',
            targetRevision: 'main',
            helm: {
              valueFiles: ['$values/prod/web.yaml'],
              parameters: [{ name: 'from', value: 'parameter' }],
            },
          },
          { repoURL: values.url, targetRevision: 'main', ref: 'values' },
        ]),
      );
      await until(
        'the chart',
        20_000,
        async () => (await data(world, 'charted', 'value')) === 'from values',
      );
      assert.equal(await data(world, 'charted', 'from'), 'parameter');
      await values.push({ 'prod/web.yaml': 'greeting: changed\n' });
      const followed = await until(
        'the new values',
        5_000,
        async () => (await data(world, 'charted', 'value')) === 'changed',
      );
      return { followedMs: followed.tookMs };
    },
  },
  {
    name: 'values that would leave their repository are refused with one condition',
    run: async (world) => {
      const charts = await world.repository('charts-refused');
      await charts.push({ ...CHART, 'secret.yaml': 'greeting: canary\n' });
      await world.apply(
        chartApplication('refused', [
          {
            repoURL: charts.url,
            path: 'chart',
            targetRevision: 'main',
            helm: { valueFiles: ['$values/../../secret.yaml'] },
          },
          { repoURL: charts.url, targetRevision: 'main', ref: 'values' },
        ]),
      );
      const { value } = await until('the refusal', 20_000, async () => {
        const app = await world.get({ ...APPLICATION, name: 'refused' });
        const text = JSON.stringify(app?.['status'] ?? {});
        return text.includes('is refused') && text;
      });
      assert.doesNotMatch(value, /canary/);
      return undefined;
    },
  },
  {
    name: 'a folder that holds a chart is rendered without being told',
    run: async (world) => {
      const charts = await world.repository('charts-detected');
      const commit = await charts.push(CHART);
      await world.apply(application('detected', { url: charts.url, path: 'chart' }));
      await untilSynced(world, 'detected', commit);
      assert.equal(await data(world, 'detected', 'value'), 'default');
      return undefined;
    },
  },
];
