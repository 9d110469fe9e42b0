/**
 * Writes protobuf from the end to the beginning: a nested message's length is known by the time that it must be written, so
 * nothing is measured beforehand or moved afterwards. Each call puts its bytes before all that was written so far.
 */
export class BackwardWriter {
  #buffer = Buffer.allocUnsafe(1024);
  #at = 1024;

  get length(): number {
    return this.#buffer.length - this.#at;
  }

  bytes(chunk: Uint8Array): void {
    this.#reserve(chunk.length);
    this.#buffer.set(chunk, this.#at);
  }

  text(value: string): void {
    const length = Buffer.byteLength(value);
    this.#reserve(length);
    this.#buffer.write(value, this.#at, length, 'utf8');
  }

  varint(value: number | bigint): void {
    if (typeof value === 'number' && value >= 0 && value < 0x80) {
      this.#reserve(1);
      this.#buffer[this.#at] = value;
      return;
    }
    const groups: number[] = [];
    let rest = BigInt.asUintN(64, BigInt(value));
    for (; rest > 127n; rest >>= 7n) groups.push(Number(rest & 127n) | 128);
    groups.push(Number(rest));
    this.#reserve(groups.length);
    this.#buffer.set(groups, this.#at);
  }

  double(value: number): void {
    this.#reserve(8);
    this.#buffer.writeDoubleLE(value, this.#at);
  }

  /** Number and wire type of the field whose value was just written. */
  key(number: number, wire: 0 | 1 | 2): void {
    this.varint((number << 3) | wire);
  }

  /** Closes a field of bytes: its length and key, where `end` is what `length` was before its content. */
  close(number: number, end: number): void {
    this.varint(this.length - end);
    this.key(number, 2);
  }

  /** A copy of all that was written. */
  take(): Uint8Array {
    return Uint8Array.from(this.#buffer.subarray(this.#at));
  }

  #reserve(length: number): void {
    if (length > this.#at) {
      const used = this.#buffer.subarray(this.#at);
      const size = Math.max(this.#buffer.length * 2, used.length + length);
      const larger = Buffer.allocUnsafe(size);
      larger.set(used, size - used.length);
      this.#buffer = larger;
      this.#at = size - used.length;
    }
    this.#at -= length;
  }
}
