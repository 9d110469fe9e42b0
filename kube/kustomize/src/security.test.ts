import assert from 'node:assert/strict';
import { test } from 'node:test';
import { memoryTree } from '@capstan/lib-files';
import { buildText } from './test-build.ts';

const CM = 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {secret: canary}\n';
const FOLDER = 'resources: [cm.yaml]\n';

function refused(text: string, why: RegExp): void {
  assert.match(text, /^Error: /);
  assert.match(text, why);
  assert.doesNotMatch(text, /canary/, 'no content of what is refused');
}

test('values files of charts outside the kustomization are not read', () => {
  for (const file of [
    '../../../../etc/passwd',
    '/etc/passwd',
    'file:///etc/passwd',
    '..%2Fsecret',
  ]) {
    const kustomization = `helmCharts:\n- name: c\n  additionalValuesFiles: ["${file}"]\n`;
    const files = { 'app/kustomization.yaml': kustomization, 'etc/passwd': 'canary' };
    refused(buildText(files, '/app', { enableHelm: true }), /security|no such file|leads out/);
  }
});

test('a link to a file of another folder, or out of the tree, is refused', () => {
  for (const link of ['../other/cm.yaml', '/other/cm.yaml', '/proc/self/environ', '../../x']) {
    const files = {
      'app/kustomization.yaml': FOLDER,
      'app/cm.yaml': { link },
      'other/cm.yaml': CM,
    };
    refused(buildText(files, '/app'), /security|no such file|leads out/);
  }
});

test('a link inside the folder is followed', () => {
  const files = {
    'app/kustomization.yaml': FOLDER,
    'app/cm.yaml': { link: 'real.yaml' },
    'app/real.yaml': CM,
  };
  assert.match(buildText(files, '/app'), /^apiVersion: v1/);
});

test('a folder that is a link out of the tree is refused, and so is a loop of links', () => {
  const outside = {
    'app/kustomization.yaml': 'resources: [base]\n',
    'app/base': { link: '../../../etc' },
  };
  refused(buildText(outside, '/app', { root: '/repo' }), /no such file|leads out/);
  const loop = {
    'app/kustomization.yaml': FOLDER,
    'app/cm.yaml': { link: 'cm2.yaml' },
    'app/cm2.yaml': { link: 'cm.yaml' },
  };
  refused(buildText(loop, '/app'), /too many links/);
});

test('nothing beyond the root of the tree is reached by any field', () => {
  const fields = [
    'resources: [../../../otherteam]',
    'components: [../../../otherteam]',
    'configurations: [../../../otherteam/x.yaml]',
    'crds: [../../../otherteam/x.yaml]',
    'openapi: {path: ../../../otherteam/x.yaml}',
    'replacements: [{path: ../../../otherteam/x.yaml}]',
    'patches: [{path: ../../../otherteam/x.yaml}]',
    'patchesStrategicMerge: [../../../otherteam/x.yaml]',
    'generators: [../../../otherteam/x.yaml]',
    'transformers: [../../../otherteam/x.yaml]',
    'validators: [../../../otherteam/x.yaml]',
  ];
  for (const field of fields) {
    const files = {
      'app/kustomization.yaml': `${FOLDER}${field}\n`.replace(
        /^resources: \[cm.yaml\]\nresources/,
        'resources',
      ),
      'app/cm.yaml': CM,
      'otherteam/kustomization.yaml': FOLDER,
      'otherteam/cm.yaml': CM,
      'otherteam/x.yaml': CM,
    };
    refused(buildText(files, '/app'), /security/);
  }
});

test('remote content of forbidden schemes and hosts is refused before anything is asked for', () => {
  const urls = [
    'https://169.254.169.254/latest/meta-data',
    'https://169.254.169.254/org/repo//path',
    'https://[fe80::1]/org/repo',
    'http://127.0.0.1/org/repo.git',
    'https://2130706433/org/repo',
    'https://0x7f.1/org/repo',
    'https://metadata.google.internal/a/b',
    'https://LOCALHOST./org/repo',
    'git::file:///srv/repo',
    'file:///srv/repo.git',
    'ssh://git@internal/org/repo',
    'git@internal:org/repo.git',
    'http://example.com/org/repo',
    'https://evil.example/org/repo',
  ];
  const asked: string[] = [];
  const remote = {
    repository: ({ raw }: { raw: string }) => {
      asked.push(raw);
      return { kind: 'pending' } as const;
    },
    file: (url: string) => {
      asked.push(url);
      return { kind: 'pending' } as const;
    },
  };
  for (const url of urls) {
    const files = { 'kustomization.yaml': `resources: ["${url}"]\n` };
    const remotePolicy = { schemes: ['https', 'file'], hosts: ['github.com', '*.example.com'] };
    refused(buildText(files, '/', { remote, remotePolicy }), /is not allowed/);
  }
  const any = { schemes: ['https', 'http', 'ssh', 'file'], hosts: ['*'] };
  for (const url of urls.slice(0, 10)) {
    const files = { 'kustomization.yaml': `resources: ["${url}"]\n` };
    refused(buildText(files, '/', { remote, remotePolicy: any }), /is not allowed/);
  }
  assert.deepEqual(asked, []);
});

