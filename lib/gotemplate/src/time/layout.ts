/** The parts of Go's reference time that a layout may name. */
export interface LayoutPart {
  /** What stands before it, taken as it is. */
  readonly literal: string;
  /** The part; empty at the end of the layout. */
  readonly part: string;
}

const PART =
  /January|Jan(?![a-z])|Monday|Mon(?![a-z])|MST|002|0[1-6]|15|1|2006|2|_(?=2006)|__2|_2|[345]|PM|pm|-070000|-07:00:00|-0700|-07:00|-07|Z070000|Z07:00:00|Z0700|Z07:00|Z07|[.,](?:0+|9+)(?!\d)/g;

/** Cuts a layout into its parts. */
export function layoutParts(layout: string): LayoutPart[] {
  const parts: LayoutPart[] = [];
  let literal = '';
  let from = 0;
  for (const match of layout.matchAll(PART)) {
    literal += layout.slice(from, match.index);
    from = match.index + match[0].length;
    if (match[0] === '_') {
      literal += '_';
      continue;
    }
    parts.push({ literal, part: match[0] });
    literal = '';
  }
  parts.push({ literal: literal + layout.slice(from), part: '' });
  return parts;
}

export const MONTHS: readonly string[] = [
  'January',
  'February',
  'March',
  'April',
  'May',
  'June',
  'July',
  'August',
  'September',
  'October',
  'November',
  'December',
];

export const WEEKDAYS: readonly string[] = [
  'Sunday',
  'Monday',
  'Tuesday',
  'Wednesday',
  'Thursday',
  'Friday',
  'Saturday',
];
