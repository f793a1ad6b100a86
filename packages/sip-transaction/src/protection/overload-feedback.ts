/**
 * Overload control in Via (RFC 7339 §4): what a server writes beside received, and how a client reads it. Pure.
 */
import type { Via } from '@carillon/sip-parser'

/** What a server tells a client that takes part. */
export interface OverloadFeedback {
  /** The part of its requests that the client is to keep back, 0 to 1. */
  readonly reduction: number
  /** For how long, in milliseconds; ignored without a reduction. */
  readonly validityMs: number
  /** When this was decided, in milliseconds since the Unix epoch: what is newer counts (RFC 7339 §4.4). */
  readonly wallMs: number
}

/** Parameters of Via, in order, their values as they are written. */
export type ViaParameters = readonly (readonly [name: string, value: string | null])[]

/** What a client writes at the end of its Via to take part (RFC 7339 §5.1). */
export const overloadOffer = ';oc;oc-algo="loss"'

/** True when the sender of a request takes part, by the only algorithm that there is for all (RFC 7339 §5.1). */
export function offersOverload(via: Via): boolean {
  return via.oc !== undefined && via.ocAlgorithms.some((name) => unquoted(name).toLowerCase() === 'loss')
}

/** The parameters that answer an offer (RFC 7339 §5.2, §5.4). A validity of zero ends what was said before. */
export function feedbackParameters(feedback: OverloadFeedback): ViaParameters {
  const { reduction, validityMs, wallMs } = feedback
  const seconds = Math.floor(wallMs / 1000)
  const fraction = String(Math.floor(wallMs) % 1000).padStart(3, '0')
  return [
    ['oc', String(Math.round(reduction * 100))],
    ['oc-algo', '"loss"'],
    ['oc-validity', String(reduction > 0 ? validityMs : 0)],
    ['oc-seq', `${seconds}.${fraction}`],
  ]
}

/** What the next hop asks for. */
export interface OverloadRequest {
  /** 0 to 1. */
  readonly reduction: number
  readonly validityMs: number
  readonly sequence: number
}

/** RFC 7339 §4.3: what holds when `oc-validity` is absent. */
const validityMsDefault = 500

/** What a response to our offer says; undefined when nothing, or nothing that makes sense (RFC 7339 §5.3). */
export function readFeedback(via: Via): OverloadRequest | undefined {
  const { oc, ocSequence: sequence, ocValidityMs: validityMs = validityMsDefault } = via
  if (typeof oc !== 'number' || oc > 100 || sequence === undefined) return undefined
  if (!via.ocAlgorithms.every((name) => unquoted(name).toLowerCase() === 'loss')) return undefined
  return { reduction: oc / 100, validityMs, sequence }
}

function unquoted(name: string): string {
  return name.replaceAll('"', '').trim()
}
