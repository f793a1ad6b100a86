/** How the value of one attribute is read and written (RFC 8866 §5.13, §9): the frame that every family's file fills. */
import { Buffer } from 'node:buffer'
import { type Result, SipUsageError } from '../../errors'
import { type SdpProblemCode, sdpProblem } from '../errors'
import type { Attribute } from '../session'

/** Reads and writes one attribute. */
export interface AttributeCodec<T> {
  /** The name as it is written. */
  readonly name: string
  /** Reads a value; offsets of a problem count bytes from the start of the value. Never throws. */
  decode(value: string | undefined): Result<T>
  /** Writes a value. Throws SipUsageError VALUE_INVALID for what could not be read back. */
  encode(value: T): Attribute
}

/** Ends the reading of a value; caught by the codec, never seen outside. */
class Malformed {
  constructor(readonly at: number) {}
}

/** Walks over one value from left to right. Each method throws when what it looks for is not there. */
export class ValueReader {
  at = 0

  constructor(readonly text: string) {}

  get isAtEnd(): boolean {
    return this.at >= this.text.length
  }

  /** Reads what a sticky pattern matches here. */
  match(pattern: RegExp): string {
    pattern.lastIndex = this.at
    const found = pattern.exec(this.text)
    if (found === null) return this.fail()
    this.at += found[0].length
    return found[0]
  }

  /** Reads a pattern if it is here. */
  optional(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.at
    const found = pattern.exec(this.text)
    if (found === null) return undefined
    this.at += found[0].length
    return found[0]
  }

  /** Reads a decimal number from `min` to `max`. */
  number(min: number, max: number): number {
    const { text, at: start } = this
    const stop = Math.min(text.length, start + digitsMax)
    let value = 0
    let at = start
    for (; at < stop; at += 1) {
      const digit = text.charCodeAt(at) - 0x30
      if (digit < 0 || digit > 9) break
      value = value * 10 + digit
    }
    if (at === start || value < min || value > max) return this.fail(start)
    this.at = at
    return value
  }

  token(): string {
    return this.match(TOKEN)
  }

  /** Reads characters up to a space or the end, one at least. */
  word(): string {
    const { text, at: start } = this
    const space = text.indexOf(' ', start)
    const stop = space < 0 ? text.length : space
    if (stop === start) return this.fail()
    this.at = stop
    return text.slice(start, stop)
  }

  /** Reads one space or more; peers align values with them. */
  space(): void {
    if (this.text.charCodeAt(this.at) !== 0x20) this.fail()
    this.skipSpaces()
  }

  /** True, and read, when this text is here. */
  take(text: string): boolean {
    if (!this.text.startsWith(text, this.at)) return false
    this.at += text.length
    return true
  }

  /** Everything that is left. */
  rest(): string {
    const rest = this.text.slice(this.at)
    this.at = this.text.length
    return rest
  }

  /** Nothing but spaces may be left. */
  end(): void {
    this.skipSpaces()
    if (!this.isAtEnd) this.fail()
  }

  fail(at: number = this.at): never {
    throw new Malformed(at)
  }

  private skipSpaces(): void {
    while (this.text.charCodeAt(this.at) === 0x20) this.at += 1
  }
}

/** All numbers of so many digits are exact. */
const digitsMax = 15
const TOKEN = /[!#-'*+\-.0-9A-Z^-~]+/y

/** Makes the codec of an attribute that has a value. */
export function valueCodec<T>(
  name: string,
  code: SdpProblemCode,
  read: (reader: ValueReader) => T,
  write: (value: T) => string,
): AttributeCodec<T> {
  const decode = (value: string | undefined): Result<T> => {
    if (value === undefined) return { ok: false, error: sdpProblem(code, 0) }
    const reader = new ValueReader(value)
    try {
      const decoded = read(reader)
      reader.end()
      return { ok: true, value: decoded }
    } catch (thrown) {
      if (!(thrown instanceof Malformed)) throw thrown
      return { ok: false, error: sdpProblem(code, Buffer.byteLength(value.slice(0, thrown.at))) }
    }
  }
  return {
    name,
    decode,
    encode(value) {
      const text = write(value)
      if (/[\r\n\0]/.test(text) || !decode(text).ok) throw new SipUsageError('VALUE_INVALID', `attribute ${name}`)
      return { name, value: text }
    },
  }
}

/** Makes the codec of an attribute that says all by being there. */
export function flagCodec(name: string): AttributeCodec<true> {
  return {
    name,
    decode: (value) =>
      value === undefined ? { ok: true, value: true } : { ok: false, error: sdpProblem('SDP_FLAG_INVALID', 0) },
    encode: () => ({ name }),
  }
}
