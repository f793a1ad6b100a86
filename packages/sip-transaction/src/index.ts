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
export type { HeaderPolicy } from './b2bua/header-policy'
export type { Effect, TransactionFailure, TransactionId } from './effects'
export { Bridge, type CallLeg } from './endpoint/bridge/bridge'
export type { BridgeFailure, BridgeTransfer, FailureAnswer, TransferDecision } from './endpoint/bridge/bridge-options'
export type { ConnectOptions, ConnectParty } from './endpoint/bridge/bridge-start'
export { Call, type DtmfOptions, type ReinviteOptions } from './endpoint/calls/call'
export type { CallEvents, CallInfo } from './endpoint/calls/call-requests'
export type { TransferOptions, TransferOutcome } from './endpoint/calls/call-transfer'
export type { DialogHandle, UpdateOptions } from './endpoint/calls/dialog-handle'
export type { Dtmf } from './endpoint/calls/dtmf'
export type { EarlyDialog } from './endpoint/calls/early-dialog'
export type { FollowOptions, IncomingTransfer } from './endpoint/calls/incoming-transfer'
export { type ReadSessionDescription, sessionDescriptionOf } from './endpoint/calls/session-description'
export type { DropReason, StackCounters } from './endpoint/counters'
export type { NotifierEnd, NotifierOptions, NotifierSubscription, TerminateOptions } from './endpoint/events/notifier'
export type { Publication, PublicationEnd, PublishOptions } from './endpoint/events/publication'
export type { Subscription } from './endpoint/events/subscription'
export type {
  Notification,
  ReferOptions,
  SubscribeOptions,
  SubscriptionEnd,
} from './endpoint/events/subscription-options'
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
export type {
  BranchFailure,
  HeaderChanges,
  MoreTargets,
  ProxyHop,
  ProxyOptions,
  ProxyStackOptions,
  ProxyTarget,
  ProxyTargets,
} from './endpoint/proxy/proxy-options'
export {
  type BindingStore,
  Registrar,
  type RegistrarOptions,
  type StoredBinding,
} from './endpoint/registration/registrar'
export {
  type RegisterOptions,
  Registration,
  type RegistrationEvents,
  type RegistrationFlow,
} from './endpoint/registration/registration'
export { type DigestLookup, type DigestOptions, digest, digestUsernameKey } from './endpoint/requests/digest'
export type { RequestSource } from './endpoint/requests/incoming-message'
export { IncomingRequest } from './endpoint/requests/incoming-request'
export { SipStack } from './endpoint/stack'
export { createNodeDnsResolver, type NodeDnsOptions } from './endpoint/wire/node-dns'
export { createNodeRandom, nodeClock, silentLogger } from './endpoint/wire/node-ports'
export * from './errors'
export type { EventBody, EventPackage } from './events/event-package'
export { EventStateTable, type PublishResult } from './events/event-state-table'
export {
  type ConferenceEndpoint,
  type ConferenceInfo,
  type ConferenceMedia,
  type ConferencePart,
  type ConferenceUser,
  conferencePackage,
} from './events/packages/conference'
export { type DialogEntry, type DialogInfo, type DialogParty, dialogPackage } from './events/packages/dialog-info'
export { type MessageCount, type MessageSummary, messageSummaryPackage } from './events/packages/message-summary'
export { composePresence, type Presence, type PresenceTuple, presencePackage } from './events/packages/presence'
export { type ReferProgress, referPackage } from './events/packages/refer'
export { regInfoOf } from './events/packages/reg-bindings'
export { type RegInfo, type RegistrationContact, type RegistrationEntry, regPackage } from './events/packages/reg-info'
export { readXml, type XmlElement, type XmlResult } from './events/xml/read'
export { type XmlAttributes, type XmlText, xml, xmlDocument, xmlOf } from './events/xml/write'
export {
  type AnonymousCall,
  type AnonymousCallOptions,
  anonymousAddress,
  anonymousCall,
  isAnonymous,
} from './identity/anonymous'
export { AssertedIdentity, type IdentityHeader } from './identity/asserted-identity'
export { historyTargets } from './identity/bridged-history'
export {
  type DiversionInit,
  type DiversionReason,
  diversionCount,
  diversionsFromHistory,
  diversionsOf,
  divert,
  historyFromDiversions,
  mayDivert,
} from './identity/diversions'
export { bridgePolicy, mergeChanges } from './identity/header-changes'
export {
  type HistoryEntryInit,
  type HistoryPrivacy,
  hidePrivate,
  historyEntry,
  type RetargetKind,
  readHistory,
  withReason,
} from './identity/history-entries'
export { type PrivacyRequest, type PrivacyValue, privacyOf } from './identity/privacy-request'
export { applyPrivacy, type PrivacyOutcome, type PrivacyServiceOptions } from './identity/privacy-service'
export type { HistoryOptions } from './identity/proxied-history'
export { RequestHistory, type RetargetInit } from './identity/request-history'
export type { PassportIdentity } from './identity/stir/canonical-identity'
export type { CertificateSourceOptions, StirCertificate } from './identity/stir/certificates/certificate-source'
export {
  type FetchCertificate,
  fetchCertificateByHttps,
  type HttpsFetchOptions,
} from './identity/stir/certificates/https-fetch'
export type { TnAuthorization, TnRange } from './identity/stir/certificates/tn-auth-list'
export {
  IdentitySigner,
  type IdentitySignerOptions,
  type SignedCall,
  type SignOptions,
} from './identity/stir/identity-signer'
export {
  type IdentityVerdict,
  IdentityVerifier,
  type IdentityVerifierOptions,
  type VerifyOptions,
} from './identity/stir/identity-verifier'
export type { IdentityRefusal } from './identity/stir/judgement'
export type { Attestation, Passport, PassportClaims, PassportDestination } from './identity/stir/passport'
export { type Verstat, verstatChanges } from './identity/stir/verstat'
export {
  type AssertionOptions,
  type Destined,
  type ReceivedRequest,
  TrustDomain,
  type TrustDomainOptions,
  type TrustGuard,
  type TrustPeer,
} from './identity/trust-domain'
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
export { canonicalAor } from './registrar/aor'
export { Binding, type BindingInit } from './registrar/binding'
export {
  type BindingChange,
  BindingTable,
  type BindingTableOptions,
  type ContactEvent,
  type RegisterInput,
  type RegisterResult,
} from './registrar/binding-table'
export { type BindingTarget, oneFlowPerDevice } from './registrar/binding-target'
export type { GruuOptions } from './registrar/gruu'
export { deriveTimers, type TimerName, type TimerSettings } from './timers/timer-settings'
export { tcpTransport } from './transport/tcp/tcp-transport'
export type { NamedTlsCertificate, TlsCertificate, TlsOptions } from './transport/tls/tls-options'
export { udpTransport } from './transport/udp/udp-transport'
export type { WebSocketOptions } from './transport/ws/ws-transport'
