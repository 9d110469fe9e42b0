export { type EntryKind, type FileTree, readText, type TreeEntry } from './file-tree.ts';
export { compileGlob, type GlobOptions } from './glob.ts';
export { type MemoryFiles, memoryTree } from './memory-tree.ts';
export { mountTrees, subTree } from './mount-trees.ts';
export { baseName, isWithin, joinPath, parentPath, relativePath, resolvePath } from './path.ts';
export { type ResolvedPath, resolveLinks } from './resolve-links.ts';
export { type RenderTrace, recordTrace, traceHolds, traceHoldsAt } from './trace.ts';
