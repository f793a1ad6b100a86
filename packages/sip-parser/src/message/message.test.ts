import { describe, expect, it } from 'vitest'
import { SipHeaderError, SipUsageError } from '../errors'
import { inviteBytes, optionsRequest, sampleInvite, sampleResponse } from '../testing/index'
import { parseUri } from '../uri/index'
import { createRequest, createResponse, responseTo } from './build'
import { type SipMessage, SipRequest, SipResponse } from './message'
import { parseMessage } from './parse'
import { reasonPhrase } from './reasons'

const bytesOf = (text: string): Uint8Array => Buffer.from(text, 'utf8')

function parsed(text: string): SipMessage {
  const result = parseMessage(bytesOf(text))
  if (!result.ok) throw new Error(`${result.error.code} at ${result.error.offset}`)
  return result.message
}

function request(text: string): SipRequest {
  const message = parsed(text)
  if (!(message instanceof SipRequest)) throw new Error('no request')
  return message
}

const head = (lines: readonly string[]): string => `${lines.join('\r\n')}\r\n\r\n`

describe('a message', () => {
  it('gives raw values in any spelling of the name, in order, with the case kept', () => {
    const message = parsed(
      head([
        'OPTIONS sip:a SIP/2.0',
        'X-Thing: 1',
        'x-thing:2,3',
        'm:  <sip:a@b>  ',
        'CONTACT: <sip:c@d>',
        'Fold:  a',
        ' \t b',
        's:',
        'l: 0',
      ]),
    )
    expect(message.get('x-THING')).toBe('1')
    expect(message.getAll('X-thing')).toEqual(['1', '2,3'])
    expect(message.getAll('Contact')).toEqual(['<sip:a@b>', '<sip:c@d>'])
    expect([
      message.get('fold'),
      message.get('Subject'),
      message.get('none'),
      message.has('S'),
      message.has('t'),
    ]).toEqual(['a b', '', undefined, true, false])
    expect([...message.headers()].map(({ name }) => name)).toEqual([
      'X-Thing',
      'x-thing',
      'm',
      'CONTACT',
      'Fold',
      's',
      'l',
    ])
  })

  it('typed getters throw SipHeaderError with the place, decode does not', () => {
    const text = head(['OPTIONS sip:a SIP/2.0', 'From: <sip:a@b', 'Expires: -1', 'l: 0'])
    const message = parsed(text)
    expect(() => message.from).toThrow(SipHeaderError)
    const from = message.decode('from')
    expect(from.ok ? undefined : from.error).toMatchObject({
      code: 'ADDRESS_BRACKET_MISSING',
      header: 'From',
      offset: text.indexOf('<sip:a@b'),
      suggestedStatus: 400,
    })
    const to = message.decode('to')
    expect(to.ok ? undefined : to.error.code).toBe('HEADER_MISSING')
    expect(message.decode('expires').ok).toBe(false)
    expect(message.decode('maxForwards')).toEqual({ ok: true, value: undefined })
  })

  it('offsets in folded values are those of the message', () => {
    const text = head(['OPTIONS sip:a SIP/2.0', 'To:', ' <sip:a@b>', ' ;tag=1 ?', 'l: 0'])
    const to = parsed(text).decode('to')
    expect(to.ok ? -1 : to.error.offset).toBe(text.indexOf('?'))
  })

  it('lists run over lines and commas; empty elements are refused', () => {
    const message = parsed(
      head([
        'OPTIONS sip:a SIP/2.0',
        'Route: <sip:a;lr>, <sip:b,c@d>',
        'Route: "x,y" <sip:e>',
        'Allow:',
        'Supported: a,b',
        'k: c',
        'Require: a,',
        'l: 0',
      ]),
    )
    expect(message.routes.map(({ uri }) => uri.toString())).toEqual(['sip:a;lr', 'sip:b,c@d', 'sip:e'])
    expect([message.allow, message.supported, message.recordRoutes]).toEqual([[], ['a', 'b', 'c'], []])
    expect(() => message.require).toThrow(SipHeaderError)
    expect(message.routes).toBe(message.routes)
    expect(message.supported).toBe(message.supported)
  })

  it('RFC 3261 §10.2.2: Contact * stands alone', () => {
    const star = parsed(head(['REGISTER sip:a SIP/2.0', 'Contact:  *', 'l: 0']))
    expect([star.contactStar, star.contacts]).toEqual([true, []])
    for (const lines of [['Contact: *, <sip:a@b>'], ['Contact: *', 'Contact: *'], ['Contact: *;q=1']]) {
      const message = parsed(head(['REGISTER sip:a SIP/2.0', ...lines, 'l: 0']))
      expect(message.contactStar).toBe(false)
      expect(() => message.contacts).toThrow(SipHeaderError)
    }
  })

  it('keeps its own memory: the buffer may be used again', () => {
    const bytes = inviteBytes()
    const result = parseMessage(bytes)
    if (!result.ok) throw new Error(result.error.code)
    const before = Buffer.from(result.message.toBytes())
    bytes.fill(0)
    expect(result.message.toBytes().equals(before)).toBe(true)
    expect(Buffer.from(result.message.body).toString()).toContain('v=0')
    expect(result.message.body).toBe(result.message.body)
  })

  it('is masked in JSON and whole in toString', () => {
    const message = optionsRequest({
      headers: [
        ['Authorization', 'Digest username="u", response="deadbeef"'],
        ['Proxy-Authorization', 'x'],
        ['WWW-Authenticate', 'Digest nonce="feedface"'],
        ['Subject', 'é'],
      ],
    })
    const json = JSON.stringify(message)
    expect(json).not.toMatch(/deadbeef|feedface|username/)
    expect(json).toContain('"value":"Digest ***"')
    expect(json).toContain('é')
    expect(message.toString()).toContain('deadbeef')
    expect(message.toString()).toContain('Subject: é')
  })
})

