/**
 * The session description as plain data (RFC 8866 §5). Every value is immutable; a change is a copy with other fields.
 * Lines and attributes that the model has no field for are kept, in order.
 */
import type { SectionLayout, sdpLayout } from './layout'

/** Address type of an `o=` or `c=` line (RFC 8866 §9: addrtype). */
export type AddressFamily = 'IP4' | 'IP6'

/** The `o=` line. Identifier and version are kept as text: peers write numbers of any length. */
export interface Origin {
  readonly username: string
  readonly sessionId: string
  readonly sessionVersion: string
  readonly netType: string
  readonly family: string
  readonly address: string
}

/** A `c=` line. `address` may be a host name; `suffix` is what follows it for multicast, such as `/127/3`. */
export interface Connection {
  readonly netType: 'IN'
  readonly family: AddressFamily
  readonly address: string
  readonly suffix?: string
}

/** A `b=` line: `AS:64` is modifier AS, value 64 (kilobits a second, or as the modifier says). */
export interface Bandwidth {
  readonly modifier: string
  readonly value: string
}

/** A `t=` line, in NTP seconds, with the values of the `r=` lines that follow it. */
export interface Timing {
  readonly start: string
  readonly stop: string
  readonly repeats: readonly string[]
}

/** An `a=` line; without `value` it is a flag. */
export interface Attribute {
  readonly name: string
  readonly value?: string
}

/** A line that the model has no field for: `z=`, `k=`, and letters that no RFC defines. */
export interface OtherLine {
  readonly type: string
  readonly value: string
}

/** An `m=` line and what belongs to it. Port 0 means rejected, or not offered any more (RFC 3264 §6, §8.2). */
export interface MediaDescription {
  /** `audio`, `video`, `image`, `application`, … */
  readonly media: string
  readonly port: number
  /** The number after the slash of the port; absent when there is none. */
  readonly portCount?: number
  /** `RTP/AVP`, `RTP/SAVP`, `udptl`, … as written. */
  readonly protocol: string
  /** Payload types or other formats, in order of preference. */
  readonly formats: readonly string[]
  readonly title?: string
  readonly connection?: Connection
  /** The `c=` lines after the first, which layered multicast uses. */
  readonly furtherConnections?: readonly Connection[]
  readonly bandwidth: readonly Bandwidth[]
  readonly attributes: readonly Attribute[]
  readonly otherLines: readonly OtherLine[]
  /** @internal How the lines were written; `{ ...spread }` keeps it. */
  readonly [sdpLayout]?: SectionLayout
}

/** A whole session description. */
export interface SessionDescription {
  readonly version: 0
  readonly origin: Origin
  /** The `s=` line; `-` when the peer sent none. */
  readonly name: string
  readonly info?: string
  readonly uri?: string
  readonly emails: readonly string[]
  readonly phones: readonly string[]
  readonly connection?: Connection
  readonly bandwidth: readonly Bandwidth[]
  readonly timing: readonly Timing[]
  readonly attributes: readonly Attribute[]
  readonly otherLines: readonly OtherLine[]
  readonly media: readonly MediaDescription[]
  /** @internal How the lines were written; `{ ...spread }` keeps it. */
  readonly [sdpLayout]?: SectionLayout
}
