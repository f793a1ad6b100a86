/** @carillon/sip-parser: SIP messages in and out (RFC 3261). SDP is in `@carillon/sip-parser/sdp`. */
export * from './body/index'
export {
  type Problem,
  type ProblemCode,
  type ProblemLayer,
  problemCodes,
  type Result,
  SipHeaderError,
  SipUsageError,
  type SuggestedStatus,
  type UsageCode,
  usageCodes,
} from './errors'
export { keepAliveKind, pingBytes, pongBytes } from './framing/keepalive'
export { type FramerEvent, type FramerOptions, StreamFramer } from './framing/stream-framer'
export { isIpv4, isIpv6 } from './grammar/host'
export type { Params, ParamsInit } from './grammar/params'
export { quote } from './grammar/quoted'
export { detachText } from './grammar/text'
export { Diversion, ReferredBy, ReferTo, ServedUser } from './headers/address-kinds'
export { type AuthInit, Challenge, Credentials } from './headers/auth'
export { ChargingAddresses, ChargingVector } from './headers/charging'
export { Contact } from './headers/contact'
export {
  type DialogInit,
  Join,
  type Refresher,
  Replaces,
  type ReplacesInit,
  SessionExpires,
  TargetDialog,
  type TargetDialogInit,
} from './headers/dialogs'
export { EventType, SubscriptionState, type SubscriptionStateInit } from './headers/events'
export type { Feature, FeatureValue, NumericRange } from './headers/features'
export { HistoryEntry } from './headers/history'
export { Identity, type IdentityInit, type PassportParts } from './headers/identity'
export { type HeaderDefinition, headerDefinitions, type MultiValueRule } from './headers/index'
export { Warning } from './headers/lists'
export { NameAddr, type NameAddrInit } from './headers/name-addr'
export { AnswerMode, FeatureSet, ResourcePriority } from './headers/preferences'
export { Reason, type ReasonInit } from './headers/reason'
export { type CSeq, RAck, RetryAfter } from './headers/scalars'
export { SecurityMechanism } from './headers/security'
export { SessionId } from './headers/session-id'
export { UserToUser, type UserToUserInit } from './headers/user-to-user'
export { FlagWithParams, SecondsWithParams, UriWithParams, ValueWithParams } from './headers/values'
export { Via, type ViaInit } from './headers/via'
export { defaultParserLimits, type ParserLimits } from './limits'
export { explainProblem } from './message/excerpt'
export * from './message/index'
export {
  OpaqueUri,
  parseUri,
  SipUri,
  type SipUriInit,
  TelUri,
  type TelUriInit,
  type Uri,
  type UriHeadersInit,
  type Urn,
} from './uri/index'
