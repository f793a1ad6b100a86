/** @carillon/rtp-relay: a userspace relay of RTP and RTCP, with SRTP, SDP rewriting, endpoint learning and statistics. */
export type { BranchCloseReason, CloseReason, RelayEvents, RelayListener } from './control/events'
export type { LearningOptions } from './control/learning'
export type { SecurityOptions, TransportProtocol } from './control/offer-answer/security'
export type { AnswerOptions, OfferOptions, PartyOptions, RtcpMuxOption } from './control/offer-options'
export type { InterfaceOptions, RelayOptions, WorkerLimits } from './control/options'
export { type MediaRewrite, rewriteSdp, type SdpRewrite } from './control/sdp-rewrite'
export type { LegSnapshot, SessionSnapshot, StreamSnapshot } from './control/snapshot'
export {
  RelayError,
  type RelayErrorCode,
  type RtcpErrorCode,
  type RtpErrorCode,
  relayErrorCodes,
  rtcpErrorCodes,
  rtpErrorCodes,
} from './errors'
export { defaultRelayLimits, type RelayLimits } from './limits'
export type { Clock, DatagramChannel, DatagramNetwork, DatagramSink, Random, ScheduledWake } from './ports'
export type { TimeoutReason } from './relay/branch-media'
export type { LearningMode, LearningState } from './relay/latching'
export type { DropCounts, Side } from './relay/leg'
export { classify as classifyPacket, type PacketKind, packetKinds } from './rtcp/demux'
export type {
  DelaySinceReceiverReport,
  ExtendedReport,
  ExtendedReportBlock,
  OtherBlock,
  ReceiptTimes,
  ReferenceTime,
  RunLengths,
  Spread,
  StatisticsSummary,
  VoipMetrics,
} from './rtcp/extended-reports'
export type {
  ApplicationFeedback,
  FeedbackPacket,
  FullIntraRequest,
  GenericNack,
  MaximumBitRate,
  OtherFeedback,
  PictureLoss,
  ReferencePicture,
  SliceLoss,
  TemporalSpatialTradeoff,
} from './rtcp/feedback'
export { rtcpTypes, sdesItems } from './rtcp/packet-types'
export type { OtherRtcpPacket, RtcpPacket } from './rtcp/packets'
export { type RtcpResult, readRtcp } from './rtcp/reader'
export type { ReceiverReport, ReportBlock, SenderReport } from './rtcp/reports'
export {
  type ApplicationDefined,
  type Goodbye,
  type SourceDescription,
  type SourceItem,
  textOf,
} from './rtcp/source-description'
export { writeRtcp } from './rtcp/writer'
export {
  RtpExtensionCursor,
  type RtpExtensionElement,
  type RtpExtensionOptions,
  type RtpExtensionState,
  writeRtpExtensions,
} from './rtp/extensions'
export {
  isRtp,
  rtpMarker,
  rtpPayloadOffset,
  rtpPayloadType,
  rtpSequence,
  rtpSsrc,
  rtpTimestamp,
} from './rtp/header'
export {
  type RtpHeaderExtension,
  type RtpPacketFields,
  type RtpPacketView,
  type RtpReading,
  readRtp,
  writeRtp,
} from './rtp/packet'
export {
  isMuxablePayloadType,
  type PayloadTypeUse,
  payloadTypeUse,
  type StaticPayloadType,
  staticPayloadType,
} from './rtp/payload-types'
export {
  addSequence,
  addTimestamp,
  extendSequence,
  extendTimestamp,
  sequenceDelta,
  timestampDelta,
} from './rtp/sequence'
export {
  digitOfEvent,
  eventOfDigit,
  readTelephoneEvents,
  type TelephoneEvent,
  type TelephoneEventReading,
  writeTelephoneEvents,
} from './rtp/telephone-event'
export {
  type TelephoneEventPacket,
  TelephoneEventReceiver,
  type TelephoneEventReceiverOptions,
  type TelephoneEventReport,
} from './rtp/telephone-event-receiver'
export {
  type TelephoneEventSending,
  type TelephoneEventToSend,
  telephoneEventSchedule,
} from './rtp/telephone-event-sender'
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
