/**
 * A whole RTP packet as a value, for those who read or make packets one by one (RFC 3550 §5.1, §5.3.1). The packet path
 * reads single fields where they lie (header.ts) and makes no such value.
 */
import type { RtpErrorCode } from '../errors'
import { datagramBytesMax } from '../limits'
import {
  rtpHeaderBytes,
  rtpMarker,
  rtpPayloadOffset,
  rtpPayloadType,
  rtpSequence,
  rtpSsrc,
  rtpTimestamp,
} from './header'

/** The header extension of a packet. */
export interface RtpHeaderExtension {
  /** What the first 16 bits say: 0xBEDE for the one-byte form of RFC 8285, 0x1000 to 0x100F for the two-byte form. */
  readonly profile: number
  /** What follows the length; a multiple of 4 bytes. */
  readonly data: Uint8Array
}

/** A packet that was read. Its bytes are views of those given: they change with them. */
export interface RtpPacketView {
  readonly version: 2
  readonly marker: boolean
  /** 0–127. */
  readonly payloadType: number
  /** 0–65535. */
  readonly sequence: number
  /** 0 … 2**32 - 1, in units of the payload type's clock. */
  readonly timestamp: number
  /** The synchronization source, 0 … 2**32 - 1. */
  readonly ssrc: number
  /** The contributing sources, up to 15. */
  readonly csrcs: readonly number[]
  readonly extension?: RtpHeaderExtension
  /** Without the padding. */
  readonly payload: Uint8Array
  /** Bytes of padding, their count included; 0 when the padding bit is not set. */
  readonly paddingBytes: number
}

/** What {@link readRtp} returns. `offset` is where in the bytes the fault lies. */
export type RtpReading =
  | { readonly ok: true; readonly packet: RtpPacketView }
  | { readonly ok: false; readonly code: RtpErrorCode; readonly offset: number }

/** What {@link writeRtp} takes: a packet as it was read, or these fields alone. */
export interface RtpPacketFields {
  /** False unless given. */
  readonly marker?: boolean
  readonly payloadType: number
  readonly sequence: number
  readonly timestamp: number
  readonly ssrc: number
  readonly csrcs?: readonly number[]
  readonly extension?: RtpHeaderExtension
  readonly payload: Uint8Array
  /** 0 unless given; up to 255. */
  readonly paddingBytes?: number
}

/** Reads a packet without copying any of it. Never throws, whatever the bytes are. */
export function readRtp(bytes: Uint8Array): RtpReading {
  const payloadAt = rtpPayloadOffset(bytes)
  if (payloadAt < 0) return headerFault(bytes)
  const first = bytes[0]!
  const paddingBytes = (first & 0x20) === 0 ? 0 : paddingOf(bytes, payloadAt)
  if (paddingBytes < 0) return { ok: false, code: 'RTP_PADDING_INVALID', offset: bytes.length - 1 }
  const extensionAt = rtpHeaderBytes + (first & 0x0f) * 4
  const csrcs: number[] = []
  for (let at = rtpHeaderBytes; at < extensionAt; at += 4) csrcs.push(word(bytes, at))
  const extension =
    (first & 0x10) === 0
      ? undefined
      : { profile: half(bytes, extensionAt), data: bytes.subarray(extensionAt + 4, payloadAt) }
  const packet: RtpPacketView = {
    version: 2,
    marker: rtpMarker(bytes),
    payloadType: rtpPayloadType(bytes),
    sequence: rtpSequence(bytes),
    timestamp: rtpTimestamp(bytes) >>> 0,
    ssrc: rtpSsrc(bytes) >>> 0,
    csrcs,
    ...(extension === undefined ? {} : { extension }),
    payload: bytes.subarray(payloadAt, bytes.length - paddingBytes),
    paddingBytes,
  }
  return { ok: true, packet }
}

/**
 * Writes a packet into bytes of its own. What was written reads back the same; padding is written as zeros.
 * @throws RangeError when a field does not fit its place, or the packet would fit no UDP datagram
 */
