/** What one side can do with media, as it is handed to the functions that offer and answer (RFC 3264 §5, §6). */
import type { CryptoAttribute } from '../attributes/crypto'
import type { Direction } from '../attributes/direction'
import type { Attribute, Bandwidth, Connection, Origin } from '../session'

/** A codec that can be sent and received. */
export interface CodecCapability {
  /** Encoding name; compared without regard to case. */
  readonly name: string
  /** Hertz of the RTP timestamp. */
  readonly clockRate: number
  /** 1 when left out. */
  readonly channels?: number
  /** The payload type in an offer: needed there unless RFC 3551 gives one. An answer takes that of the offer. */
  readonly payloadType?: number
  /** Parameters to write, and to compare where they tell one codec from another. */
  readonly fmtp?: string
  /** Feedback that is understood, as it follows the payload type: `nack pli`. An answer has what was offered of it. */
  readonly feedback?: readonly string[]
}

/** One medium that can be had. */
export interface MediaCapability {
  /** `audio`, `video`, `image`, … */
  readonly media: string
  /** Protocols that are understood; an offer is made with the first. */
  readonly protocols: readonly string[]
  /** For RTP, in order of preference. */
  readonly codecs?: readonly CodecCapability[]
  /** For other protocols: the formats, such as `t38`. */
  readonly formats?: readonly string[]
  /** The port to receive on. */
  readonly port: number
  /** Where RTCP is received, when it is neither multiplexed nor on the next port. */
  readonly rtcpPort?: number
  /** When it is not that of the session. */
  readonly connection?: Connection
  /** What this side wants to do; sendrecv when left out. */
  readonly direction?: Direction
  /** True when RTP and RTCP may share a port. */
  readonly rtcpMux?: boolean
  /** Milliseconds. */
  readonly ptime?: number
  /** SDES keys by suite, in order of preference; needed for RTP/SAVP and RTP/SAVPF without DTLS. Secrets. */
  readonly crypto?: readonly Omit<CryptoAttribute, 'tag'>[]
  readonly bandwidth?: readonly Bandwidth[]
  /** Written as they are on a medium that is not refused: fingerprint, candidates, T.38, … */
  readonly attributes?: readonly Attribute[]
}

/** One side of a session. */
export interface LocalSession {
  readonly origin: Origin
  /** `-` when left out. */
  readonly name?: string
  readonly connection: Connection
  /** One entry serves one medium. */
  readonly media: readonly MediaCapability[]
  /** Session attributes, written as they are; but an answer leaves out of a group what is refused or was not offered in it. */
  readonly attributes?: readonly Attribute[]
}