describe('building', () => {
  it('a request that reads back, with Content-Length counted in bytes', () => {
    const uri = parseUri('sip:bob@example.com;transport=tcp')
    if (!uri.ok) throw new Error('uri')
    const built = createRequest({
      method: 'MESSAGE',
      uri: uri.value,
      headers: [
        ['Via', 'SIP/2.0/UDP a;branch=z9hG4bK1'],
        ['Subject', 'Grüße'],
        ['Content-Length', 99],
        ['X', 7],
      ],
      body: 'é',
      contentType: 'text/plain',
    })
    expect(built.uri).toBe(uri.value)
    const read = request(built.toString())
    expect(read.toString()).toBe(built.toString())
    expect([
      read.contentLength,
      read.get('subject'),
      built.get('subject'),
      read.contentType?.essence,
      built.via.branch,
    ]).toEqual([2, 'Grüße', 'Grüße', 'text/plain', 'z9hG4bK1'])
    expect(read.index).toEqual(built.index)
  })

  it('a response, with the phrase of its status', () => {
    const built = createResponse({ status: 486, headers: [] })
    expect(built.head).toBe('SIP/2.0 486 Busy Here\r\nContent-Length: 0\r\n\r\n')
    expect([reasonPhrase(200), reasonPhrase(499), reasonPhrase(799)]).toEqual(['OK', 'Request Failure', 'Unknown'])
    expect(sampleResponse(180).reason).toBe('Ringing')
    expect(createResponse({ status: 200, reason: 'Да', headers: [] }).reason).toBe('Да')
  })

  it.each([
    { method: 'IN VITE', uri: 'sip:a', headers: [] },
    { method: 'INVITE\r\nX: y', uri: 'sip:a', headers: [] },
    { method: 'INVITE', uri: 'sip:a SIP/2.0\r\nX: y', headers: [] },
    { method: 'INVITE', uri: '<sip:a>', headers: [] },
    { method: 'INVITE', uri: 'sip:a', headers: [['X', 'a\r\nY: b']] as const },
    { method: 'INVITE', uri: 'sip:a', headers: [['X', 'a\nb']] as const },
    { method: 'INVITE', uri: 'sip:a', headers: [['X', '\0']] as const },
    { method: 'INVITE', uri: 'sip:a', headers: [['X: y\r\nZ', 'a']] as const },
    { method: 'INVITE', uri: 'sip:a', headers: [['', 'a']] as const },
    { method: 'INVITE', uri: 'sip:a', headers: [['X'.repeat(256), 'a']] as const },
    { method: 'INVITE', uri: 'sip:a', headers: [], body: 'x', contentType: 'a/b\r\nX: y' },
  ])('nothing can be smuggled in: %j', (init) => expect(() => createRequest(init)).toThrow(SipUsageError))

  it('a bad status or reason is refused', () => {
    for (const init of [
      { status: 99, headers: [] },
      { status: 700, headers: [] },
      { status: 200.5, headers: [] },
      { status: 200, reason: 'a\r\nb', headers: [] },
    ]) {
      expect(() => createResponse(init)).toThrow(SipUsageError)
    }
  })
})

