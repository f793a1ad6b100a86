import { describe, expect, it } from 'vitest'
import { responseTo } from './build'
import { SipRequest } from './message'
import { parseMessage } from './parse'

const lines = [
  'Via: SIP/2.0/UDP a;branch=z9hG4bKx',
  'From: <sip:a@b>;tag=1',
  'To: <sip:c@d>',
  'Call-ID: 1',
  'CSeq: 1 OPTIONS',
]

function requestWith(name: string, fold: string): SipRequest {
  const folded = lines.map((line) => (line.startsWith(name) ? line + fold : line))
  const parsed = parseMessage(Buffer.from(['OPTIONS sip:c@d SIP/2.0', ...folded, '', ''].join('\r\n')))
  if (!parsed.ok || !(parsed.message instanceof SipRequest)) throw new Error('not a request')
  return parsed.message
}

describe('RFC 3261 §7.3.1: a value that ends with blank continuation lines', () => {
  const names = ['Via', 'From', 'To', 'Call-ID', 'CSeq']
  const cases = names.flatMap((name) => ['\r\n ', '\r\n\t\r\n  ', ' \r\n '].map((fold) => [name, fold] as const))

  it.each(cases)('%s with %j brings no empty line into the response', (name, fold) => {
    const request = requestWith(name, fold)
    const bytes = responseTo(request, 200, { toTag: 't' }).toBytes()
    const again = parseMessage(bytes)
    expect(again.ok && [...again.message.headers()].length).toBe(lines.length + 1)
    expect(again.ok && again.message.to.tag).toBe('t')
    expect(bytes.indexOf('\r\n\r\n')).toBe(bytes.length - 4)
  })

  it.each(cases)('%s with %j is read without them and written back with them', (name, fold) => {
    const request = requestWith(name, fold)
    expect(request.get(name)).toBe(lines.find((line) => line.startsWith(name))?.slice(name.length + 2))
    expect(request.toBytes().includes(fold)).toBe(true)
  })
})