test('remote content is off unless a policy admits it, and then it is asked for', () => {
  const files = {
    'kustomization.yaml': 'resources: ["https://github.com/org/repo//base?ref=v1"]\n',
  };
  refused(buildText(files), /no remote content is allowed/);
  const remotePolicy = { schemes: ['https'], hosts: ['github.com'] };
  const remote = {
    repository: () =>
      ({
        kind: 'found',
        content: memoryTree({ 'base/kustomization.yaml': FOLDER, 'base/cm.yaml': CM }),
      }) as const,
    file: () => ({ kind: 'failed', message: 'URL is a git repository' }) as const,
  };
  assert.match(buildText(files, '/', { remote, remotePolicy }), /^apiVersion: v1/);
  const pending = { repository: () => ({ kind: 'pending' }) as const, file: remote.file };
  assert.equal(buildText(files, '/', { remote: pending, remotePolicy }), 'pending: repository');
});

test('a repository elsewhere reads nothing but itself, whatever the load restrictor', () => {
  const files = {
    'kustomization.yaml': 'resources: ["https://github.com/org/repo//base"]\n',
    'cm.yaml': CM,
  };
  const remotePolicy = { schemes: ['https'], hosts: ['github.com'] };
  for (const inner of ['../../cm.yaml', '/cm.yaml', '../../../../cm.yaml']) {
    const tree = memoryTree({ 'base/kustomization.yaml': `resources: ["${inner}"]\n` });
    const remote = {
      repository: () => ({ kind: 'found', content: tree }) as const,
      file: () => ({ kind: 'failed', message: 'no file' }) as const,
    };
    refused(
      buildText(files, '/', { remote, remotePolicy, loadRestrictor: 'none' }),
      /security|no such file|leads out|absolute/,
    );
  }
});

test('functions in containers, programs and other helm commands are refused by name', () => {
  const plugin = (annotation: string) => ({
    'kustomization.yaml': 'transformers: [t.yaml]\n',
    't.yaml': `apiVersion: team.example.com/v1\nkind: Sed\nmetadata:\n  name: t\n  annotations:\n    config.kubernetes.io/function: |\n      ${annotation}\n`,
  });
  refused(
    buildText(plugin('container: {image: evil}')),
    /external plugins disabled; unable to load external plugin 'Sed'/,
  );
  const on = { enableAlphaPlugins: true };
  refused(
    buildText(plugin('container: {image: evil/img}'), '/', on),
    /does not run containers, and it asks for image 'evil\/img'/,
  );
  refused(
    buildText(plugin('exec: {path: ./run.sh}'), '/', on),
    /does not run programs, and it asks for '.\/run.sh'/,
  );
  const chart = { 'kustomization.yaml': 'helmCharts: [{name: c}]\n' };
  refused(buildText(chart), /must specify --enable-helm/);
  refused(
    buildText(chart, '/', { enableHelm: true, helmCommand: '/tmp/evil' }),
    /rendered by Capstan's own Helm/,
  );
});

test('generators read no file outside their folder', () => {
  for (const kind of ['secretGenerator', 'configMapGenerator']) {
    for (const source of [
      'files: [/var/run/secrets/token]',
      'envs: [/var/run/secrets/token]',
      'files: [key=../../var/run/secrets/token]',
      'envs: [../secret]',
    ]) {
      const files = {
        'app/kustomization.yaml': `${kind}:\n- name: x\n  ${source}\n`,
        'var/run/secrets/token': 'A=canary',
        secret: 'A=canary',
      };
      refused(buildText(files, '/app'), /security/);
    }
  }
});

const wrap = (yaml: string) => ({ 'kustomization.yaml': FOLDER, 'cm.yaml': yaml });

