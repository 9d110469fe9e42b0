import { loadChart, packChart } from '@capstan/kube-helm';
import { memoryTree } from '@capstan/lib-files';
import { listen, type Serving } from '../../http/serve.ts';

const VERSIONS = ['1.0.0', '1.1.0', '2.0.0'];

/** Holds the chart `web`, whose ConfigMap `a` tells the value that it was given and its version. */
export function startChartRegistry(login?: {
  readonly username: string;
  readonly password: string;
}): Promise<Serving> {
  const expected =
    login === undefined
      ? undefined
      : `Basic ${Buffer.from(`${login.username}:${login.password}`).toString('base64')}`;
  return listen(
    (request, response) => {
      if (expected !== undefined && request.headers.authorization !== expected) {
        response.writeHead(401);
        return response.end();
      }
      const version = /^\/web-(.*)\.tgz$/.exec(request.url ?? '')?.[1];
      if (version !== undefined) return response.end(packed(version));
      const entries = VERSIONS.map(
        (one) => `  - {name: web, version: ${one}, urls: [web-${one}.tgz]}\n`,
      );
      return response.end(`apiVersion: v1\nentries:\n  web:\n${entries.join('')}`);
    },
    { port: 0, address: '127.0.0.1', name: 'the chart registry' },
  );
}

function packed(version: string): Uint8Array {
  const files = {
    'web/Chart.yaml': `apiVersion: v2\nname: web\nversion: ${version}\n`,
    'web/values.yaml': 'value: default\n',
    'web/templates/a.yaml': `apiVersion: v1
kind: ConfigMap
metadata: {name: a}
data: {value: "{{ .Values.value }} {{ .Chart.Version }}"}
`,
  };
  return packChart(loadChart(memoryTree(files), 'web'));
}
