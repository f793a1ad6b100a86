/** Offer and answer as pure functions (RFC 3264). */
export { type AnswerOptions, answerOffer } from './answer'
export type { CodecCapability, LocalSession, MediaCapability } from './capability'
export { checkAnswer, checkReoffer, type ExchangeProblem } from './check'
export { type CodecMatch, isAuxiliary, isSameCodec, matchCodecs } from './codec-match'
export { answerDirection, effectiveDirection, isDirectionAnswer } from './direction'
export { type NegotiatedMedia, negotiatedMedia } from './negotiated'
export { createOffer, offerMedia } from './offer'
export { holdOffer, nextVersion, reoffer, resumeOffer } from './reoffer'