test('a bomb of aliases ends in an error', () => {
  const levels = Array.from({ length: 12 }, (_, i) => {
    const inner = i === 0 ? 'x' : `*a${i - 1}`;
    return `a${i}: &a${i} [${Array(10).fill(inner).join(', ')}]`;
  });
  const yaml = `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n${levels.join('\n')}\n`;
  refused(buildText(wrap(yaml)), /alias/);
  refused(buildText({ 'kustomization.yaml': `${levels.join('\n')}\n` }), /alias|unknown field/);
});

test('an alias of its own content ends', () => {
  const head = 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n';
  refused(buildText(wrap(`${head}x: &x [*x]\n`)), /contains itself/);
  assert.match(buildText(wrap(`${head}x: &x\n  <<: *x\n`)), /^x: \{\}$/m);
});

test('nesting of ten thousand levels ends in an error', () => {
  const deep = `${'['.repeat(10_000)}${']'.repeat(10_000)}`;
  refused(
    buildText(wrap(`apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\nx: ${deep}\n`)),
    /depth|nest/,
  );
  refused(buildText({ 'kustomization.yaml': `resources: ${deep}\n` }), /depth|nest/);
});

test('a file over the limit, and too many files, end in an error', () => {
  const big = `${CM}x: ${'y'.repeat(5000)}\n`;
  refused(buildText(wrap(big), '/', { limits: { fileBytesMax: 4000 } }), /the limit is 4000/);
  const many = {
    'kustomization.yaml': 'resources: [a.yaml, b.yaml]\n',
    'a.yaml': CM,
    'b.yaml': CM.replace('name: a', 'name: b'),
  };
  refused(buildText(many, '/', { limits: { filesMax: 2 } }), /more than 2 files/);
  refused(buildText(many, '/', { limits: { resourcesMax: 1 } }), /more than 1 resources/);
});

test('kustomizations that nest too deep end in an error', () => {
  const files: Record<string, string> = {};
  for (let i = 0; i < 12; i++) files[`l${i}/kustomization.yaml`] = `resources: [../l${i + 1}]\n`;
  files['l12/kustomization.yaml'] = 'namePrefix: a\n';
  refused(buildText(files, '/l0', { limits: { depthMax: 10 } }), /nest deeper than 10/);
  assert.equal(buildText(files, '/l0'), '');
});

test('replacements that feed each other end in an error', () => {
  const line =
    '- source: {kind: ConfigMap, fieldPath: data.secret}\n  targets: [{select: {kind: ConfigMap}, fieldPaths: [data.secret], options: {delimiter: "", index: 0}}]\n';
  const doubling = line
    .replaceAll('delimiter: ""', 'delimiter: "a"')
    .replace('index: 0', 'index: 99');
  const files = {
    'kustomization.yaml': `${FOLDER}replacements:\n${doubling.repeat(40)}`,
    'cm.yaml': CM.replace('canary', 'bbbb'),
  };
  refused(
    buildText(files, '/', { limits: { replacedTextMax: 100_000 } }),
    /replacements write more than/,
  );
});

test('a build over its time ends in an error', () => {
  let now = 0;
  const options = { now: () => (now += 1000), limits: { timeMs: 1500 } };
  refused(buildText(wrap(CM), '/', options), /longer than 1500 ms/);
});

test('duplicate keys, NUL and bytes that are no UTF-8 end in an error or in text', () => {
  refused(buildText(wrap(`${CM}data: {secret: again}\n`)), /already defined/);
  refused(buildText(wrap(`${CM}x: "a\u0000b"\n`)), /control characters/);
  const bytes = new Uint8Array([...new TextEncoder().encode(`${CM}x: `), 0xff, 0xfe, 0x0a]);
  refused(
    buildText({ 'kustomization.yaml': FOLDER, 'cm.yaml': bytes }),
    /invalid leading UTF-8 octet/,
  );
  refused(buildText({ 'kustomization.yaml': bytes }), /invalid leading UTF-8 octet/);
});

test('patterns that backtrack elsewhere take linear time', () => {
  const files = {
    'kustomization.yaml': `${FOLDER}patches:\n- target: {name: "(a+)+$"}\n  patch: '[{"op": "add", "path": "/x", "value": 1}]'\n`,
    'cm.yaml': CM.replace('name: a', `name: ${'a'.repeat(60)}b`),
  };
  assert.match(buildText(files), /^apiVersion: v1/);
});
