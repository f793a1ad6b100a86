/** Headers that a stack gives every request of its own: what may be among them. RFC 3261 §8.1.1, §20. */
import { createRequest, type HeaderInit } from '@carillon/sip-parser'
import { SipUsageError } from '../../errors'

/** What the stack writes itself, by what the request is and where it goes. */
const written: ReadonlySet<string> = new Set(
  [
    ...['Via', 'Route', 'Record-Route', 'From', 'To', 'Call-ID', 'CSeq', 'Contact', 'Max-Forwards', 'Content-Length'],
    ...['Content-Type', 'User-Agent', 'Authorization', 'Proxy-Authorization', 'RAck', 'RSeq', 'Expires', 'Event'],
    // Compact forms name the same headers.
    ...['v', 'f', 't', 'i', 'm', 'l', 'c', 'o'],
  ].map((name) => name.toLowerCase()),
)

/**
 * The headers, when each of them can be in any request.
 * @throws SipUsageError HEADERS_INVALID for one that the stack writes itself, or that cannot be written
 */
export function checkedOwnHeaders(headers: readonly HeaderInit[]): readonly HeaderInit[] {
  for (const header of headers) {
    const [name] = header
    if (written.has(name.toLowerCase())) throw new SipUsageError('HEADERS_INVALID', name)
    try {
      createRequest({ method: 'OPTIONS', uri: 'sip:invalid.invalid', headers: [header] })
    } catch {
      throw new SipUsageError('HEADERS_INVALID', name)
    }
  }
  return [...headers]
}
