/** Feedback to a sender (RFC 4585 §6; RFC 5104 §4.2, §4.3). */
import type { OctetReader, OctetWriter } from './octets'
import { payloadFormats, rtcpTypes, transportFormats } from './packet-types'

interface Feedback {
  /** Who writes. */
  readonly senderSsrc: number
  /** Whose media is meant; 0 where the entries say it. */
  readonly mediaSsrc: number
}

/** Packets that have not come (RFC 4585 §6.2.1): one entry at least. */
export interface GenericNack extends Feedback {
  readonly type: 'NACK'
  /** Each: a sequence number, and of the 16 after it those whose bit is 1, the next one in bit 0. */
  readonly entries: readonly { readonly sequence: number; readonly following: number }[]
}

/**
 * A bit rate asked for, or granted: mantissa times 2 to the exponent (RFC 5104 §4.2.1, §4.2.2). TMMBR has one entry at
 * least; TMMBN may have none.
 */
export interface MaximumBitRate extends Feedback {
  readonly type: 'TMMBR' | 'TMMBN'
  readonly entries: readonly {
    readonly ssrc: number
    /** 0 to 63. */
    readonly exponent: number
    /** 17 bits. */
    readonly mantissa: number
    /** Bytes of headers a packet, 9 bits. */
    readonly overhead: number
  }[]
}

/** A picture was lost (RFC 4585 §6.3.1). */
export interface PictureLoss extends Feedback {
  readonly type: 'PLI'
}

/** Slices were lost (RFC 4585 §6.3.2), one at least: first macroblock (13 bits), how many (13 bits), picture (6 bits). */
export interface SliceLoss extends Feedback {
  readonly type: 'SLI'
  readonly entries: readonly { readonly first: number; readonly count: number; readonly pictureId: number }[]
}

/** Which picture to refer to (RFC 4585 §6.3.3). */
export interface ReferencePicture extends Feedback {
  readonly type: 'RPSI'
  /** 7 bits. */
  readonly payloadType: number
  /** In the codec's own form; two bytes more than whole words, of which the last `paddingBits` bits fill up. */
  readonly bits: Uint8Array
  readonly paddingBits: number
}

/** Whole pictures are wanted (RFC 5104 §4.3.1), one at least. */
export interface FullIntraRequest extends Feedback {
  readonly type: 'FIR'
  readonly entries: readonly { readonly ssrc: number; readonly sequence: number }[]
}

/** A trade of sharpness for frames, asked for or told (RFC 5104 §4.3.2, §4.3.3), one at least. */
export interface TemporalSpatialTradeoff extends Feedback {
  readonly type: 'TSTR' | 'TSTN'
  /** `index`: 0 for the sharpest picture to 31 for the most frames. */
  readonly entries: readonly { readonly ssrc: number; readonly sequence: number; readonly index: number }[]
}

/** Feedback in a format of the application's own (RFC 4585 §6.4), such as REMB. */
export interface ApplicationFeedback extends Feedback {
  readonly type: 'AFB'
  readonly data: Uint8Array
}

/** Feedback in a format that is not read here, such as VBCM (RFC 5104 §4.3.4) or that for congestion control. */
export interface OtherFeedback extends Feedback {
  readonly type: 'RTPFB' | 'PSFB'
  /** 0 to 31, and none of those that have a type of their own. */
  readonly format: number
  readonly data: Uint8Array
}

/** Any of them. */
export type FeedbackPacket =
  | GenericNack
  | MaximumBitRate
  | PictureLoss
  | SliceLoss
  | ReferencePicture
  | FullIntraRequest
  | TemporalSpatialTradeoff
  | ApplicationFeedback
  | OtherFeedback

/** Reads feedback for the transport. */
export function readTransportFeedback(body: OctetReader, format: number): FeedbackPacket {
  const ends = { senderSsrc: body.u32(), mediaSsrc: body.u32() }
  if (format === transportFormats.NACK) {
    return { type: 'NACK', ...ends, entries: entries(body, 4, () => ({ sequence: body.u16(), following: body.u16() })) }
  }
  if (format === transportFormats.TMMBR || format === transportFormats.TMMBN) {
    const type = format === transportFormats.TMMBR ? 'TMMBR' : 'TMMBN'
    return { type, ...ends, entries: entries(body, 8, () => readBitRate(body), type === 'TMMBN' ? 0 : 1) }
  }
  return { type: 'RTPFB', ...ends, format, data: body.rest() }
}

/** Reads feedback for the payload. */
export function readPayloadFeedback(body: OctetReader, format: number): FeedbackPacket {
  const ends = { senderSsrc: body.u32(), mediaSsrc: body.u32() }
  switch (format) {
    case payloadFormats.PLI:
      // Nothing belongs here; what is there does not make it another request.
      body.rest()
      return { type: 'PLI', ...ends }
    case payloadFormats.SLI:
      return { type: 'SLI', ...ends, entries: entries(body, 4, () => readSlice(body)) }
    case payloadFormats.RPSI:
      return { ...ends, ...readReferencePicture(body) }
    case payloadFormats.FIR:
      return { type: 'FIR', ...ends, entries: entries(body, 8, () => readRequest(body)) }
    case payloadFormats.TSTR:
    case payloadFormats.TSTN: {
      const type = format === payloadFormats.TSTR ? 'TSTR' : 'TSTN'
      return { type, ...ends, entries: entries(body, 8, () => readTradeoff(body)) }
    }
    case payloadFormats.AFB:
      return { type: 'AFB', ...ends, data: body.rest() }
    default:
      return { type: 'PSFB', ...ends, format, data: body.rest() }
  }
}

