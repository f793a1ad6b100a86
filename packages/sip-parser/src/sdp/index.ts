/** Session descriptions: model, parser, serializer and typed attributes (RFC 8866, RFC 3264). */
export type { Problem, Result } from '../errors'
export { detachText } from '../grammar/text'
export * from './attributes/index'
export { type SdpProblemCode, sdpProblemCodes } from './errors'
export { inspectSdp, type SdpInspection } from './inspect'
export * from './offer-answer/index'
export { parseSdp } from './parse'
export { type SerializeOptions, sdpToBytes, serializeSdp } from './serialize'
export type {
  AddressFamily,
  Attribute,
  Bandwidth,
  Connection,
  MediaDescription,
  Origin,
  OtherLine,
  SessionDescription,
  Timing,
} from './session'