describe('responseTo', () => {
  it('RFC 3261 §8.2.6: copies what must be copied, byte for byte', () => {
    const source = head([
      'INVITE sip:a SIP/2.0',
      'v:SIP/2.0/UDP a;branch=1',
      'VIA:  SIP/2.0/UDP b,',
      ' SIP/2.0/UDP c',
      'f: "\xe9" <sip:a@b>;tag=1',
      'T: sip:b@c',
      'i:x',
      'cseq: 0009',
      '  INVITE',
      'Record-Route: <sip:r;lr>',
      'Timestamp: 5',
      'l: 0',
    ])
    const result = parseMessage(Buffer.from(source, 'latin1'))
    if (!result.ok || !(result.message instanceof SipRequest)) throw new Error('parse')
    const response = responseTo(result.message, 180, {
      toTag: 't1',
      recordRoute: true,
      headers: [['Contact', '<sip:me@d>']],
    })
    expect(response.head).toBe(
      head([
        'SIP/2.0 180 Ringing',
        'v:SIP/2.0/UDP a;branch=1',
        'VIA:  SIP/2.0/UDP b,',
        ' SIP/2.0/UDP c',
        'Record-Route: <sip:r;lr>',
        'f: "\xe9" <sip:a@b>;tag=1',
        'T: sip:b@c;tag=t1',
        'i:x',
        'cseq: 0009',
        '  INVITE',
        'Contact: <sip:me@d>',
        'Content-Length: 0',
      ]),
    )
    expect([response.to.tag, response.cseq.seq, response.vias.length]).toEqual(['t1', 9, 3])
    expect(responseTo(result.message, 100).get('Timestamp')).toBe('5')
    expect(responseTo(result.message, 200).has('Timestamp')).toBe(false)
    expect(responseTo(result.message, 200).has('Record-Route')).toBe(false)
  })

  it('keeps a To tag that is there, and answers what could only partly be read', () => {
    const invite = sampleInvite({ to: '<sip:bob@example.com>;tag=old' })
    expect(responseTo(invite, 200, { toTag: 'new' }).to.tag).toBe('old')
    expect(() => responseTo(invite, 200, { toTag: 'a b' })).toThrow(SipUsageError)
    const broken = parseMessage(
      bytesOf(
        head([
          'INVITE sip:a@b c SIP/2.0',
          'Via: SIP/2.0/UDP a;branch=1',
          'To: "x <sip:a@b>',
          'no colon',
          'Call-ID: i',
          'l: -1',
        ]),
      ),
    )
    if (broken.ok || !(broken.message instanceof SipRequest)) throw new Error('expected a partial request')
    const response = responseTo(broken.message, 400, { toTag: 't' })
    expect(response).toBeInstanceOf(SipResponse)
    expect(response.head).toBe(
      head([
        'SIP/2.0 400 Bad Request',
        'Via: SIP/2.0/UDP a;branch=1',
        'To: "x <sip:a@b>',
        'Call-ID: i',
        'Content-Length: 0',
      ]),
    )
  })
})