/** Writes the body of feedback; the packet type and format that belong to it. */
export function writeFeedback(packet: FeedbackPacket, out: OctetWriter): { type: number; format: number } {
  out.uint(packet.senderSsrc, 4, 'senderSsrc')
  out.uint(packet.mediaSsrc, 4, 'mediaSsrc')
  if ('entries' in packet && packet.entries.length === 0 && packet.type !== 'TMMBN')
    throw new RangeError(`${packet.type} without entries says nothing`)
  switch (packet.type) {
    case 'NACK':
      for (const { sequence, following } of packet.entries) {
        out.uint(sequence, 2, 'sequence')
        out.uint(following, 2, 'following')
      }
      return { type: rtcpTypes.RTPFB, format: transportFormats.NACK }
    case 'TMMBR':
    case 'TMMBN':
      for (const { ssrc, exponent, mantissa, overhead } of packet.entries) {
        out.uint(ssrc, 4, 'ssrc')
        const rate = out.bits(exponent, 6, 'exponent') * 2 ** 26 + out.bits(mantissa, 17, 'mantissa') * 2 ** 9
        out.uint(rate + out.bits(overhead, 9, 'overhead'), 4, 'the bit rate')
      }
      return { type: rtcpTypes.RTPFB, format: transportFormats[packet.type] }
    case 'RTPFB':
      out.octets(packet.data)
      return { type: rtcpTypes.RTPFB, format: otherFormat(packet.format, transportFormats, out) }
    default:
      return { type: rtcpTypes.PSFB, format: writePayloadFeedback(packet, out) }
  }
}

type PayloadFeedback = Exclude<FeedbackPacket, GenericNack | MaximumBitRate | { type: 'RTPFB' }>

function writePayloadFeedback(packet: PayloadFeedback, out: OctetWriter): number {
  switch (packet.type) {
    case 'PLI':
      break
    case 'SLI':
      for (const { first, count, pictureId } of packet.entries) {
        const slice = out.bits(first, 13, 'first') * 2 ** 19 + out.bits(count, 13, 'count') * 2 ** 6
        out.uint(slice + out.bits(pictureId, 6, 'pictureId'), 4, 'the slice')
      }
      break
    case 'RPSI':
      if (packet.paddingBits > packet.bits.length * 8) throw new RangeError('paddingBits are more than there are')
      out.uint(packet.paddingBits, 1, 'paddingBits')
      out.uint(out.bits(packet.payloadType, 7, 'payloadType'), 1, 'payloadType')
      out.octets(packet.bits)
      break
    case 'FIR':
      for (const { ssrc, sequence } of packet.entries) writeEntry(ssrc, sequence, 0, out)
      break
    case 'TSTR':
    case 'TSTN':
      for (const { ssrc, sequence, index } of packet.entries)
        writeEntry(ssrc, sequence, out.bits(index, 5, 'index'), out)
      break
    case 'AFB':
      out.octets(packet.data)
      break
    default:
      out.octets(packet.data)
      return otherFormat(packet.format, payloadFormats, out)
  }
  return payloadFormats[packet.type]
}

/** A format of {@link OtherFeedback}: one that has a type of its own would read back as that. */
function otherFormat(format: number, known: Readonly<Record<string, number>>, out: OctetWriter): number {
  if (Object.values(known).includes(format)) throw new RangeError(`format ${format} has a type of its own`)
  return out.bits(format, 5, 'format')
}

function writeEntry(ssrc: number, sequence: number, last: number, out: OctetWriter): void {
  out.uint(ssrc, 4, 'ssrc')
  out.uint(sequence, 1, 'sequence')
  out.zeros(2)
  out.uint(last, 1, 'index')
}

function readBitRate(body: OctetReader): MaximumBitRate['entries'][number] {
  const ssrc = body.u32()
  const rate = body.u32()
  return { ssrc, exponent: rate >>> 26, mantissa: (rate >>> 9) & 0x1_ffff, overhead: rate & 0x1ff }
}

function readSlice(body: OctetReader): SliceLoss['entries'][number] {
  const slice = body.u32()
  return { first: slice >>> 19, count: (slice >>> 6) & 0x1fff, pictureId: slice & 0x3f }
}

function readReferencePicture(
  body: OctetReader,
): Pick<ReferencePicture, 'type' | 'payloadType' | 'bits' | 'paddingBits'> {
  const paddingBits = body.u8()
  const payloadType = body.u8() & 0x7f
  const bits = body.rest()
  if (paddingBits > bits.length * 8) body.isBroken = true
  return { type: 'RPSI', payloadType, bits, paddingBits }
}

function readRequest(body: OctetReader): FullIntraRequest['entries'][number] {
  const ssrc = body.u32()
  const sequence = body.u8()
  body.take(3)
  return { ssrc, sequence }
}

function readTradeoff(body: OctetReader): TemporalSpatialTradeoff['entries'][number] {
  const ssrc = body.u32()
  const sequence = body.u8()
  body.take(2)
  return { ssrc, sequence, index: body.u8() & 0x1f }
}

/** Entries of one size up to the end, `least` of them or more; a part of one breaks the packet. */
function entries<T>(body: OctetReader, bytes: number, read: () => T, least = 1): T[] {
  const all: T[] = []
  while (body.left >= bytes) all.push(read())
  if (body.left > 0 || all.length < least) body.isBroken = true
  return all
}
