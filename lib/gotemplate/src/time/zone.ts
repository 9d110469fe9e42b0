/** A time zone: its offset from UTC and abbreviation at an instant. */
export interface Zone {
  /** As Go names the location: `UTC`, `Local`, `Europe/Berlin`; empty for a bare offset. */
  readonly name: string;
  readonly at: (epochSeconds: number) => ZoneOffset;
}

export interface ZoneOffset {
  readonly offsetSeconds: number;
  readonly abbreviation: string;
}

export const UTC: Zone = { name: 'UTC', at: () => ({ offsetSeconds: 0, abbreviation: 'UTC' }) };

/** A zone of one offset, as parsed from a time without a name for it. */
export function fixedZone(name: string, offsetSeconds: number): Zone {
  return { name, at: () => ({ offsetSeconds, abbreviation: name }) };
}

/** time.LoadLocation by the zones that the runtime knows; undefined for an unknown one. */
export function loadZone(name: string, localZone: string): Zone | undefined {
  if (name === '' || name === 'UTC') return UTC;
  if (name === 'Local') {
    const local = localZone === 'Local' ? UTC : (loadZone(localZone, 'UTC') ?? UTC);
    return local === UTC ? UTC : { ...local, name: 'Local' };
  }
  if (name.includes('..') || name.startsWith('/') || name.includes('\\')) return undefined;
  try {
    const format = new Intl.DateTimeFormat('en-US', { timeZone: name, ...FIELDS });
    return { name, at: (seconds) => offsetOf(name, format, seconds) };
  } catch {
    return undefined;
  }
}

const FIELDS = {
  hourCycle: 'h23',
  era: 'short',
  year: 'numeric',
  month: 'numeric',
  day: 'numeric',
  hour: 'numeric',
  minute: 'numeric',
  second: 'numeric',
} as const;

function offsetOf(name: string, format: Intl.DateTimeFormat, seconds: number): ZoneOffset {
  const instant = new Date(seconds * 1000);
  const fields = new Map(format.formatToParts(instant).map((part) => [part.type, part.value]));
  const field = (type: Intl.DateTimeFormatPartTypes): number => Number(fields.get(type));
  const year = fields.get('era') === 'BC' ? 1 - field('year') : field('year');
  const local = new Date(0);
  local.setUTCFullYear(year, field('month') - 1, field('day'));
  local.setUTCHours(field('hour'), field('minute'), field('second'));
  const offsetSeconds = Math.round(local.getTime() / 1000 - seconds);
  return { offsetSeconds, abbreviation: abbreviationOf(name, instant, offsetSeconds) };
}

// The runtime abbreviates a zone only in locales where the abbreviation is in use.
const LOCALES = ['en-US', 'en-GB', 'en-AU', 'en-CA', 'en-IN', 'en-NZ', 'en-ZA'];

/** Abbreviations of zones without daylight saving time that the runtime gives as an offset in every locale. */
const ABBREVIATIONS: Readonly<Record<string, string>> = {
  'Africa/Abidjan': 'GMT',
  'Africa/Accra': 'GMT',
  'Africa/Algiers': 'CET',
  'Africa/Johannesburg': 'SAST',
  'Africa/Lagos': 'WAT',
  'Africa/Maputo': 'CAT',
  'Africa/Harare': 'CAT',
  'Africa/Nairobi': 'EAT',
  'Africa/Tunis': 'CET',
  'Asia/Hong_Kong': 'HKT',
  'Asia/Jakarta': 'WIB',
  'Asia/Jayapura': 'WIT',
  'Asia/Karachi': 'PKT',
  'Asia/Macau': 'CST',
  'Asia/Makassar': 'WITA',
  'Asia/Manila': 'PST',
  'Asia/Pyongyang': 'KST',
  'Asia/Seoul': 'KST',
  'Asia/Shanghai': 'CST',
  'Asia/Taipei': 'CST',
  'Asia/Tokyo': 'JST',
  'Europe/Moscow': 'MSK',
  'Europe/Simferopol': 'MSK',
  'Pacific/Guam': 'ChST',
  Japan: 'JST',
  PRC: 'CST',
  ROC: 'CST',
  ROK: 'KST',
};

function abbreviationOf(name: string, instant: Date, offsetSeconds: number): string {
  const known = Object.hasOwn(ABBREVIATIONS, name) ? ABBREVIATIONS[name] : undefined;
  if (known !== undefined) return known;
  for (const locale of LOCALES) {
    const format = new Intl.DateTimeFormat(locale, { timeZone: name, timeZoneName: 'short' });
    const part = format.formatToParts(instant).find(({ type }) => type === 'timeZoneName');
    if (part !== undefined && /^[A-Z]{2,5}$/.test(part.value)) {
      return part.value === 'GMT' && offsetSeconds !== 0 ? offsetName(offsetSeconds) : part.value;
    }
  }
  return offsetName(offsetSeconds);
}

function offsetName(offsetSeconds: number): string {
  const sign = offsetSeconds < 0 ? '-' : '+';
  const minutes = Math.floor(Math.abs(offsetSeconds) / 60);
  const hours = String(Math.floor(minutes / 60)).padStart(2, '0');
  const rest = minutes % 60;
  return rest === 0 ? sign + hours : `${sign}${hours}${String(rest).padStart(2, '0')}`;
}
