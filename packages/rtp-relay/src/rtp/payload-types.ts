/**
 * What payload types mean without any signalling (RFC 3551 §3, §4.5, §6), and which may stand beside RTCP on one port
 * (RFC 5761 §4). Names, rates and channels are those of the SDP model, so that there is one table of them.
 */
import { staticCodec } from '@carillon/sip-parser/sdp'

/** A payload type that RFC 3551 §6 assigns. */
export interface StaticPayloadType {
  /** 0–34. */
  readonly payloadType: number
  /** The encoding name, as `a=rtpmap` has it. */
  readonly name: string
  /** `both` for MP2T, which carries sound and pictures. */
  readonly media: 'audio' | 'video' | 'both'
  /** Hertz of the timestamp. 8000 for G722 although it samples at 16000 (RFC 3551 §4.5.2). */
  readonly clockRate: number
  /** 1 for video. */
  readonly channels: number
}

/** What a payload type number is for (RFC 3551 §6, tables 4 and 5). */
export type PayloadTypeUse = 'static' | 'dynamic' | 'reserved' | 'unassigned'

const firstVideo = 25
const transportStream = 33
const table: readonly (StaticPayloadType | undefined)[] = Array.from({ length: 128 }, (_, payloadType) => {
  const codec = staticCodec(payloadType)
  return codec && Object.freeze({ ...codec, media: mediaOf(payloadType) })
})
// 1, 2 and 19 had a meaning once; 72 to 76 look like RTCP reports when their marker is set.
const reserved = new Set([1, 2, 19, 72, 73, 74, 75, 76])

/** What RFC 3551 §6 assigns to the payload type; undefined where it assigns nothing. */
export function staticPayloadType(payloadType: number): StaticPayloadType | undefined {
  return table[payloadType]
}

/** Whether a number is assigned, dynamic (96–127), reserved, or free. @throws RangeError when it is no payload type */
export function payloadTypeUse(payloadType: number): PayloadTypeUse {
  if (!Number.isInteger(payloadType) || payloadType < 0 || payloadType > 127) {
    throw new RangeError('a payload type is a whole number from 0 to 127')
  }
  if (payloadType >= 96) return 'dynamic'
  if (reserved.has(payloadType)) return 'reserved'
  return table[payloadType] === undefined ? 'unassigned' : 'static'
}

/** False for the payload types that, with the marker set, are taken for RTCP where both share a port (RFC 5761 §4). */
export function isMuxablePayloadType(payloadType: number): boolean {
  return payloadType < 64 || payloadType > 95
}

function mediaOf(payloadType: number): StaticPayloadType['media'] {
  if (payloadType === transportStream) return 'both'
  return payloadType < firstVideo ? 'audio' : 'video'
}
