/** The session description of a message, read: RFC 8866, wherever in the body it stands (RFC 5621 §3). Pure. */
import type { Problem, SipRequest, SipResponse } from '@carillon/sip-parser'
import { parseSdp, type SessionDescription } from '@carillon/sip-parser/sdp'
import { sdpOf } from './session-body'

/** A session description, or what is wrong with it and the status to answer with. */
export type ReadSessionDescription =
  | { readonly ok: true; readonly value: SessionDescription }
  | { readonly ok: false; readonly error: Problem & { readonly suggestedStatus: number } }

/**
 * Reads the session description that a message carries, alone or as a part of a multipart body. It is read at each call:
 * keep what comes back, which may outlive the message.
 * @returns undefined when the message carries none
 */
export function sessionDescriptionOf(message: SipRequest | SipResponse): ReadSessionDescription | undefined {
  const bytes = sdpOf(message)
  if (bytes === undefined) return undefined
  const read = parseSdp(bytes)
  if (read.ok) return read
  const { suggestedStatus } = read.error
  return { ok: false, error: { ...read.error, suggestedStatus: suggestedStatus === 'drop' ? 400 : suggestedStatus } }
}
