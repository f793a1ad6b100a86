/** Header extensions with a name and a length each, in one-byte and two-byte form (RFC 8285 §4.1.2, §4.2, §4.3). */
import type { RtpHeaderExtension } from './packet'

/** The profile of the one-byte form. */
const oneByteProfile = 0xbede
/** The profile of the two-byte form; its last four bits are the application's. */
const twoByteProfile = 0x1000
const appBitsMask = 0x000f
/** In the one-byte form: reserved, nothing after it is read. */
const reservedId = 15

/** One extension element. */
export interface RtpExtensionElement {
  /** As the signalling has named it (`a=extmap`): 1–14 in the one-byte form, 1–255 in the two-byte form. */
  readonly id: number
  /** 1–16 bytes in the one-byte form, 0–255 in the two-byte form. */
  readonly data: Uint8Array
}

/** Settings of {@link writeRtpExtensions}. */
export interface RtpExtensionOptions {
  /** Unless given, the one-byte form where all elements fit it. */
  readonly form?: 'one-byte' | 'two-byte'
  /** The application's four bits of the two-byte form; 0 unless given. */
  readonly appBits?: number
}

/** How the reading of an extension stands: going on, at its end, ended by a reserved id, or by a length that lies. */
export type RtpExtensionState = 'reading' | 'end' | 'reserved' | 'malformed'

/**
 * Walks the elements of a header extension where they lie. One cursor serves any number of packets; it allocates
 * nothing but the view that {@link data} returns.
 */
export class RtpExtensionCursor {
  /** Of the present element; 0 when there is none. */
  id = 0
  /** Where the present element's data begins in the bytes of the extension. */
  offset = 0
  /** Bytes of the present element's data. */
  length = 0
  /** How the reading stands. Elements before a fault are good (RFC 8285 §4.1.2, §4.2). */
  state: RtpExtensionState = 'end'
  private bytes: Uint8Array = nothing
  private at = 0
  private isOneByte = true

  /** Begins with an extension. False when it has another form than those of RFC 8285: it has no elements then. */
  open({ profile, data }: RtpHeaderExtension): boolean {
    this.isOneByte = profile === oneByteProfile
    const isKnown = this.isOneByte || (profile & ~appBitsMask) === twoByteProfile
    this.bytes = isKnown ? data : nothing
    this.rewind()
    return isKnown
  }

  /** Goes back to before the first element. */
  rewind(): void {
    this.at = 0
    this.id = 0
    this.offset = 0
    this.length = 0
    this.state = 'reading'
  }

  /** Goes to the next element; false when there is none. */
  next(): boolean {
    if (this.state !== 'reading') return false
    const { bytes } = this
    // Padding may stand anywhere, a byte of zero each.
    while (this.at < bytes.length && bytes[this.at] === 0) this.at++
    if (this.at >= bytes.length) return this.stop('end')
    return this.isOneByte ? this.readOneByte() : this.readTwoByte()
  }

  /** Goes to the first element with this id, from the beginning; false when there is none. */
  find(id: number): boolean {
    this.rewind()
    while (this.next()) if (this.id === id) return true
    return false
  }

  /** The data of the present element, a view. */
  data(): Uint8Array {
    return this.bytes.subarray(this.offset, this.offset + this.length)
  }

  private readOneByte(): boolean {
    const head = this.bytes[this.at]!
    const id = head >> 4
    // An id of 0 with a length is no padding: like the reserved id it ends the reading, whatever its length says.
    if (id === 0 || id === reservedId) return this.stop('reserved')
    return this.take(id, this.at + 1, (head & 0x0f) + 1)
  }

  private readTwoByte(): boolean {
    if (this.at + 1 >= this.bytes.length) return this.stop('malformed')
    return this.take(this.bytes[this.at]!, this.at + 2, this.bytes[this.at + 1]!)
  }

  private take(id: number, offset: number, length: number): boolean {
    if (offset + length > this.bytes.length) return this.stop('malformed')
    this.id = id
    this.offset = offset
    this.length = length
    this.at = offset + length
    return true
  }

  private stop(state: RtpExtensionState): false {
    this.state = state
    this.id = 0
    this.offset = 0
    this.length = 0
    return false
  }
}

const nothing = new Uint8Array(0)

/**
 * Writes a set of elements as the header extension of a packet, in their order, padded to whole words.
 * @throws RangeError when an id or a length does not fit the form, or an id stands twice
 */
export function writeRtpExtensions(
  elements: readonly RtpExtensionElement[],
  { form, appBits = 0 }: RtpExtensionOptions = {},
): RtpHeaderExtension {
  const isOneByte = form === undefined ? appBits === 0 && elements.every(fitsOneByte) : form === 'one-byte'
  checkElements(elements, isOneByte, appBits)
  const headBytes = isOneByte ? 1 : 2
  const size = elements.reduce((sum, { data }) => sum + headBytes + data.length, 0)
  const bytes = new Uint8Array(Math.ceil(size / 4) * 4)
  let at = 0
  for (const { id, data } of elements) {
    if (isOneByte) bytes[at] = (id << 4) | (data.length - 1)
    else bytes.set([id, data.length], at)
    bytes.set(data, at + headBytes)
    at += headBytes + data.length
  }
  return { profile: isOneByte ? oneByteProfile : twoByteProfile | appBits, data: bytes }
}

function fitsOneByte({ id, data }: RtpExtensionElement): boolean {
  return id >= 1 && id < reservedId && data.length >= 1 && data.length <= 16
}

function checkElements(elements: readonly RtpExtensionElement[], isOneByte: boolean, appBits: number): void {
  const isBits = Number.isInteger(appBits) && appBits >= 0 && appBits <= appBitsMask
  if (!isBits || (isOneByte && appBits !== 0)) throw new RangeError('appBits are four bits of the two-byte form')
  const ids = new Set<number>()
  for (const element of elements) {
    const { id, data } = element
    const isFit = isOneByte ? fitsOneByte(element) : id >= 1 && id <= 255 && data.length <= 255
    if (!Number.isInteger(id) || !isFit)
      throw new RangeError(`element ${id} of ${data.length} bytes does not fit the form`)
    if (ids.has(id)) throw new RangeError(`element ${id} stands twice`)
    ids.add(id)
  }
}
