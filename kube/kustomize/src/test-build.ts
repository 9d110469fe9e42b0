import { type MemoryFiles, memoryTree } from '@capstan/lib-files';
import { type BuildOptions, build } from './build.ts';

/** For tests: the YAML that the files give, or the error, or what is pending. */
export function buildText(files: MemoryFiles, path = '/', options: BuildOptions = {}): string {
  const result = build(memoryTree(files), path, options);
  if (result.kind === 'built') return result.yaml;
  if (result.kind === 'failed') return `Error: ${result.error.message}`;
  return `pending: ${result.requests.map((request) => request.kind).join(', ')}`;
}
