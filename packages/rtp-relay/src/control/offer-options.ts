/** What offers and answers may say besides their SDP. */
import type { AddressFamily } from '@carillon/sip-parser/sdp'
import type { Side } from '../relay/leg'
import type { LearningOptions } from './learning'
import type { SecurityOptions } from './offer-answer/security'

/** What both an offer and an answer may say besides the SDP. */
export interface PartyOptions extends LearningOptions {
  /** Whose SDP it is. */
  readonly from: Side
  /**
   * The branch of a fork that it belongs to: an opaque name, the same for the offer and its answers. Each branch has
   * ports and keys of its own. Without it: the branch that has won, or the only one.
   */
  readonly viaBranch?: string
  /** The IP address that this party's signalling came from; media from there ranks as from a known address. */
  readonly receivedFrom?: string
  /** Put the relay's address into the o= line; true by default. */
  readonly replaceOrigin?: boolean
}

/** What an answer may say besides the SDP. */
export interface AnswerOptions extends PartyOptions {
  /** The call is taken: the branch of this answer has won, and every other one ends. False by default, an early answer. */
  readonly final?: boolean
}

/** What an offer may say besides the SDP. */
export interface OfferOptions extends PartyOptions, SecurityOptions {
  /**
   * RTP and RTCP on one port (RFC 5761). Towards the other side: `offer` it, `require` it (RFC 8858), or `demux`, which
   * is the default: offer two ports. Towards the offerer: `accept` it, as by default, or `reject` it.
   */
  readonly rtcpMux?: readonly RtcpMuxOption[]
  /** Address family towards the other side; that of the offer by default, or the other where the relay has no such interface. */
  readonly addressFamily?: AddressFamily
  /** Names of the interfaces: towards the offerer, towards the other side. The first that fits by default. */
  readonly direction?: readonly [from: string, to: string]
}

/** See {@link OfferOptions.rtcpMux}. */
export type RtcpMuxOption = 'offer' | 'require' | 'demux' | 'accept' | 'reject'
