/** What a compound packet is made of, as developers see it. Bytes are views of what was read, or may be anything that is written. */
import type { ExtendedReport } from './extended-reports'
import type { FeedbackPacket } from './feedback'
import type { ReceiverReport, SenderReport } from './reports'
import type { ApplicationDefined, Goodbye, SourceDescription } from './source-description'

/** A packet of a type that is not read here. */
export interface OtherRtcpPacket {
  readonly type: 'OTHER'
  /** 192 to 223, and none of `rtcpTypes`. */
  readonly packetType: number
  /** The five bits before it. */
  readonly count: number
  /** What follows the header, in whole words. */
  readonly body: Uint8Array
}

/** One packet of a compound. */
export type RtcpPacket =
  | SenderReport
  | ReceiverReport
  | SourceDescription
  | Goodbye
  | ApplicationDefined
  | FeedbackPacket
  | ExtendedReport
  | OtherRtcpPacket
