import {
  dns1035LabelProblems,
  dnsLabelProblems,
  labelKeyProblems,
  labelValueProblems,
  subdomainProblems,
} from '@capstan/kube-object';
import { matchesFormat, requestUriProblem } from '@capstan/kube-schema';
import {
  ArrayList,
  CelExtension,
  type CelFunction,
  CelOptional,
  type CelType,
  namedType,
  noSuchOverload,
} from '@capstan/lib-expressions';

type Problems = (text: string) => readonly string[];

const FORMAT = 'kubernetes.NamedFormat';

/** `format.dns1123Label()`: a named format that texts can be validated by. */
export class NamedFormat extends CelExtension {
  readonly type: CelType = namedType(FORMAT);
  readonly name: string;
  /** Of its pattern, for costs. */
  readonly patternSize: number;
  readonly problems: Problems;

  constructor(name: string, patternSize: number, problems: Problems) {
    super();
    this.name = name;
    this.patternSize = patternSize;
    this.problems = problems;
  }

  equals(other: CelExtension): boolean {
    return other instanceof NamedFormat && other.name === this.name;
  }

  static functions(): Record<string, CelFunction> {
    const made: Record<string, CelFunction> = {
      'format.named': {
        overloads: [`format_named: (string) -> optional(${FORMAT})`],
        call: ([name]) => {
          if (typeof name !== 'string') throw noSuchOverload();
          return new CelOptional(FORMATS.get(name));
        },
      },
      validate: {
        overloads: [`format_validate: ${FORMAT}.(string) -> optional(list(string))`],
        call: ([format, text]) => {
          if (!(format instanceof NamedFormat) || typeof text !== 'string') throw noSuchOverload();
          const problems = format.problems(text);
          return problems.length === 0
            ? new CelOptional()
            : new CelOptional(new ArrayList([...problems]));
        },
      },
    };
    for (const [name, format] of FORMATS) {
      made[`format.${name}`] = {
        overloads: [`format_${name}: () -> ${FORMAT}`],
        call: () => format,
      };
    }
    return made;
  }
}

/** A prefix of a generated name may end with a dash. */
function prefix(problems: Problems): Problems {
  return (text) => problems(text.replace(/-$/, 'a'));
}

function strfmt(format: string, problem: string): Problems {
  return (text) => (matchesFormat(format, text) === true ? [] : [problem]);
}

const FORMATS: ReadonlyMap<string, NamedFormat> = new Map(
  (
    [
      ['dns1123Label', 'DNS1123Label', 30, dnsLabelProblems],
      ['dns1123Subdomain', 'DNS1123Subdomain', 60, subdomainProblems],
      ['dns1035Label', 'DNS1035Label', 30, dns1035LabelProblems],
      ['qualifiedName', 'QualifiedName', 60, labelKeyProblems],
      ['dns1123LabelPrefix', 'DNS1123LabelPrefix', 30, prefix(dnsLabelProblems)],
      ['dns1123SubdomainPrefix', 'DNS1123SubdomainPrefix', 60, prefix(subdomainProblems)],
      ['dns1035LabelPrefix', 'DNS1035LabelPrefix', 30, prefix(dns1035LabelProblems)],
      ['labelValue', 'LabelValue', 40, labelValueProblems],
      ['uri', 'URI', 1104, uriProblems],
      ['uuid', 'uuid', 69, strfmt('uuid', 'does not match the UUID format')],
      ['byte', 'byte', 84, strfmt('byte', 'invalid base64')],
      ['date', 'date', 72, strfmt('date', 'invalid date')],
      ['datetime', 'datetime', 72, strfmt('datetime', 'invalid datetime')],
    ] as const
  ).map(([key, name, size, problems]) => [key, new NamedFormat(name, size, problems)]),
);

function uriProblems(text: string): readonly string[] {
  const why = requestUriProblem(text);
  return why === undefined ? [] : [`parse ${JSON.stringify(text)}: ${why}`];
}
