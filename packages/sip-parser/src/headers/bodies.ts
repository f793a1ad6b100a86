/** What is said of a body: Content-Disposition (RFC 3261 §20.11), Content-ID (RFC 8262 §3). */
import { ContentDisposition } from '../body/content-disposition'
import { fail } from '../grammar/failure'
import type { Wire } from '../grammar/wire'
import type { Leniency } from '../message/leniency'
import { decodeTokenWithParams } from './scalars'

/** Content-Disposition. */
export function decodeDisposition(wire: Wire, start: number, end: number, leniency: Leniency): ContentDisposition {
  const { value, params } = decodeTokenWithParams(wire, start, end, leniency)
  return ContentDisposition.of(value, params)
}

/** Content-ID: `<left@right>`; the result is without angle brackets, as a cid: URI has it. */
export function decodeContentId(wire: Wire, start: number, end: number): string {
  if (start === end) fail('HEADER_EMPTY', start)
  const isBracketed = wire.bytes[start] === 0x3c && wire.bytes[end - 1] === 0x3e
  let signs = 0
  for (let at = start + 1; at < end - 1; at += 1) {
    const code = wire.bytes[at]!
    if (code === 0x40) signs += 1
    else if (code <= 0x20 || code >= 0x7f || code === 0x3c || code === 0x3e || code === 0x22)
      fail('CONTENT_ID_INVALID', at)
  }
  const isFull = end - start > 4 && wire.bytes[start + 1] !== 0x40 && wire.bytes[end - 2] !== 0x40
  if (!isBracketed || signs !== 1 || !isFull) fail('CONTENT_ID_INVALID', start)
  return wire.text.slice(start + 1, end - 1)
}
