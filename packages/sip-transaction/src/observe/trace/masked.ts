/** Messages as a trace may show them: no credentials, no passwords in URIs, nothing that moves a terminal's cursor. */
import type { SipMessage } from '@carillon/sip-parser'

/** A message as plain data for a log. The body is counted and not shown. */
export interface MaskedMessage {
  readonly startLine: string
  readonly headers: readonly { readonly name: string; readonly value: string }[]
  readonly bodyBytes: number
}

/** The message without its secrets. */
export function maskedMessage(message: SipMessage): MaskedMessage {
  const { startLine, headers, bodyBytes } = message.toJSON() as MaskedMessage
  return {
    startLine: withoutPasswords(startLine),
    headers: headers.map(({ name, value }) => ({ name, value: withoutPasswords(value) })),
    bodyBytes,
  }
}

/** Hides the password of every SIP URI in a text (RFC 3261 §19.1.1). */
function withoutPasswords(text: string): string {
  return text.replace(/(\bsips?:[^:@<>\s]{0,512}:)[^@:;<>\s]{0,512}@/gi, '$1***@')
}

/** A text on one line, without control characters. */
export function printable(text: string): string {
  return text.replace(/[^\x20-\x7e\xa0-\xac\xae-\xff]/g, '?')
}
