/** @carillon/sip-transaction: a SIP stack in this process. */

export type { DigestAccount } from './auth/choose'
export {
  answerChallenge,
  type ChallengeAnswer,
  DigestClient,
  type DigestClientOptions,
  DigestRounds,
} from './auth/client'
export {
  computeHa1,
  computeUserhash,
  type DigestAlgorithm,
  type DigestHash,
  type DigestHashFunction,
  type DigestQop,
} from './auth/digest'
export type { DigestProof } from './auth/proof'
export type { ServerProof } from './auth/server-info'
export { type ChallengeOptions, DigestVerifier } from './auth/verifier'
export type {
  CredentialsHeader,
  DigestIdentity,
  DigestRefusal,
  DigestSecret,
  DigestVerdict,
  DigestVerifierOptions,
} from './auth/verifier-options'
export type { Disposition } from './b2bua/best-response'
export type { BridgeEnd, BridgeEvent, BridgeParty, BridgeSide } from './b2bua/bridge-types'
export type { Effect, TransactionFailure, TransactionId } from './effects'
export { Bridge, type CallLeg } from './endpoint/bridge'
export { Call, type ReinviteOptions } from './endpoint/call'
export type { DropReason, StackCounters } from './endpoint/counters'
export type { DialogHandle, UpdateOptions } from './endpoint/dialog-handle'
export { type DigestLookup, type DigestOptions, digest, digestUsernameKey } from './endpoint/digest'
export type { EarlyDialog } from './endpoint/early-dialog'
export type { RequestSource } from './endpoint/incoming-message'
export { IncomingRequest } from './endpoint/incoming-request'
export { createNodeDnsResolver, type NodeDnsOptions } from './endpoint/node-dns'
export { createNodeRandom, nodeClock, silentLogger } from './endpoint/node-ports'
export type {
  AcceptOptions,
  BridgeOptions,
  BridgeTarget,
  CallEnd,
  DnsOptions,
  ExplicitDestination,
  Handler,
  InDialogOptions,
  InviteOptions,
  Listener,
  ListenOptions,
  MessageEvent,
  OutgoingInit,
  OutgoingRequestInit,
  ReliablePolicy,
  ReplyOptions,
  SdpAnchor,
  SessionTimerOptions,
  SipStackOptions,
  StackEvents,
  StackStats,
  UserCredentials,
} from './endpoint/options'
export type { OverloadOptions, ProtectionOptions, RateLimitOptions } from './endpoint/protection-options'
export { SipStack } from './endpoint/stack'
export * from './errors'
export * from './limits'
export {
  type SipChannelEvents,
  type SipDialogEvent,
  type SipDroppedEvent,
  type SipFlowEvent,
  type SipMessageEvent,
  type SipTransactionEvent,
  sipChannels,
  subscribeSip,
} from './observe/channels'
export { HepExporter, type HepExporterOptions, type HepStats } from './observe/hep/hep-exporter'
export {
  decodeHep,
  encodeHep,
  type HepEndpoint,
  type HepPacket,
  type HepResult,
  hepPayloadSip,
} from './observe/hep/packet'
export type { DialogTrace, TraceData, TraceStep } from './observe/trace/dialog-trace'
export type { LadderStyle } from './observe/trace/ladder'
export { LadderRecorder, type LadderRecorderOptions } from './observe/trace/ladder-recorder'
export type { MaskedMessage } from './observe/trace/masked'
export type { MediaSummary } from './observe/trace/sdp-summary'
export type * from './ports'
export type { ScannerOptions, ScannerPredicate } from './protection/scanner-filter'
export { Binding } from './registrar/binding'
export { type BindingChange, BindingTable, type RegisterResult, type RegisterSource } from './registrar/binding-table'
export { deriveTimers, type TimerName, type TimerSettings } from './timers/timer-settings'
export { tcpTransport } from './transport/tcp/tcp-transport'
export type { NamedTlsCertificate, TlsCertificate, TlsOptions } from './transport/tls/tls-options'
export { udpTransport } from './transport/udp/udp-transport'
export type { WebSocketOptions } from './transport/ws/ws-transport'
