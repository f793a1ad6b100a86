/** Messages: parse, read, edit, build. */
export {
  createRequest,
  createResponse,
  type RequestInit,
  type ResponseInit,
  type ResponseToOptions,
  responseTo,
} from './build'
export { MessageEditor } from './editor'
export { hopRequest } from './hop-request'
export { type Leniency, strict, tolerant } from './leniency'
export { type SipMessage, SipMessageBase, SipRequest, SipResponse } from './message'
export { isKnownMethod, knownMethods } from './methods'
export { type ParseOptions, type ParseResult, parseMessage } from './parse'
export type { DecodableHeader } from './parts'
export { reasonPhrase } from './reasons'
export type { HeaderInit, HeaderValue } from './serialize'
export { checkMandatory, checkRequestUriScheme, type Inspection, inspectMessage } from './validate'
