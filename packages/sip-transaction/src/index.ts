/** @carillon/sip-transaction: a SIP stack in this process. */
export {
  answerChallenge,
  type ChallengeAnswer,
  type DigestAccount,
  DigestClient,
  type DigestClientOptions,
} from './auth/client'
export { computeHa1, type DigestAlgorithm, type DigestHash, type DigestQop } from './auth/digest'
export {
  type CredentialsHeader,
  type DigestRefusal,
  type DigestSecret,
  type DigestVerdict,
  DigestVerifier,
  type DigestVerifierOptions,
} from './auth/verifier'
export type { Disposition } from './b2bua/best-response'
export type { BridgeEnd, BridgeEvent, BridgeParty, BridgeSide } from './b2bua/bridge-types'
export type { Effect, TransactionFailure, TransactionId } from './effects'
export { Bridge, type CallLeg } from './endpoint/bridge'
export { Call, type ReinviteOptions } from './endpoint/call'
export type { DropReason, StackCounters } from './endpoint/counters'
export { type DigestLookup, type DigestOptions, digest, digestUsernameKey } from './endpoint/digest'
export { IncomingRequest, type RequestSource } from './endpoint/incoming-request'
export { createNodeRandom, nodeClock, nodeDnsResolver, silentLogger } from './endpoint/node-ports'
export type {
  AcceptOptions,
  BridgeOptions,
  BridgeTarget,
  CallEnd,
  ExplicitDestination,
  Handler,
  InDialogOptions,
  InviteOptions,
  Listener,
  MessageEvent,
  OutgoingInit,
  OutgoingRequestInit,
  ReplyOptions,
  SdpAnchor,
  SipStackOptions,
  StackEvents,
  StackStats,
  UserCredentials,
} from './endpoint/options'
export { SipStack } from './endpoint/stack'
export * from './errors'
export * from './limits'
export type * from './ports'
export { Binding } from './registrar/binding'
export { type BindingChange, BindingTable, type RegisterResult, type RegisterSource } from './registrar/binding-table'
export { deriveTimers, type TimerName, type TimerSettings } from './timers/timer-settings'
export { tcpTransport } from './transport/tcp/tcp-transport'
export { udpTransport } from './transport/udp/udp-transport'
