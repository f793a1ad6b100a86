/** Why a call ends: the Reason header of BYE and CANCEL, both ways (RFC 3326). */
import type { HeaderInit, Reason, SipRequest } from '@carillon/sip-parser'

/** Reason (RFC 3326): a value that is one already goes as it is, a text of ours in quotes that it cannot leave. */
export function reasonHeaders(text: string): HeaderInit[] {
  const printable = text.replace(/[^\x20-\x7e]/g, ' ')
  if (/^[\w.-]+\s*;\s*cause\s*=/.test(printable)) return [['Reason', printable]]
  return [['Reason', `SIP ;cause=200 ;text="${printable.replace(/["\\]/g, ' ')}"`]]
}

/** The values of a Reason header; nothing when there is none, or none that can be read. */
export function reasonsOf(request: SipRequest): { readonly reasons?: readonly Reason[] } {
  const reasons = request.decode('reasons')
  return reasons.ok && reasons.value.length > 0 ? { reasons: reasons.value } : {}
}
