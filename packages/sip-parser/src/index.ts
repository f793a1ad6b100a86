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
export { type AuthInit, Challenge, Credentials } from './headers/auth'
export { Contact } from './headers/contact'
export { type HeaderDefinition, headerDefinitions, type MultiValueRule } from './headers/index'
export type { UriWithParams, Warning } from './headers/lists'
export { NameAddr, type NameAddrInit } from './headers/name-addr'
export type { CSeq, RAck, RetryAfter, SecondsWithParams, ValueWithParams } from './headers/scalars'
export { Via, type ViaInit } from './headers/via'
export { defaultParserLimits, type ParserLimits } from './limits'
export * from './message/index'
export { OpaqueUri, parseUri, SipUri, type SipUriInit, TelUri, type Uri } from './uri/index'
