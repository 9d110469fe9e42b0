const BINARY: Readonly<Record<string, number>> = {
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
  Pi: 2 ** 50,
};
const DECIMAL: Readonly<Record<string, number>> = {
  m: 1e-3,
  '': 1,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  P: 1e15,
};

/** The sum of quantities, in the largest unit that holds it without a fraction: `100m` and `1` are `1100m`. */
export function addQuantities(quantities: readonly string[]): string {
  let thousandths = 0;
  let binary = quantities.length > 0;
  for (const text of quantities) {
    const match = /^([\d.]+)([a-zA-Z]*)$/.exec(text);
    if (match === null) continue;
    const unit = match[2] ?? '';
    if (BINARY[unit] === undefined) binary = false;
    thousandths += Math.round(Number(match[1]) * (BINARY[unit] ?? DECIMAL[unit] ?? 1) * 1000);
  }
  if (thousandths % 1000 !== 0) return `${thousandths}m`;
  const whole = thousandths / 1000;
  if (!binary || whole === 0) return String(whole);
  for (const [unit, factor] of Object.entries(BINARY).reverse()) {
    if (whole % factor === 0) return `${whole / factor}${unit}`;
  }
  return String(whole);
}
