/** What users of SIP parsers complain about, one test each. docs/COMPLAINTS.md refers to them. */
import { parseMessage, SipUri, StreamFramer } from '@carillon/sip-parser'
import { describe, expect, it } from 'vitest'

const head = [
  'INVITE sip:bob@[2001:db8::10]:5070;transport=tcp SIP/2.0',
  'v: SIP/2.0/TCP [2001:db8::9]:5061;branch=z9hG4bK1;received=2001:db8::9, SIP/2.0/UDP alice.example;branch=z9hG4bK0',
  'mAx-FoRwArDs: 70',
  'f: "Zoë \\"Z\\" Müller"',
  '  <sip:zoe@[2001:db8::9]>;tag=a',
  't: <sip:bob@example.com>',
  'i: one@[2001:db8::9]',
  'CSeq: 1',
  '\tINVITE',
  'm: <sip:zoe@[2001:db8::9]:5061;transport=tcp>',
  'k: timer, replaces',
  'X-cOdEs: keep;ME="as I am" ',
  'c: multipart/mixed; boundary=cut',
]

const binary = Buffer.concat([
  Buffer.from('--cut\r\nContent-Type: application/octet-stream\r\n\r\n'),
  Buffer.from(Array.from({ length: 256 }, (_, byte) => byte)),
  Buffer.from('\r\n--cut\r\nContent-Type: text/plain\r\n\r\n„Grüße“ €\r\n--cut--\r\n'),
])

const invite = Buffer.concat([Buffer.from(`${head.join('\r\n')}\r\nl: ${binary.length}\r\n\r\n`), binary])

function parsed(bytes: Uint8Array) {
  const result = parseMessage(bytes)
  if (!result.ok || result.message.kind !== 'request') throw new Error('not a request')
  return result.message
}

describe('what users of parsers complain about', () => {
  it('bodies of any bytes and names in UTF-8 come through reading, changing and writing', () => {
    const message = parsed(invite)
    expect(Buffer.from(message.body).equals(binary)).toBe(true)
    expect(message.from.displayName).toBe('Zoë "Z" Müller')
    const forwarded = message.edit().set('Max-Forwards', '69').build()
    expect(Buffer.from(forwarded.body).equals(binary)).toBe(true)
    expect(parsed(forwarded.toBytes()).from.displayName).toBe('Zoë "Z" Müller')
  })

  it('header names and values keep their case and spelling when a message is forwarded', () => {
    const out = parsed(invite).edit().set('Max-Forwards', '69').build().toBytes()
    const text = Buffer.from(out).toString('latin1')
    expect(text).toContain('\r\nX-cOdEs: keep;ME="as I am" \r\n')
    expect(text).toContain('\r\nCSeq: 1\r\n\tINVITE\r\n')
    for (const name of ['v', 'f', 't', 'i', 'm', 'k', 'c', 'l']) expect(text).toMatch(new RegExp(`\\r\\n${name}: `))
  })

  it('folded headers are read as one line', () => {
    const message = parsed(invite)
    expect(message.from.tag).toBe('a')
    expect(message.cseq).toEqual({ seq: 1, method: 'INVITE' })
  })

  it('compact forms are the same headers as long ones, wherever they are asked for', () => {
    const message = parsed(invite)
    expect(message.vias).toHaveLength(2)
    expect(message.callId).toBe('one@[2001:db8::9]')
    expect(message.supported).toEqual(['timer', 'replaces'])
    expect(message.contentType?.essence).toBe('multipart/mixed')
    expect(message.contacts).toHaveLength(1)
    for (const [long, compact] of [
      ['Via', 'v'],
      ['From', 'f'],
      ['Contact', 'm'],
    ]) {
      expect(message.getAll(long ?? '')).toEqual(message.getAll(compact ?? ''))
    }
  })

  it('IPv6 addresses are read in request lines, Via, Contact and From', () => {
    const message = parsed(invite)
    const uris = [message.uri, message.from.uri, message.contacts[0]?.uri].map((uri) => uri as SipUri)
    expect(uris.map((uri) => [uri instanceof SipUri, uri.host, uri.port])).toEqual([
      [true, '2001:db8::10', 5070],
      [true, '2001:db8::9', undefined],
      [true, '2001:db8::9', 5061],
    ])
    expect([message.via.host, message.via.port, message.via.received]).toEqual(['2001:db8::9', 5061, '2001:db8::9'])
  })

  it.each([
    ['12x', 'CONTENT_LENGTH_INVALID'],
    ['-1', 'CONTENT_LENGTH_INVALID'],
    ['99999999999999999999', 'CONTENT_LENGTH_INVALID'],
  ])(
    'Content-Length %s ends its stream at once with a reason, and does not wait for bytes that never come',
    (length) => {
      const framer = new StreamFramer()
      const text = `OPTIONS sip:a@b SIP/2.0\r\nContent-Length: ${length}\r\n\r\nOPTIONS sip:a@b SIP/2.0\r\n`
      const events = [...framer.push(Buffer.from(text))]
      expect(events.some((event) => event.kind === 'error')).toBe(true)
      expect(events.some((event) => event.kind === 'message')).toBe(false)
    },
  )

  it.each([
    ['nonsense', 'INVITE\0 \xff'],
    ['start-line', 'INVITE sip:a@b SIP/9.0\r\n\r\n'],
    ['framing', 'OPTIONS sip:a@b SIP/2.0\r\nContent-Length: 9\r\n\r\nshort'],
  ])('a refusal says what is wrong, in which layer and where: %s', (_, text) => {
    const result = parseMessage(Buffer.from(text, 'latin1'), { datagram: true })
    expect(result.ok).toBe(false)
    if (result.ok) return
    const { code, layer, offset, sentence, suggestedStatus } = result.error
    expect(code).toMatch(/^[A-Z][A-Z_]+$/)
    expect(['framing', 'start-line', 'header-syntax', 'header-value', 'semantic']).toContain(layer)
    expect(offset).toBeGreaterThanOrEqual(0)
    expect(offset).toBeLessThanOrEqual(text.length)
    expect(sentence.length).toBeGreaterThan(10)
    expect(suggestedStatus === 'drop' || suggestedStatus >= 400).toBe(true)
  })
})
