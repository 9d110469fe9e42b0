import {
  addQuantities,
  compareQuantities,
  parseQuantity,
  type Quantity,
  quantityFormatError,
} from '@capstan/kube-object';
import {
  CelError,
  CelExtension,
  type CelFunction,
  type CelType,
  namedType,
  noSuchOverload,
  type CelRuntimeValue as Value,
} from '@capstan/lib-expressions';

const QUANTITY = 'kubernetes.Quantity';
const NANOS = 1_000_000_000n;

class QuantityValue extends CelExtension {
  readonly type: CelType = namedType(QUANTITY);
  readonly quantity: Quantity;

  constructor(quantity: Quantity) {
    super();
    this.quantity = quantity;
  }

  equals(other: CelExtension): boolean {
    return other instanceof QuantityValue && compareQuantities(this.quantity, other.quantity) === 0;
  }
}

function quantityOf(value: Value | undefined): Quantity {
  if (value instanceof QuantityValue) return value.quantity;
  if (typeof value === 'bigint') return parseQuantity(String(value)) ?? never();
  return never();
}

function never(): never {
  throw noSuchOverload();
}

/** The whole number that a quantity is, if it is one that an int holds. */
function wholeOf({ nanos }: Quantity): bigint | undefined {
  if (nanos % NANOS !== 0n) return undefined;
  const value = nanos / NANOS;
  return value >= -(2n ** 63n) && value < 2n ** 63n ? value : undefined;
}

export function quantityFunctions(): Record<string, CelFunction> {
  const parse = (text: Value | undefined): Quantity | undefined =>
    typeof text === 'string' ? parseQuantity(text) : never();
  const compared = (id: string, holds: (order: number) => boolean): CelFunction => ({
    overloads: [`quantity_${id}: ${QUANTITY}.(${QUANTITY}) -> bool`],
    call: ([a, b]) => holds(compareQuantities(known(a), known(b))),
  });
  const sum = (name: string, sign: bigint): CelFunction => ({
    overloads: [
      `quantity_${name}: ${QUANTITY}.(${QUANTITY}) -> ${QUANTITY}`,
      `quantity_${name}_int: ${QUANTITY}.(int) -> ${QUANTITY}`,
    ],
    call: ([a, b]) => {
      const other = quantityOf(b);
      return new QuantityValue(addQuantities(known(a), { ...other, nanos: other.nanos * sign }));
    },
  });
  return {
    quantity: {
      overloads: [`string_to_quantity: (string) -> ${QUANTITY}`],
      call: ([text]) => {
        const quantity = parse(text);
        if (quantity === undefined) throw new CelError(quantityFormatError);
        return new QuantityValue(quantity);
      },
    },
    isQuantity: {
      overloads: ['is_quantity_string: (string) -> bool'],
      call: ([text]) => parse(text) !== undefined,
    },
    sign: {
      overloads: [`quantity_sign: ${QUANTITY}.() -> int`],
      call: ([a]) => {
        const { nanos } = known(a);
        return nanos > 0n ? 1n : nanos < 0n ? -1n : 0n;
      },
    },
    isGreaterThan: compared('is_greater_than', (order) => order > 0),
    isLessThan: compared('is_less_than', (order) => order < 0),
    compareTo: {
      overloads: [`quantity_compare_to: ${QUANTITY}.(${QUANTITY}) -> int`],
      call: ([a, b]) => BigInt(Math.sign(compareQuantities(known(a), known(b)))),
    },
    asApproximateFloat: {
      overloads: [`quantity_get_float: ${QUANTITY}.() -> double`],
      call: ([a]) => Number(known(a).nanos) / 1e9,
    },
    asInteger: {
      overloads: [`quantity_get_int: ${QUANTITY}.() -> int`],
      call: ([a]) => {
        const whole = wholeOf(known(a));
        if (whole === undefined) throw new CelError('cannot convert value to integer');
        return whole;
      },
    },
    isInteger: {
      overloads: [`quantity_is_integer: ${QUANTITY}.() -> bool`],
      call: ([a]) => wholeOf(known(a)) !== undefined,
    },
    add: sum('add', 1n),
    sub: sum('sub', -1n),
  };
}

function known(value: Value | undefined): Quantity {
  return value instanceof QuantityValue ? value.quantity : never();
}
