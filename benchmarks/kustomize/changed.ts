/**
 * What a commit that changes one file costs when everything was built before: find the overlays that read it by their
 * traces, and build those. Prints the median of milliseconds over many files.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { build, KustomizeCache } from '@capstan/kube-kustomize';
import { diskTree } from '@capstan/lib-files/disk';

const [root = '', ...folders] = process.argv.slice(2);
const cache = new KustomizeCache();
const readers = new Map<string, string[]>();
const before = diskTree(root);
for (const folder of folders) {
  const result = build(before, folder, { root, cache });
  for (const path of result.trace.files.keys()) {
    const list = readers.get(path) ?? [];
    list.push(folder);
    readers.set(path, list);
  }
}

const times: number[] = [];
for (const folder of folders.slice(0, 60)) {
  const file = `${folder.slice(root.length + 1)}/patch-deployment.yaml`;
  writeFileSync(
    join(root, file),
    readFileSync(join(root, file), 'utf8').replace('replicas: 2', 'replicas: 3'),
  );
  const tree = diskTree(root);
  const start = performance.now();
  for (const reader of readers.get(file) ?? []) {
    const result = build(tree, reader, { root, cache });
    if (result.kind !== 'built' || !result.yaml.includes('replicas: 3'))
      throw new Error('not rebuilt');
  }
  times.push(performance.now() - start);
}
times.sort((a, b) => a - b);
console.log(times[times.length >> 1]!.toFixed(3));
