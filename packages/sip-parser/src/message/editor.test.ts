import { describe, expect, it } from 'vitest'
import { SipUsageError } from '../errors'
import { sampleResponse } from '../testing/index'
import { SipRequest } from './message'
import { parseMessage } from './parse'

const lines = [
  'INVITE sip:bob@example.com SIP/2.0',
  'VIA:SIP/2.0/UDP a;branch=1 , SIP/2.0/UDP b',
  'v: SIP/2.0/UDP c',
  'Route: <sip:p1,x;lr>,',
  ' "q,r" <sip:p2;lr>',
  'X-Odd :  kept\tas it is  ',
  'Max-Forwards: 070',
  'Authorization: Digest a="b", c="d"',
  'l: 3',
]
const source = `${lines.join('\r\n')}\r\n\r\nabc`

function request(text = source): SipRequest {
  const result = parseMessage(Buffer.from(text, 'latin1'))
  if (!result.ok || !(result.message instanceof SipRequest)) throw new Error('parse')
  return result.message
}

/** The edited message, checked to be what a parser would make of its bytes. */
function checked(message: SipRequest): string[] {
  const again = request(Buffer.from(message.toBytes()).toString('latin1'))
  expect(again.index).toEqual(message.index)
  expect([again.method, again.uri.toString(), again.bodyStart]).toEqual([
    message.method,
    message.uri.toString(),
    message.bodyStart,
  ])
  return Buffer.from(message.toBytes()).toString('latin1').split('\r\n')
}

describe('MessageEditor', () => {
  it('copies what is not touched byte for byte', () => {
    expect(checked(request().edit().build())).toEqual(source.split('\r\n'))
  })

  it('RFC 3261 §16.6: what a proxy does to a request', () => {
    const edited = request()
      .edit()
      .setUri('sip:bob@192.0.2.4:5070')
      .prepend('Via', 'SIP/2.0/TCP me;branch=z9hG4bKx')
      .set('Max-Forwards', 69)
      .removeFirst('Route')
      .prepend('Record-Route', '<sip:me;lr>')
      .remove('authorization')
      .build()
    expect(checked(edited)).toEqual([
      'INVITE sip:bob@192.0.2.4:5070 SIP/2.0',
      'Record-Route: <sip:me;lr>',
      'Via: SIP/2.0/TCP me;branch=z9hG4bKx',
      lines[1],
      lines[2],
      'Route: "q,r" <sip:p2;lr>',
      lines[5],
      'Max-Forwards: 69',
      lines[8],
      '',
      'abc',
    ])
    expect(edited.routes.map(({ uri }) => uri.toString())).toEqual(['sip:p2;lr'])
    expect(request().toString()).toBe(source)
  })

  it('replaces and removes the first element only', () => {
    const replaced = request().edit().replaceFirst('Via', 'SIP/2.0/UDP z;received=192.0.2.1').build()
    expect(checked(replaced)[1]).toBe('VIA: SIP/2.0/UDP z;received=192.0.2.1, SIP/2.0/UDP b')
    expect(replaced.vias.map(({ host }) => host)).toEqual(['z', 'b', 'c'])
    const editor = request().edit()
    const hosts: string[][] = []
    for (let count = 0; count < 3; count += 1)
      hosts.push(
        editor
          .removeFirst('v')
          .build()
          .vias.map(({ host }) => host),
      )
    expect(hosts).toEqual([['b', 'c'], ['c'], []])
    expect(editor.replaceFirst('Via', 'SIP/2.0/UDP new').removeFirst('None').build().via.host).toBe('new')
  })

  it('appends after the last of the same name, unknown names included', () => {
    const built = request()
      .edit()
      .append('Via', 'SIP/2.0/UDP d')
      .append('x-odd', '2')
      .append('New', 'é')
      .set('NEW', 'ö')
      .build()
    expect(built.vias.map(({ host }) => host)).toEqual(['a', 'b', 'c', 'd'])
    expect([...built.headers()].map(({ name }) => name)).toEqual([
      'VIA',
      'v',
      'Via',
      'Route',
      'X-Odd',
      'x-odd',
      'Max-Forwards',
      'Authorization',
      'l',
      'NEW',
    ])
    expect(built.get('new')).toBe('ö')
    expect(checked(built)).toContain('NEW: \xc3\xb6')
  })

  it('a new body brings its length and type', () => {
    const built = request().edit().setBody('é', 'text/plain').build()
    expect([built.contentLength, built.contentType?.essence, Buffer.from(built.body).toString()]).toEqual([
      2,
      'text/plain',
      'é',
    ])
    const bare = built.edit().setBody(new Uint8Array(0)).build()
    expect([bare.contentLength, bare.has('c'), bare.bodyLength]).toEqual([0, false, 0])
    const bytes = new Uint8Array([0, 255, 13, 10])
    expect(Buffer.from(request().edit().setBody(bytes).build().body)).toEqual(Buffer.from(bytes))
  })

  it('changes method and status, each where it belongs', () => {
    expect(request().edit().setMethod('UPDATE').build().method).toBe('UPDATE')
    const moved = sampleResponse(200).edit().setStatus(302).build()
    expect([moved.status, moved.reason]).toEqual([302, 'Moved Temporarily'])
    expect(() => sampleResponse(200).edit().setUri('sip:a')).toThrow(SipUsageError)
    expect(() => request().edit().setStatus(200)).toThrow(SipUsageError)
  })

  it('keeps decoded URIs that did not change', () => {
    const message = request()
    expect(message.edit().set('X', 1).build().uri).toBe(message.uri)
  })

  it.each(['prepend', 'append', 'set', 'replaceFirst'] as const)(
    '%s throws HEADER_INJECTION for CR, LF and NUL',
    (method) => {
      for (const value of ['a\r\nInjected: 1', 'a\n', 'a\rb', '\0', { toString: () => 'x\r\n' }]) {
        const editor = request().edit()
        expect(() => editor[method]('Via', value)).toThrow(expect.objectContaining({ code: 'HEADER_INJECTION' }))
        expect(checked(editor.build())).toEqual(source.split('\r\n'))
      }
      expect(() => request().edit()[method]('A\r\nB', 'x')).toThrow(
        expect.objectContaining({ code: 'HEADER_NAME_INVALID' }),
      )
    },
  )

  it('start lines take no line ends either', () => {
    const editor = request().edit()
    expect(() => editor.setUri('sip:a\r\nX: y')).toThrow(expect.objectContaining({ code: 'HEADER_INJECTION' }))
    expect(() => editor.setUri('sip:a b')).toThrow(expect.objectContaining({ code: 'VALUE_INVALID' }))
    expect(() => editor.setMethod('A B')).toThrow(expect.objectContaining({ code: 'VALUE_INVALID' }))
    expect(() => editor.setBody('x', 'a/b\r\nX: y')).toThrow(expect.objectContaining({ code: 'HEADER_INJECTION' }))
    expect(() => sampleResponse(200).edit().setStatus(200, 'a\nb')).toThrow(
      expect.objectContaining({ code: 'HEADER_INJECTION' }),
    )
  })
})
