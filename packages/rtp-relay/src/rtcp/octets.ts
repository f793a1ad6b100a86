/** Fields of binary packets in the order of the network: a reader that cannot run over the end, a writer that grows. */

/** Reads fields one after the other. Past the end everything is 0 and `isBroken` is true. */
export class OctetReader {
  /** More was asked for than there is, or what was read does not fit together. */
  isBroken = false
  private at: number

  /** @param end where the fields end; bytes are not copied */
  constructor(
    private readonly bytes: Uint8Array,
    start = 0,
    private readonly end: number = bytes.length,
  ) {
    this.at = start
  }

  /** Bytes not read yet. */
  get left(): number {
    return this.end - this.at
  }

  /** An unsigned number of 8 bits. */
  u8(): number {
    if (this.at >= this.end) {
      this.isBroken = true
      return 0
    }
    return this.bytes[this.at++]!
  }

  /** An unsigned number of 16 bits. */
  u16(): number {
    return this.u8() * 0x100 + this.u8()
  }

  /** An unsigned number of 24 bits. */
  u24(): number {
    return this.u16() * 0x100 + this.u8()
  }

  /** An unsigned number of 32 bits. */
  u32(): number {
    return this.u16() * 0x1_0000 + this.u16()
  }

  /** The next bytes, a view of those given. */
  take(count: number): Uint8Array {
    if (count > this.left) {
      this.isBroken = true
      this.at = this.end
      return this.bytes.subarray(this.end, this.end)
    }
    this.at += count
    return this.bytes.subarray(this.at - count, this.at)
  }

  /** All bytes that are left, a view. */
  rest(): Uint8Array {
    return this.take(this.left)
  }

  /** Nothing but zeros may be left. */
  onlyFill(): void {
    if (this.rest().some((octet) => octet !== 0)) this.isBroken = true
  }
}

/** Writes fields one after the other. Every method throws RangeError for a value that its field cannot hold. */
export class OctetWriter {
  private bytes = new Uint8Array(128)
  private length = 0

  /** Bytes written so far. */
  get size(): number {
    return this.length
  }

  /** A number of 1 to 4 bytes; `what` names the field in the error. */
  uint(value: number, bytes: 1 | 2 | 3 | 4, what: string): void {
    const most = 2 ** (bytes * 8) - 1
    if (!Number.isInteger(value) || value < 0 || value > most)
      throw new RangeError(`${what} is not between 0 and ${most}`)
    this.reserve(bytes)
    for (let shift = bytes - 1; shift >= 0; shift--)
      this.bytes[this.length++] = Math.floor(value / 2 ** (shift * 8)) & 0xff
  }

  /** A number of one byte with its sign, in two's complement. */
  int8(value: number, what: string): void {
    if (!Number.isInteger(value) || value < -128 || value > 127)
      throw new RangeError(`${what} is not between -128 and 127`)
    this.uint(value & 0xff, 1, what)
  }

  /** A field of some bits among others: checked, not written. */
  bits(value: number, count: number, what: string): number {
    const most = 2 ** count - 1
    if (!Number.isInteger(value) || value < 0 || value > most)
      throw new RangeError(`${what} is not between 0 and ${most}`)
    return value
  }

  /** Bytes as they are. */
  octets(bytes: Uint8Array): void {
    this.reserve(bytes.length)
    this.bytes.set(bytes, this.length)
    this.length += bytes.length
  }

  /** So many bytes of zero. */
  zeros(count: number): void {
    this.reserve(count)
    this.bytes.fill(0, this.length, this.length + count)
    this.length += count
  }

  /** Writes a number of 16 bits over what is there already. */
  overwrite16(at: number, value: number, what: string): void {
    this.bits(value, 16, what)
    this.bytes[at] = value >> 8
    this.bytes[at + 1] = value & 0xff
  }

  /** A copy of what was written. */
  done(): Uint8Array {
    return this.bytes.slice(0, this.length)
  }

  private reserve(count: number): void {
    if (this.length + count <= this.bytes.length) return
    const larger = new Uint8Array(Math.max(this.bytes.length * 2, this.length + count))
    larger.set(this.bytes.subarray(0, this.length))
    this.bytes = larger
  }
}
