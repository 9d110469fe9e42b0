/** `strconv.FormatFloat(value, 'f', -1, 64)`: all digits, no exponent. */
export function positionalFloat(value: number): string {
  if (Number.isNaN(value)) return 'NaN';
  if (!Number.isFinite(value)) return value > 0 ? '+Inf' : '-Inf';
  const text = String(value);
  const found = /^(-?)(\d)(?:\.(\d+))?e([+-]\d+)$/.exec(text);
  if (found === null) return Object.is(value, -0) ? '-0' : text;
  const [, sign = '', first = '', rest = '', power = '0'] = found;
  const digits = first + rest;
  const point = 1 + Number(power);
  if (point <= 0) return `${sign}0.${'0'.repeat(-point)}${digits}`;
  return point >= digits.length
    ? sign + digits.padEnd(point, '0')
    : `${sign}${digits.slice(0, point)}.${digits.slice(point)}`;
}

/** How dotenv and INI files show a value that is no text. */
export function valueText(type: string, text: string): string {
  return type === 'bool' ? text.toLowerCase() : text;
}
