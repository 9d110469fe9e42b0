export { type EntryKind, type FileTree, readText, type TreeEntry } from './file-tree.ts';
export { compileGlob, type GlobOptions, globProblem } from './glob.ts';
export { type MemoryFile, type MemoryFiles, memoryTree } from './memory-tree.ts';
export { mountTrees, overlayAt, subTree } from './mount-trees.ts';
export { baseName, isWithin, joinPath, parentPath, relativePath, resolvePath } from './path.ts';
export { type ResolvedPath, resolveLinks } from './resolve-links.ts';
export { type TarLimits, tarEnd, tarFile, tarFolder, treeOfTar } from './tar.ts';
export { type RenderTrace, recordTrace, traceHolds } from './trace.ts';
