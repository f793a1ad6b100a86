/** What users of SIP parsers complain about, one test each. docs/COMPLAINTS.md refers to them. */
import {
  bodyOf,
  checkMandatory,
  headerDefinitions,
  inspectMessage,
  leafParts,
  parseMessage,
  parseUri,
  SipUri,
  StreamFramer,
  tolerant,
} from '@carillon/sip-parser'
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

/** What knocks at port 5060 of any address on the Internet, and what a broken stack may send. */
const garbage: Readonly<Record<string, string | Uint8Array>> = {
  'an OPTIONS of a scanner without a To tag or a space':
    'OPTIONS sip:100@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.1.1:5066;branch=z9hG4bK-1;rport\r\nContent-Length:0\r\nFrom: "sipvicious"<sip:100@1.1.1.1>; tag=6\r\nAccept: application/sdp\r\nUser-Agent: friendly-scanner\r\nTo: "sipvicious"<sip:100@1.1.1.1>\r\nContact: sip:100@127.0.1.1:5066\r\nCSeq: 1 OPTIONS\r\nCall-ID: 9\r\nMax-Forwards: 70\r\n\r\n',
  'a REGISTER of a scanner with nothing in it':
    'REGISTER sip:192.0.2.1 SIP/2.0\r\nVia: \r\nTo: <>\r\nFrom: ;;;\r\nCSeq: a b c\r\n\r\n',
  'a web browser': 'GET /../../etc/passwd HTTP/1.1\r\nHost: a\r\n\r\n',
  'a TLS hello': Buffer.from('16030100c8010000c40303000000000000000000', 'hex'),
  'a STUN request': Buffer.from('000100002112a442000000000000000000000000', 'hex'),
  'an RTP packet': Buffer.from('80000001000000a0deadbeef7f7f7f7f', 'hex'),
  'an RTSP request': 'OPTIONS * RTSP/1.0\r\nCSeq: 1\r\n\r\n',
  'a remote desktop': Buffer.from('030000130ee000000000000100080003000000', 'hex'),
  zeros: new Uint8Array(400),
  'every byte': Uint8Array.from({ length: 1024 }, (_, at) => at & 0xff),
  nothing: '',
  'line ends': '\r\n\r\n\r\n',
  'a start line and no more': 'INVITE sip:a@b SIP/2.0\r\n',
  colons: ':\r\n:\r\n::\r\n\r\n',
  'a format string': 'INVITE %s%s%s%n SIP/2.0\r\nVia: %n%n\r\n\r\n',
  'a prototype':
    'INVITE sip:a@b;__proto__=x SIP/2.0\r\n__proto__: 1\r\nconstructor: 2\r\nVia: SIP/2.0/UDP a;toString=1;__proto__=2\r\n\r\n',
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

  it.each(Object.entries(garbage))('%s gives a verdict and never an exception, datagram or stream', (_, input) => {
    const bytes = Buffer.from(input as string)
    for (const leniency of [{}, tolerant]) {
      const { ok, message, problems, warnings } = inspectMessage(bytes, { leniency })
      expect(ok).toBe(problems.length === 0)
      expect(
        problems.length + warnings.length > 0 || (message !== undefined && checkMandatory(message) === undefined),
      ).toBe(true)
      if (message !== undefined) JSON.stringify([message, message.toString()])
      const framer = new StreamFramer({ leniency })
      for (const event of framer.push(bytes)) expect(event.kind === 'error' && event.error.sentence === '').toBe(false)
      expect(framer.bufferedBytes).toBeLessThanOrEqual(bytes.length)
    }
    expect(Object.getPrototypeOf({})).not.toHaveProperty('x')
  })

  it('every header with a compact form is the same under both names', () => {
    const compact = headerDefinitions.filter((definition) => definition.compact !== undefined)
    expect(compact.length).toBeGreaterThanOrEqual(17)
    for (const { name, compact: short = '' } of compact) {
      const [one, other] = [name, short.toUpperCase()].map((spelling) =>
        parsed(Buffer.from(`OPTIONS sip:a@b SIP/2.0\r\n${spelling}: 0\r\nX-After: 1\r\n\r\n`)),
      )
      for (const asked of [name, short, name.toUpperCase()]) {
        expect(one?.getAll(asked), asked).toEqual(['0'])
        expect(other?.getAll(asked), asked).toEqual(['0'])
      }
      expect(other?.toBytes().toString()).toContain(`\r\n${short.toUpperCase()}: 0\r\n`)
    }
  })

  it('the parts of a multipart body keep every byte', () => {
    const result = bodyOf(parsed(invite))
    const parts = result?.ok === true ? leafParts(result.value) : []
    expect(parts.map(({ contentType, bytes }) => [contentType.essence, bytes.length])).toEqual([
      ['application/octet-stream', 256],
      ['text/plain', Buffer.byteLength('„Grüße“ €')],
    ])
    expect([...(parts[0]?.bytes ?? [])]).toEqual(Array.from({ length: 256 }, (_, byte) => byte))
    expect(Buffer.from(parts[1]?.bytes ?? []).toString('utf8')).toBe('„Grüße“ €')
  })

  it('an IPv6 address is the same address however it is spelled', () => {
    const spellings = [
      '[2001:db8::9]',
      '[2001:DB8::9]',
      '[2001:db8:0:0:0:0:0:9]',
      '[2001:0db8::0009]',
      '[2001:db8::0.0.0.9]',
    ]
    const uris = spellings.map((host) => {
      const result = parseUri(`sip:a@${host}:5060;transport=tcp`)
      if (!result.ok) throw new Error(host)
      return result.value
    })
    for (const uri of uris) {
      expect(uri.equals(uris[0])).toBe(true)
      expect(uri.addressOfRecord).toBe('sip:a@[2001:db8::9]')
      expect(parseUri(uri.toString())).toMatchObject({ ok: true })
    }
  })
})
