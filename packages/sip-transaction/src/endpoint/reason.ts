/** Why a call ends, as a header of its BYE (RFC 3326). */
import type { HeaderInit } from '@carillon/sip-parser'

/** Reason (RFC 3326): a value that is one already goes as it is, a text of ours in quotes that it cannot leave. */
export function reasonHeaders(text: string): HeaderInit[] {
  const printable = text.replace(/[^\x20-\x7e]/g, ' ')
  if (/^[\w.-]+\s*;\s*cause\s*=/.test(printable)) return [['Reason', printable]]
  return [['Reason', `SIP ;cause=200 ;text="${printable.replace(/["\\]/g, ' ')}"`]]
}
