/** Codecs of a medium: its formats with their rtpmap and fmtp (RFC 8866 §6.6, §6.15) and the static types of RFC 3551 §6. */
import type { MediaDescription } from '../session'
import { type AttributeCodec, valueCodec } from './codec'

/** One payload type of a medium. */
export interface Codec {
  readonly payloadType: number
  /** Encoding name as written, or that of RFC 3551; `unknown` for a dynamic type without rtpmap. */
  readonly name: string
  /** Hertz of the RTP timestamp; 0 when unknown. */
  readonly clockRate: number
  readonly channels: number
  /** The value of the fmtp attribute after the payload type. */
  readonly fmtp?: string
}

/** The value of an rtpmap attribute. */
export interface Rtpmap {
  /** 0 to 127. */
  readonly payloadType: number
  /** As written; compare without regard to case. */
  readonly name: string
  /** Hertz of the RTP timestamp. */
  readonly clockRate: number
  /** 1 when the attribute does not say. */
  readonly channels: number
}

/** Codec of `a=rtpmap`. One channel is not written. */
export const rtpmapCodec: AttributeCodec<Rtpmap> = valueCodec(
  'rtpmap',
  'SDP_RTPMAP_INVALID',
  (reader) => {
    const payloadType = reader.number(0, 127)
    reader.space()
    const name = reader.match(/[^\s/]+/y)
    reader.match(/\//y)
    const clockRate = reader.number(1, 999_999_999)
    return { payloadType, name, clockRate, channels: reader.take('/') ? reader.number(1, 999) : 1 }
  },
  ({ payloadType, name, clockRate, channels }) =>
    `${payloadType} ${name}/${clockRate}${channels === 1 ? '' : `/${channels}`}`,
)

/** The payload types that RFC 3551 gives once and for all: [type, name, clock rate, channels]. */
const STATIC_TYPES: readonly (readonly [number, string, number, number])[] = [
  [0, 'PCMU', 8000, 1],
  [3, 'GSM', 8000, 1],
  [4, 'G723', 8000, 1],
  [5, 'DVI4', 8000, 1],
  [6, 'DVI4', 16000, 1],
  [7, 'LPC', 8000, 1],
  [8, 'PCMA', 8000, 1],
  [9, 'G722', 8000, 1],
  [10, 'L16', 44100, 2],
  [11, 'L16', 44100, 1],
  [12, 'QCELP', 8000, 1],
  [13, 'CN', 8000, 1],
  [14, 'MPA', 90000, 1],
  [15, 'G728', 8000, 1],
  [16, 'DVI4', 11025, 1],
  [17, 'DVI4', 22050, 1],
  [18, 'G729', 8000, 1],
  [25, 'CelB', 90000, 1],
  [26, 'JPEG', 90000, 1],
  [28, 'nv', 90000, 1],
  [31, 'H261', 90000, 1],
  [32, 'MPV', 90000, 1],
  [33, 'MP2T', 90000, 1],
  [34, 'H263', 90000, 1],
]

/** The codec that RFC 3551 §6 assigns to a payload type, or undefined. */
export function staticCodec(payloadType: number): Codec | undefined {
  const row = STATIC_TYPES.find(([type]) => type === payloadType)
  return row && { payloadType, name: row[1], clockRate: row[2], channels: row[3] }
}

/** The codecs of a medium in order of preference; formats that are no payload type (0–127) are left out. */
export function codecsOf(media: MediaDescription): readonly Codec[] {
  const maps = new Map<number, Codec>()
  const parameters = new Map<number, string>()
  for (const { name, value } of media.attributes) {
    if (value === undefined) continue
    if (name === 'rtpmap') readRtpmap(value, maps)
    else if (name === 'fmtp') readFmtp(value, parameters)
  }
  const codecs: Codec[] = []
  for (const format of media.formats) {
    if (!/^\d{1,3}$/.test(format)) continue
    const payloadType = Number(format)
    if (payloadType > 127) continue
    const unknown: Codec = { payloadType, name: 'unknown', clockRate: 0, channels: 1 }
    const codec = maps.get(payloadType) ?? staticCodec(payloadType) ?? unknown
    const fmtp = parameters.get(payloadType)
    codecs.push(fmtp === undefined ? codec : { ...codec, fmtp })
  }
  return codecs
}

function readRtpmap(value: string, maps: Map<number, Codec>): void {
  const [, type, name, rate, channels] = /^(\d{1,3}) +([^\s/]+)\/(\d{1,9})(?:\/(\d{1,3}))? *$/.exec(value) ?? []
  if (type === undefined || name === undefined || rate === undefined) return
  const codec: Codec = { payloadType: Number(type), name, clockRate: Number(rate), channels: Number(channels ?? 1) }
  if (codec.payloadType > 127 || codec.clockRate === 0 || codec.channels === 0) return
  if (!maps.has(codec.payloadType)) maps.set(codec.payloadType, codec)
}

function readFmtp(value: string, parameters: Map<number, string>): void {
  const [, type, text] = /^(\d{1,3}) +(.+)$/.exec(value) ?? []
  if (type !== undefined && text !== undefined && !parameters.has(Number(type))) parameters.set(Number(type), text)
}
