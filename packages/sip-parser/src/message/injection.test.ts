import { describe, expect, it } from 'vitest'
import { buildMultipart } from '../body/build-multipart'
import { ContentDisposition } from '../body/content-disposition'
import { MediaType } from '../body/media-type'
import { SipUsageError } from '../errors'
import { quote } from '../grammar/quoted'
import { wireOf } from '../grammar/wire'
import { Challenge, Credentials } from '../headers/auth'
import { Contact } from '../headers/contact'
import { NameAddr } from '../headers/name-addr'
import { Reason } from '../headers/reason'
import { Via } from '../headers/via'
import { decodeUri, type Uri } from '../uri/parse-uri'
import { SipUri } from '../uri/sip-uri'
import { createRequest, createResponse, type RequestInit, responseTo } from './build'
import { strict } from './leniency'

const URI: Uri = decodeUri(wireOf('sip:a@b'), 0, 7, strict)
const BASE: RequestInit = {
  method: 'OPTIONS',
  uri: URI,
  headers: [
    ['Via', 'SIP/2.0/UDP h;branch=z9hG4bKx'],
    ['To', '<sip:c@d>'],
  ],
}
const REQUEST = createRequest(BASE)
const RESPONSE = responseTo(REQUEST, 200)

/** Every place where a program hands text over, by name. */
const SETTERS: Readonly<Record<string, (evil: string) => unknown>> = {
  method: (evil) => createRequest({ ...BASE, method: evil }),
  'request URI': (evil) => createRequest({ ...BASE, uri: `sip:${evil}@b` }),
  'end of the request URI': (evil) => createRequest({ ...BASE, uri: `sip:a@b;x=${evil}` }),
  'header name': (evil) => createRequest({ ...BASE, headers: [[evil, 'x']] }),
  'header value': (evil) => createRequest({ ...BASE, headers: [['X', evil]] }),
  'header value that is an object': (evil) => createRequest({ ...BASE, headers: [['X', { toString: () => evil }]] }),
  'content type': (evil) => createRequest({ ...BASE, body: 'x', contentType: `a/${evil}` }),
  'reason phrase': (evil) => createResponse({ status: 200, reason: evil, headers: [] }),
  'response header': (evil) => createResponse({ status: 200, headers: [['X', evil]] }),
  'tag of a response': (evil) => responseTo(REQUEST, 200, { toTag: evil }),
  'reason of a response': (evil) => responseTo(REQUEST, 200, { reason: evil }),
  'edit: set': (evil) => REQUEST.edit().set('X', evil),
  'edit: set by name': (evil) => REQUEST.edit().set(evil, 'x'),
  'edit: append': (evil) => REQUEST.edit().append('X', evil),
  'edit: prepend': (evil) => REQUEST.edit().prepend('Via', evil),
  'edit: replaceFirst': (evil) => REQUEST.edit().replaceFirst('Via', evil),
  'edit: setUri': (evil) => REQUEST.edit().setUri(`sip:${evil}@b`),
  'edit: setMethod': (evil) => REQUEST.edit().setMethod(evil),
  'edit: setStatus': (evil) => RESPONSE.edit().setStatus(200, evil),
  'edit: setBody': (evil) => REQUEST.edit().setBody('x', evil),
  'display name': (evil) => NameAddr.of({ displayName: evil, uri: URI }),
  'tag of an address': (evil) => NameAddr.of({ uri: URI, params: { tag: evil } }),
  'later parameter of an address': (evil) => NameAddr.of({ uri: URI }).withParam('tag', evil),
  'display name of a Contact': (evil) => Contact.of({ displayName: evil, uri: URI }),
  'parameter of a Via': (evil) => Via.of({ transport: 'UDP', host: 'h', params: { branch: evil } }),
  'host of a Via': (evil) => Via.of({ transport: 'UDP', host: evil }),
  'text of a Reason': (evil) => Reason.of({ protocol: 'SIP', text: evil }),
  realm: (evil) => Challenge.of({ scheme: 'Digest', params: { realm: evil } }),
  username: (evil) => Credentials.of({ scheme: 'Digest', params: { username: evil } }),
  'host of a URI': (evil) => SipUri.of({ host: evil }),
  'parameter of a media type': (evil) => MediaType.of('a', 'b', { c: evil }),
  'file name': (evil) => ContentDisposition.of('attachment', { filename: evil }),
  'header of a part': (evil) => buildMultipart({ parts: [{ contentType: 'a/b', headers: [['X', evil]], body: '' }] }),
  'header name of a part': (evil) =>
    buildMultipart({ parts: [{ contentType: 'a/b', headers: [[evil, 'x']], body: '' }] }),
  'type of a part': (evil) => buildMultipart({ parts: [{ contentType: evil, body: '' }] }),
  'disposition of a part': (evil) => buildMultipart({ parts: [{ contentType: 'a/b', disposition: evil, body: '' }] }),
  boundary: (evil) => buildMultipart({ boundary: evil, parts: [{ contentType: 'a/b', body: '' }] }),
}

describe('no setter takes what would begin a line of its own', () => {
  it.each(Object.entries(SETTERS))('%s', (_name, set) => {
    for (const evil of ['a\r\nX: y', 'a\rb', 'a\nb', 'a\r\n', '\r\na', 'a\0b'])
      expect(() => set(evil)).toThrow(SipUsageError)
  })

  it('and quotes do not make it fit', () => {
    expect(() => quote('a\r\nX: y')).toThrow(expect.objectContaining({ code: 'HEADER_INJECTION' }))
  })

  it('but what a URI can escape is escaped', () => {
    expect(SipUri.of({ user: 'a\r\nb', host: 'h', params: { x: '\n' } }).toString()).toBe('sip:a%0D%0Ab@h;x=%0A')
  })
})
