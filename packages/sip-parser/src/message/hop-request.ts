/** The two requests that go hop by hop with an INVITE: the ACK of a failure (RFC 3261 §17.1.1.3) and CANCEL (§9.1). */
import { CALL_ID, FROM, ROUTE, TO, VIA } from '../headers/ids'
import { elementEnd, findId, stride, wireValueAt } from './header-list'
import { SipRequest, type SipResponse } from './message'
import { type HeaderInit, HeadWriter } from './serialize'

const maxForwards = '70'

/**
 * Makes the ACK to a failure, or the CANCEL, of an INVITE that was sent: Request-URI, the top Via with its branch, Route,
 * From and Call-ID are the INVITE's, byte for byte; To is that of the response, if one is given.
 * @param headers further headers, such as Reason
 * @throws SipUsageError HEADER_INJECTION, HEADER_NAME_INVALID for what `headers` cannot be
 */
export function hopRequest(
  invite: SipRequest,
  method: 'ACK' | 'CANCEL',
  response?: SipResponse,
  headers: readonly HeaderInit[] = [],
): SipRequest {
  const { text, index } = invite
  const { seq } = invite.cseq
  // The request line but for its method.
  const writer = new HeadWriter(method + text.slice(invite.method.length, invite.startLineEnd))
  const via = findId(index, VIA)
  if (via >= 0) {
    const value = wireValueAt(text, index, via)
    const end = elementEnd(value, 0, value.length)
    if (end === value.length) writer.copyLine(text, index, via)
    else writer.addWire('Via', value.slice(0, end).trim())
  }
  writer.addWire('Max-Forwards', maxForwards)
  for (let route = findId(index, ROUTE); route >= 0; route = findId(index, ROUTE, route + stride))
    writer.copyLine(text, index, route)
  copyFirst(writer, invite, FROM)
  copyFirst(writer, response ?? invite, TO)
  copyFirst(writer, invite, CALL_ID)
  writer.addWire('CSeq', `${seq} ${method}`)
  for (const [name, value] of headers) writer.add(name, value)
  writer.addWire('Content-Length', '0')
  return new SipRequest(writer.finish(''), method, undefined)
}

function copyFirst(writer: HeadWriter, source: SipRequest | SipResponse, headerId: number): void {
  const entry = findId(source.index, headerId)
  if (entry >= 0) writer.copyLine(source.text, source.index, entry)
}
