import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { chartOfFiles } from './load-chart.ts';
import { renderChart } from './render-chart.ts';

test('a file that is no text keeps its bytes', () => {
  const bytes = Uint8Array.from([0x1f, 0x8b, 0xff, 0xc3, 0x0a, 0xe2, 0x82, 0xac, 0x80]);
  const template = `kind: T
get: {{ .Files.Get "f.bin" | b64enc }}
lines: {{ range .Files.Lines "f.bin" }}{{ b64enc . }},{{ end }}
sum: {{ .Files.Get "f.bin" | sha256sum }}
length: {{ .Files.Get "f.bin" | len }}
json: {{ .Files.Get "f.bin" | toJson }}
{{ (.Files.Glob "*").AsConfig }}
{{ (.Files.Glob "*").AsSecrets }}
`;
  const utf8 = new TextEncoder();
  const chart = chartOfFiles([
    { name: 'Chart.yaml', data: utf8.encode('apiVersion: v2\nname: app\nversion: 0.1.0\n') },
    { name: 'f.bin', data: bytes },
    { name: 'templates/t.yaml', data: utf8.encode(template) },
  ]);
  const { yaml } = renderChart(chart, {}, { release: { name: 'rel', namespace: 'default' } });
  // What helm 4.3.1 prints for the same chart.
  const base64 = Buffer.from(bytes).toString('base64');
  const sum = createHash('sha256').update(bytes).digest('hex');
  assert.equal(
    yaml,
    `---
# Source: app/templates/t.yaml
kind: T
get: ${base64}
lines: H4v/ww==,4oKsgA==,
sum: ${sum}
length: 9
json: "\\u001f\\ufffd\\ufffd\\ufffd\\n€\\ufffd"
f.bin: "\\x1F���\\n€�"
f.bin: ${base64}

`,
  );
});
