/** @carillon/rtp-relay: a userspace relay of RTP and RTCP, with SRTP, SDP rewriting, endpoint learning and statistics. */
export type { CloseReason, RelayEvents, RelayListener } from './control/events'
export type { LearningOptions } from './control/learning'
export type { SecurityOptions, TransportProtocol } from './control/offer-answer/security'
export type { InterfaceOptions, RelayOptions, WorkerLimits } from './control/options'
export type { AnswerOptions, OfferOptions, RtcpMuxOption } from './control/relay-session'
export { type MediaRewrite, rewriteSdp, type SdpRewrite } from './control/sdp-rewrite'
export type { LegSnapshot, SessionSnapshot, StreamSnapshot } from './control/snapshot'
export { RelayError, type RelayErrorCode, relayErrorCodes } from './errors'
export { defaultRelayLimits, type RelayLimits } from './limits'
export type { Clock, DatagramChannel, DatagramNetwork, DatagramSink, Random, ScheduledWake } from './ports'
export type { LearningMode, LearningState } from './relay/latching'
export type { DropCounts, Side } from './relay/leg'
export type { TimeoutReason } from './relay/session'
export { classify as classifyPacket, type PacketKind, packetKinds } from './rtcp/demux'
export {
  isRtp,
  rtpMarker,
  rtpPayloadOffset,
  rtpPayloadType,
  rtpSequence,
  rtpSsrc,
  rtpTimestamp,
} from './rtp/header'
export { type SrtpFailure, srtpFailures } from './srtp/failures'
export type { SrtpMaterial } from './srtp/material'
export { type SrtpFailureCounts, SrtpReceiver } from './srtp/receiver'
export { cryptoOf, generateMaterial, materialsOf } from './srtp/sdes'
export { SrtpSender } from './srtp/sender'
export { type SrtpSuite, type SrtpSuiteName, srtpOverheadMax, srtpSuites } from './srtp/suites'
export type { QualityInterval, StreamQuality } from './stats/quality'
export type { AnchorOptions, MediaAnchor } from './worker/anchor'
export type { WorkerState, WorkerStats } from './worker/engine-slot'
export type { TappedPacket } from './worker/protocol'
export { createRelay, type Relay, type RelayStats } from './worker/relay'
export type { Abortable, RelaySession } from './worker/session'
export type { TapListener } from './worker/tap'