export function writeRtp(fields: RtpPacketFields): Uint8Array {
  const { csrcs = [], extension, payload, paddingBytes = 0 } = fields
  checkFields(fields, csrcs)
  const extensionAt = rtpHeaderBytes + csrcs.length * 4
  const payloadAt = extensionAt + (extension === undefined ? 0 : 4 + extension.data.length)
  const size = payloadAt + payload.length + paddingBytes
  if (size > datagramBytesMax) throw new RangeError(`a packet of ${size} bytes fits no datagram`)
  const bytes = new Uint8Array(size)
  bytes[0] = 0x80 | (paddingBytes === 0 ? 0 : 0x20) | (extension === undefined ? 0 : 0x10) | csrcs.length
  bytes[1] = (fields.marker === true ? 0x80 : 0) | fields.payloadType
  putHalf(bytes, 2, fields.sequence)
  putWord(bytes, 4, fields.timestamp)
  putWord(bytes, 8, fields.ssrc)
  for (const [index, csrc] of csrcs.entries()) putWord(bytes, rtpHeaderBytes + index * 4, csrc)
  if (extension !== undefined) {
    putHalf(bytes, extensionAt, extension.profile)
    putHalf(bytes, extensionAt + 2, extension.data.length / 4)
    bytes.set(extension.data, extensionAt + 4)
  }
  bytes.set(payload, payloadAt)
  if (paddingBytes > 0) bytes[size - 1] = paddingBytes
  return bytes
}

/** Which of the header's parts is at fault, where `rtpPayloadOffset` has found that one is. */
function headerFault(bytes: Uint8Array): RtpReading {
  const { length } = bytes
  // What is no RTP at all is better told so than called short.
  if (length > 0 && bytes[0]! >> 6 !== 2) return { ok: false, code: 'RTP_VERSION_UNKNOWN', offset: 0 }
  if (length < rtpHeaderBytes) return { ok: false, code: 'RTP_TOO_SHORT', offset: length }
  const sources = rtpHeaderBytes + (bytes[0]! & 0x0f) * 4
  return { ok: false, code: sources > length ? 'RTP_SOURCES_CUT' : 'RTP_EXTENSION_CUT', offset: length }
}

/** The bytes of padding; -1 when the count cannot be true. */
function paddingOf(bytes: Uint8Array, payloadAt: number): number {
  const count = bytes.length > payloadAt ? bytes[bytes.length - 1]! : 0
  return count === 0 || count > bytes.length - payloadAt ? -1 : count
}

function checkFields(fields: RtpPacketFields, csrcs: readonly number[]): void {
  check('payloadType', fields.payloadType, 127)
  check('sequence', fields.sequence, 0xffff)
  check('timestamp', fields.timestamp, 0xffff_ffff)
  check('ssrc', fields.ssrc, 0xffff_ffff)
  check('the number of csrcs', csrcs.length, 15)
  for (const csrc of csrcs) check('csrc', csrc, 0xffff_ffff)
  check('paddingBytes', fields.paddingBytes ?? 0, 255)
  if (fields.extension === undefined) return
  const { profile, data } = fields.extension
  check('the profile of the extension', profile, 0xffff)
  check('the extension, in words of 4 bytes,', data.length / 4, 0xffff)
}

function check(name: string, value: number, most: number): void {
  if (!Number.isInteger(value) || value < 0 || value > most) {
    throw new RangeError(`${name} is a whole number from 0 to ${most}`)
  }
}

function half(bytes: Uint8Array, at: number): number {
  return (bytes[at]! << 8) | bytes[at + 1]!
}

function word(bytes: Uint8Array, at: number): number {
  return ((half(bytes, at) << 16) | half(bytes, at + 2)) >>> 0
}

function putHalf(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >> 8
  bytes[at + 1] = value
}

function putWord(bytes: Uint8Array, at: number, value: number): void {
  putHalf(bytes, at, value >>> 16)
  putHalf(bytes, at + 2, value & 0xffff)
}
