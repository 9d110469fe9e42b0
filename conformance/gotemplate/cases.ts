import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Json } from './data.ts';
import type { Question } from './oracle.ts';

export interface Topic {
  readonly name: string;
  readonly questions: readonly Question[];
}

/**
 * Reads cases/*.txt. A line is a template, in which ␤ stands for a newline; `#` starts a comment; `@data`, `@missingkey`,
 * `@plain`, `@sprig`, `@define NAME TEXT` set what the templates after them get. `@version V`, `@strict V` and
 * `@constraint C @ V` ask about versions.
 */
export function readTopics(): Topic[] {
  const folder = join(import.meta.dirname, 'cases');
  return readdirSync(folder)
    .filter((file) => file.endsWith('.txt'))
    .sort()
    .map((file) => ({
      name: file.slice(0, -'.txt'.length),
      questions: readTopic(readFileSync(join(folder, file), 'utf8')),
    }));
}

interface Setting {
  data: Json;
  missingKey: string;
  plain: boolean;
  templates: Record<string, string>;
}

function readTopic(content: string): Question[] {
  const setting: Setting = { data: null, missingKey: '', plain: false, templates: {} };
  const questions: Question[] = [];
  for (const line of content.split('\n')) {
    if (line === '' || line.startsWith('#')) continue;
    const directive = /^@(\w+) ?(.*)$/.exec(line);
    if (directive === null) {
      questions.push({ ...setting, template: line.replaceAll('␤', '\n') });
      continue;
    }
    const question = apply(directive[1] ?? '', directive[2] ?? '', setting);
    if (question !== undefined) questions.push(question);
  }
  return questions;
}

function apply(name: string, rest: string, setting: Setting): Question | undefined {
  switch (name) {
    case 'data':
      setting.data = JSON.parse(rest);
      return undefined;
    case 'missingkey':
      setting.missingKey = rest === 'default' ? '' : rest;
      return undefined;
    case 'plain':
    case 'sprig':
      setting.plain = name === 'plain';
      return undefined;
    case 'define': {
      const [template = '', ...text] = rest.split(' ');
      setting.templates = {
        ...setting.templates,
        [template]: text.join(' ').replaceAll('␤', '\n'),
      };
      return undefined;
    }
    case 'version':
      return { op: 'version', version: rest };
    case 'strict':
      return { op: 'strictVersion', version: rest };
    case 'constraint': {
      const [constraint = '', version = ''] = rest.split(' @ ');
      return { op: 'constraint', constraint, version };
    }
    default:
      throw new Error(`no directive @${name}`);
  }
}
