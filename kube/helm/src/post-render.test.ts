import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type PostRenderer, postRenderFiles } from './post-render.ts';

const files = new Map([
  ['shop/templates/a.yaml', 'kind: ConfigMap\nmetadata:\n  name: a # kept\n'],
  [
    'shop/templates/hook.yaml',
    'kind: Job\nmetadata:\n  name: h\n  annotations: {helm.sh/hook: pre-install}\n---\nkind: Pod\nmetadata: {name: p}\n',
  ],
  ['shop/templates/_helpers.tpl', 'no: manifest'],
]);

function run(strategy: PostRenderer['strategy'], change: (text: string) => string): string {
  const given: string[] = [];
  const renderer: PostRenderer = {
    run: (text) => {
      given.push(text);
      return change(text);
    },
    ...(strategy === undefined ? {} : { strategy }),
  };
  const made = [...postRenderFiles(files, renderer)].map(([path, text]) => `# ${path}\n${text}`);
  return [`given ${given.length}`, ...made].join('\n');
}

describe('post-renderers', () => {
  test('get hooks and objects as one text, and each stays with its file', () => {
    assert.equal(
      run(undefined, (text) => text.replaceAll(/\bname: /g, 'name: x-')),
      [
        'given 1',
        '# shop/templates/a.yaml',
        'kind: ConfigMap\nmetadata:\n  name: x-a # kept\n',
        '# shop/templates/hook.yaml',
        'kind: Job\nmetadata:\n  name: x-h\n  annotations: {helm.sh/hook: pre-install}\n---\nkind: Pod\nmetadata: {name: x-p}\n',
      ].join('\n'),
    );
  });

  test('name the files of what they add', () => {
    assert.match(
      run('combined', (text) => `${text}---\nkind: Secret\nmetadata: {name: s}\n`),
      /# generated-by-postrender-3\.yaml\nkind: Secret/,
    );
    assert.match(
      run('separate', (text) => `${text}---\nkind: Secret\nmetadata: {name: s}\n`),
      /^given 2[\s\S]*generated-by-postrender-hooks-1\.yaml[\s\S]*generated-by-postrender-manifests-2\.yaml/,
    );
  });

  test('leave hooks alone with nohooks', () => {
    const text = run('nohooks', (all) => all.replaceAll(/\bname: /g, 'name: x-'));
    assert.match(text, /^given 1\n/);
    assert.match(text, /kind: Job\nmetadata:\n {2}name: h\n/);
    assert.match(text, /kind: Pod\nmetadata: \{name: x-p\}/);
  });

  test('say which text was no YAML', () => {
    const renderer = { run: () => '{' };
    assert.throws(() => postRenderFiles(files, renderer), {
      message: /^error while parsing post rendered output: yaml: /,
    });
  });
});
