import {
  anything,
  fixed,
  GoError,
  type MissingKey,
  sprigFunctions,
  TemplateLanguage,
  TemplateSet,
  text,
} from '@capstan/lib-gotemplate';
import {
  checkConstraint,
  formatConstraint,
  formatVersion,
  parseConstraint,
  parseStrictVersion,
  parseVersion,
  SemverError,
  validateConstraint,
} from '@capstan/lib-semver';
import { type Json, revive } from './data.ts';
import type { Answer, Question } from './oracle.ts';

const include = fixed([text, anything], (name, data, context) => context.render(name, data));

export interface Languages {
  readonly plain: TemplateLanguage;
  readonly sprig: TemplateLanguage;
}

export function languages(): Languages {
  return {
    plain: new TemplateLanguage(),
    sprig: new TemplateLanguage([...sprigFunctions(), ['include', include]]),
  };
}

/** Our answer to a question that the oracle answers too. */
export function answerOf(question: Question, { plain, sprig }: Languages): Answer {
  try {
    switch (question.op) {
      case 'version': {
        const version = parseVersion(question.version ?? '');
        const shown = [formatVersion(version), version.original, version.prerelease].join('|');
        return { out: shown };
      }
      case 'strictVersion':
        return { out: formatVersion(parseStrictVersion(question.version ?? '')) };
      case 'constraint':
        return constraintAnswer(question);
      default:
        return { out: render(question, question.plain === true ? plain : sprig) };
    }
  } catch (error) {
    if (error instanceof GoError || error instanceof SemverError) {
      return { error: comparable(error.message) };
    }
    throw error;
  }
}

function constraintAnswer(question: Question): Answer {
  const constraint = parseConstraint(question.constraint ?? '');
  const version = parseVersion(question.version ?? '');
  const problems = validateConstraint(constraint, version);
  return {
    out: formatConstraint(constraint),
    check: checkConstraint(constraint, version),
    ...(problems.length > 0 ? { problems } : {}),
  };
}

function render(question: Question, language: TemplateLanguage): string {
  const set = new TemplateSet(language);
  for (const [name, source] of Object.entries(question.templates ?? {})) set.parse(name, source);
  set.parse('t', question.template ?? '');
  const data: Json = question.data ?? null;
  const missingKey = missingKeyOf(question.missingKey);
  const out = set.execute('t', revive(data), { missingKey, now: () => 1_700_000_000_000 });
  return comparable(out);
}

function missingKeyOf(name: string | undefined): MissingKey {
  return name === 'zero' || name === 'error' ? name : 'default';
}

/** JSON holds no invalid UTF-8: the oracle's answer has U+FFFD for each such byte. */
function comparable(out: string): string {
  return out.replaceAll(/[\udc80-\udcff]/gu, '\ufffd');
}
