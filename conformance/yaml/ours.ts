import {
  emitDocuments,
  emitValue,
  goJson,
  nodeToValue,
  parseDocument,
  parseDocuments,
  parseJson,
  parseYaml,
  parseYamlStrict,
  toYaml,
  type YamlNode,
} from '@capstan/lib-yaml';
import type { Answer, Question } from './oracle.ts';

/** Capstan's answer to a question, in the oracle's form. */
export function answerOurs(question: Question): Answer {
  try {
    return perform(question);
  } catch (error) {
    return { error: error instanceof Error ? error.message : String(error) };
  }
}

function perform({ op, input }: Question): Answer {
  switch (op) {
    case 'nodes':
      return nodes(parseDocuments(input));
    case 'unmarshal':
      return { output: goJson(parseYaml(input)) };
    case 'unmarshal-strict':
      return { output: goJson(parseYamlStrict(input)) };
    case 'node-value': {
      const first = parseDocument(input);
      return { output: first === undefined ? 'null' : goJson(nodeToValue(first)) };
    }
    case 'marshal':
      return { output: toYaml(parseJson(input)) };
    case 'pretty':
      return { output: emitValue(JSON.parse(input), { indent: 2, compactSequences: false }) };
    case 'json':
      return { output: goJson(JSON.parse(input)) };
    case 'json-indent':
      return { output: goJson(JSON.parse(input), { indent: '  ' }) };
  }
}

function nodes(documents: readonly YamlNode[]): Answer {
  const described = documents.map(describe);
  try {
    return {
      nodes: described,
      output: emitDocuments(documents),
      wide: emitDocuments(documents, { compactSequences: false }),
      four: emitDocuments(documents, { indent: 4, compactSequences: false }),
    };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return { nodes: described, error: `emit: ${reason}` };
  }
}

/** A node as plain data, without the target of an alias, which may be the node's own ancestor. */
function describe(node: YamlNode): unknown {
  const { alias: _, content, ...rest } = node;
  return { ...rest, content: content.map(describe) };
}
