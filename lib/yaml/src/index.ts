export type { NumberMode, YamlObject, YamlValue } from './decode.ts';
export { decodeYamlText } from './decode-text.ts';
export { type EmitOptions, emitDocument, emitDocuments } from './emit-node.ts';
export { emitValue, valueToNode } from './emit-value.ts';
export { YamlErrorCode } from './errors.ts';
export { type GoValue, goJson, type JsonOptions, parseJson } from './go-json.ts';
export { formatFloat, formatJsonFloat } from './go-number.ts';
export { quoteGo } from './go-syntax.ts';
export { compareBytes, compareKeys } from './key-order.ts';
export { DEFAULT_LIMITS, type YamlLimits } from './limits.ts';
export {
  copyNode,
  createNode,
  documentNode,
  longTag,
  mappingNode,
  type NodeKind,
  Style,
  sequenceNode,
  shortTag,
  stringNode,
  type YamlNode,
} from './node.ts';
export {
  nodeToValue,
  type ParseOptions,
  parseDocument,
  parseDocuments,
  parseYaml,
  parseYamlStrict,
} from './parse.ts';
export { findNode, type NodePath, type ReplaceOptions, replaceScalar } from './replace-scalar.ts';
export { resolveTag } from './resolve.ts';
export { type ToYamlOptions, toYaml } from './to-yaml.ts';
