/**
 * The torture messages of RFC 4475 and RFC 5118, by value: what the RFC says of a message, asked of the typed getters. The
 * matrix asks less of each message, but of every library.
 */

import {
  bodyOf,
  checkMandatory,
  checkRequestUriScheme,
  type FramerEvent,
  findPart,
  inspectMessage,
  OpaqueUri,
  parseMessage,
  type SipMessage,
  SipRequest,
  SipUri,
  StreamFramer,
  tolerant,
} from '@carillon/sip-parser'
import { parseSdp } from '@carillon/sip-parser/sdp'
import { describe, expect, it } from 'vitest'
import { isPresent, messageBytes } from './matrix/expectations'

function message(file: string, set = 'rfc4475'): SipMessage {
  const result = parseMessage(messageBytes(set, file))
  if (!result.ok) throw new Error(`${file}: ${result.error.code}`)
  return result.message
}

function request(file: string, set = 'rfc4475'): SipRequest {
  const found = message(file, set)
  if (!(found instanceof SipRequest)) throw new Error(`${file} is no request`)
  return found
}

function sipUri(uri: unknown): SipUri {
  if (!(uri instanceof SipUri)) throw new Error('not a SIP URI')
  return uri
}

/** Every problem as code and header, in the order of the bytes. */
function problemsOf(file: string): string[] {
  return inspectMessage(messageBytes('rfc4475', file)).problems.map(({ code, header = '' }) => `${code} ${header}`)
}

/** The kinds of events, and the codes of errors, that a stream with the message gives. */
function streamed(file: string): string[] {
  const framer = new StreamFramer()
  const events: FramerEvent[] = [...framer.push(messageBytes('rfc4475', file))]
  return events.map((event) => (event.kind === 'error' ? event.error.code : event.kind))
}

describe.runIf(isPresent)('RFC 4475: values', () => {
  it('§3.1.1.1 wsinv: white space, folds, compact forms, quoted pairs', () => {
    const message = request('wsinv.dat')
    expect(message.to.tag).toBe('1918181833n')
    expect(message.from.tag).toBe('98asjd8')
    expect(message.from.displayName).toBe('J Rosenberg \\"')
    expect(message.maxForwards).toBe(68)
    expect(message.cseq).toEqual({ seq: 9, method: 'INVITE' })
    expect(message.subject).toBe('')
    expect(message.vias.map((via) => [via.protocol, via.transport, via.host, via.branch])).toEqual([
      ['SIP/2.0', 'UDP', '192.0.2.2', '390skdjuw'],
      ['SIP/2.0', 'TCP', 'spindle.example.com', 'z9hG4bK9ikj8'],
      ['SIP/2.0', 'UDP', '192.168.255.111', 'z9hG4bK30239'],
    ])
    expect(message.get('UnknownHeaderWithUnusualValue')).toBe(';;,,;;,;')
    expect(message.get('NewFangledHeader')).toBe('newfangled value continued newfangled value')
    expect(message.contacts[0]?.displayName).toBe('Quoted string ""')
    expect(message.contacts[0]?.q).toBe(0.33)
    expect([...message.headers()].map(({ name }) => name)).toContain('MaX-fOrWaRdS')
  })

  it('§3.1.1.2 intmeth: every character that tokens, quoted pairs and users may have', () => {
    const message = request('intmeth.dat')
    expect(message.method).toBe("!interesting-Method0123456789_*+`.%indeed'~")
    expect(message.to.displayName).toBe('BEL:\x07 NUL:\0 DEL:\x7f')
    expect(message.from.params.get("fromparam''~+*_!.-%")).toBe('работающий')
    expect(sipUri(message.uri).host).toBe('example.com')
    expect(message.get("extensionHeader-!.%*+_`'~")).toBe('\u{feff}大停電')
  })

  it('§3.1.1.3 esc01: escapes are decoded once', () => {
    const message = request('esc01.dat')
    expect(sipUri(message.uri).user).toBe('sips:user@example.com')
    expect(sipUri(message.to.uri).user).toBe('user')
    expect(sipUri(message.contacts[0]?.uri).params.get('name')).toBe('value%41')
    expect(sipUri(message.contacts[0]?.uri).isLooseRouter).toBe(true)
  })

  it('§3.1.1.4 escnull: an escaped NUL ends nothing', () => {
    const message = request('escnull.dat')
    expect(sipUri(message.to.uri).user).toBe('null-\0-null')
    expect(message.contacts.map((contact) => sipUri(contact.uri).user)).toEqual(['\0', '\0\0'])
    expect(message.contacts[0]?.uri.equals(message.contacts[1]?.uri)).toBe(false)
  })

  it('§3.1.1.5 esc02: a percent sign in a method or header name is no escape', () => {
    const message = request('esc02.dat')
    expect(message.method).toBe('RE%47IST%45R')
    expect(message.from.displayName).toBe('%Z%45')
    expect(message.contacts).toHaveLength(2)
    expect(message.has('C%6Fntact')).toBe(true)
  })

  it('§3.1.1.8 dblreq: a datagram holds one message, a stream two', () => {
    const bytes = messageBytes('rfc4475', 'dblreq.dat')
    expect(request('dblreq.dat').toBytes().length).toBe(bytes.length - 450)
    const events = new StreamFramer().push(bytes)
    expect(events.filter(({ kind }) => kind === 'message')).toHaveLength(2)
  })

  it('§3.1.1.9 semiuri, §3.3.12 and §3.3.13: what belongs to the user, the URI, the header', () => {
    expect(sipUri(request('semiuri.dat').uri).user).toBe('user;par=u@example.net')
    const [headerParam] = request('cparam01.dat').contacts
    expect(headerParam?.params.has('unknownparam')).toBe(true)
    expect(sipUri(headerParam?.uri).params.size).toBe(0)
    const [uriParam] = request('cparam02.dat').contacts
    expect(uriParam?.params.size).toBe(0)
    expect(sipUri(uriParam?.uri).params.has('unknownparam')).toBe(true)
    const [escaped] = request('regescrt.dat').contacts
    expect(sipUri(escaped?.uri).headers.get('Route')).toBe('<sip:sip.example.com>')
  })

  it('§3.1.1.11 mpart01: a binary body survives', () => {
    const bytes = messageBytes('rfc4475', 'mpart01.dat')
    const message = request('mpart01.dat')
    expect(Buffer.compare(message.toBytes(), bytes)).toBe(0)
    expect(message.body.filter((byte) => byte > 127)).toHaveLength(89)
    expect(message.body.filter((byte) => byte === 0)).toHaveLength(2)
    expect(message.contentType?.params.get('boundary')).toBe('7a9cbec02ceef655')
  })

  it('§3.1.1.12 and §3.1.1.13: reason phrases', () => {
    const unusual = parseMessage(messageBytes('rfc4475', 'unreason.dat'))
    expect(unusual.ok && unusual.message.kind === 'response' && unusual.message.reason).toContain('простое')
    const none = parseMessage(messageBytes('rfc4475', 'noreason.dat'))
    expect(none.ok && none.message.kind === 'response' && none.message.reason).toBe('')
  })

  it('§3.4.1 inv2543: without Content-Length the body is the rest of the datagram', () => {
    expect(request('inv2543.dat').body).toHaveLength(105)
  })

  it('§3.1.1.6 lwsdisp: a display name may stand against its bracket', () => {
    const { from } = request('lwsdisp.dat')
    expect([from.displayName, from.uri.toString(), from.tag]).toEqual(['caller', 'sip:caller@example.com', '323'])
  })

  it('§3.1.1.7 longreq: nothing is cut', () => {
    const long = request('longreq.dat')
    expect(long.to.displayName).toBe(`I have a user name of ${'extreme'.repeat(10)} proportion`)
    expect(sipUri(long.from.uri).user).toBe('amazinglylongcallername'.repeat(5))
    expect(long.vias.map(({ host }) => host)).toEqual([
      ...Array.from({ length: 33 }, (_, index) => `sip${33 - index}.example.com`),
      'host.example.com',
    ])
    expect(long.vias.at(-1)?.branch).toMatch(/^very(long){50,}branchvalue$/)
    expect(long.body).toHaveLength(150)
  })

  it('§3.1.1.10 transports: unknown ones are kept as they are', () => {
    const transports = request('transports.dat').vias.map(({ transport }) => transport)
    expect(transports).toEqual(['UDP', 'SCTP', 'TLS', 'UNKNOWN', 'TCP'])
  })

  it('§3.1.1.11 mpart01: the second part is the binary one, byte for byte', () => {
    const signed = request('mpart01.dat')
    const body = bodyOf(signed)
    if (!body?.ok) throw new Error('no body')
    const binary = findPart(body.value, 'application/octet-stream')
    expect(Buffer.from(binary?.bytes.subarray(0, 4) ?? []).toString('hex')).toBe('30820152')
    expect(Buffer.from(findPart(body.value, 'text/plain')?.bytes ?? []).toString()).toBe('Hello')
  })
})

describe.runIf(isPresent)('RFC 4475: everything that is wrong is found, not the first thing alone', () => {
  it('§3.1.2.1 badinv01: Via and Contact', () => {
    expect(new Set(problemsOf('badinv01.dat'))).toEqual(new Set(['EMPTY_PARAMETER Via', 'EMPTY_PARAMETER Contact']))
  })

  it('§3.1.2.4 scalar02: CSeq, Max-Forwards, Expires and the parameter of Contact', () => {
    expect(problemsOf('scalar02.dat').map((problem) => problem.split(' ')[1])).toEqual([
      'CSeq',
      'Max-Forwards',
      'Expires',
      'Contact',
    ])
  })

  it('§3.1.2.5 scalarlg: CSeq, Retry-After and Warning; a response is dropped for each', () => {
    const { problems } = inspectMessage(messageBytes('rfc4475', 'scalarlg.dat'))
    expect(problems.map(({ header }) => header)).toEqual(['CSeq', 'Retry-After', 'Warning'])
    expect(problems.map(({ suggestedStatus }) => suggestedStatus)).toEqual(['drop', 'drop', 'drop'])
  })

  it('§3.3.8 multi01: each header that may stand once', () => {
    expect(problemsOf('multi01.dat').sort()).toEqual(
      ['CSeq', 'Call-ID', 'From', 'Max-Forwards', 'To'].map((name) => `HEADER_REPEATED ${name}`),
    )
  })

  it('§3.1.2.2, §3.1.2.3 and §3.3.9: on a stream a length that cannot be true waits for the rest, or ends the stream', () => {
    expect(streamed('clerr.dat')).toEqual([])
    expect(streamed('ncl.dat')).toEqual(['CONTENT_LENGTH_INVALID'])
    expect(streamed('mcl01.dat')).toEqual(['CONTENT_LENGTH_REPEATED'])
  })

  it('§3.1.2.11 escruri: headers of the request URI never become headers, nor are they forwarded', () => {
    const { message: accepted } = inspectMessage(messageBytes('rfc4475', 'escruri.dat'), { leniency: tolerant })
    if (!(accepted instanceof SipRequest)) throw new Error('not accepted')
    expect(accepted.routes).toEqual([])
    expect(accepted.uri.toString()).toBe('sip:user@example.com')
    expect(accepted.edit().set('Max-Forwards', 6).build().toString()).not.toMatch(/Route/i)
  })

  it('§3.1.2.13 regbadct: tolerated, the Route belongs to the URI and to no parameter', () => {
    const { message: accepted } = inspectMessage(messageBytes('rfc4475', 'regbadct.dat'), { leniency: tolerant })
    const [contact] = accepted?.contacts ?? []
    expect(contact?.params.size).toBe(0)
    expect(sipUri(contact?.uri).headers.get('Route')).toBe('<sip:sip.example.com>')
    expect(contact?.toString()).toBe('<sip:user@example.com?Route=%3Csip:sip.example.com%3E>')
  })
})

describe.runIf(isPresent)('RFC 4475 §3.2 and §3.3: what a stack decides by is readable', () => {
  it('§3.2.1 badbranch: a branch that is the cookie alone', () => {
    expect(request('badbranch.dat').via.branch).toBe('z9hG4bK')
  })

  it('§3.3.1 insuf: framed, with a warning for each header that is missing', () => {
    const { ok, warnings } = inspectMessage(messageBytes('rfc4475', 'insuf.dat'))
    expect(ok).toBe(true)
    expect(warnings.map(({ header, suggestedStatus }) => [header, suggestedStatus])).toEqual([
      ['To', 400],
      ['From', 400],
      ['Call-ID', 400],
    ])
    expect(checkMandatory(message('insuf.dat'))?.suggestedStatus).toBe(400)
  })

  it('§3.3.2 and §3.3.3: an unknown scheme is kept as it is, and to be answered with 416', () => {
    for (const [file, text] of [
      ['unkscm.dat', 'nobodyKnowsThisScheme:totallyopaquecontent'],
      ['novelsc.dat', 'soap.beep://192.0.2.103:3002'],
    ] as const) {
      expect(request(file).uri.toString()).toBe(text)
      expect(checkRequestUriScheme(message(file))?.suggestedStatus).toBe(416)
      expect(inspectMessage(messageBytes('rfc4475', file)).warnings.map(({ code }) => code)).toEqual([
        'SCHEME_UNSUPPORTED',
      ])
    }
    expect(checkRequestUriScheme(message('semiuri.dat'))).toBeUndefined()
  })

  it('§3.3.4 unksm2: unknown schemes in To, From and Contact', () => {
    const { to, from, contacts } = request('unksm2.dat')
    const uris = [to.uri, from.uri, contacts[0]?.uri]
    expect(uris.every((uri) => uri instanceof OpaqueUri)).toBe(true)
    expect(uris.map(String)).toEqual(['isbn:2983792873', 'http://www.example.com', 'name:John_Smith'])
    expect(from.tag).toBe('3234233')
  })

  it('§3.3.5 bext01: the option tags for a 420', () => {
    const { require, proxyRequire } = request('bext01.dat')
    expect(require).toEqual(['nothingSupportsThis', 'nothingSupportsThisEither'])
    expect(proxyRequire).toEqual(['noProxiesSupportThis', 'norDoAnyProxiesSupportThis'])
  })

  it('§3.3.6 invut and §3.3.15 sdp01: the types for a 415 and a 406', () => {
    expect(request('invut.dat').contentType?.essence).toBe('application/unknownformat')
    expect(request('invut.dat').body).toHaveLength(40)
    expect(request('sdp01.dat').get('Accept')).toBe('text/nobodyKnowsThis')
  })

  it('§3.3.7 regaut01: credentials of a scheme that nobody knows', () => {
    const [credentials] = request('regaut01.dat').authorizations
    expect(credentials?.scheme).toBe('NoOneKnowsThisScheme')
    expect(credentials?.params.get('opaque-data')).toBe('here')
  })

  it('§3.3.10 bcast: the address to which nothing may be sent', () => {
    expect(message('bcast.dat').vias.map(({ host }) => host)).toEqual(['192.0.2.198', '255.255.255.255'])
  })

  it('§3.3.11 zeromf: none is a number of hops', () => {
    expect(request('zeromf.dat').maxForwards).toBe(0)
  })

  it('§3.4.1 inv2543: no tag, no branch, no hops; parameters of a bare URI belong to the header', () => {
    const old = request('inv2543.dat')
    expect([old.from.tag, old.via.branch, old.maxForwards, old.contentLength]).toEqual([
      undefined,
      undefined,
      undefined,
      undefined,
    ])
    expect(old.to.params.get('user')).toBe('phone')
    expect(sipUri(old.from.uri).params.get('user')).toBe('phone')
    expect(sipUri(old.recordRoutes[0]?.uri).params.get('maddr')).toBe('ss1.example.com')
  })
})

describe.runIf(isPresent)('RFC 5118: values', () => {
  it('RFC 5118 §4: IPv6 in URIs and Via', () => {
    const ambiguous = sipUri(request('port-ambiguous', 'rfc5118').uri)
    expect([ambiguous.host, ambiguous.port]).toEqual(['2001:db8::10:5070', undefined])
    const unambiguous = sipUri(request('port-unambiguous', 'rfc5118').uri)
    expect([unambiguous.host, unambiguous.port]).toEqual(['2001:db8::10', 5070])
    for (const file of ['via-received-param-with-delim', 'via-received-param-no-delim']) {
      expect(request(file, 'rfc5118').via.received, file).toBe('2001:db8::9:255')
    }
    expect(sipUri(request('ipv6-bug-abnf-3-colons', 'rfc5118').uri).host).toBe('2001:db8::192.0.2.1')
    expect(request('mult-ip-in-header', 'rfc5118').vias.map((via) => via.host)).toEqual([
      '2001:db8::9:1',
      '192.0.2.1',
      '2001:db8::9:255',
    ])
  })

  it('§4.6, §4.8 and §4.9: addresses in the session; its length, wrong in the RFC, is mended first', () => {
    const session = (file: string) => {
      const bytes = messageBytes('rfc5118', file)
      const result = parseSdp(bytes.subarray(bytes.indexOf('\r\n\r\n') + 4))
      if (!result.ok) throw new Error(`${file}: ${result.error.code}`)
      return result.value
    }
    expect(session('ipv6-in-sdp').connection).toMatchObject({ family: 'IP6', address: '2001:db8::20' })
    expect(session('ipv4-mapped-ipv6').connection).toMatchObject({ family: 'IP6', address: '::ffff:192.0.2.2' })
    expect(session('mult-ip-in-sdp').media.map(({ connection: first }) => [first?.family, first?.address])).toEqual([
      ['IP4', '192.0.2.1'],
      ['IP6', '2001:db8::1'],
    ])
  })

  it('§4.9: IPv4-mapped addresses in Via and Contact', () => {
    const mapped = request('ipv4-mapped-ipv6', 'rfc5118')
    expect(mapped.vias.map(({ host, port }) => [host, port])).toEqual([
      ['::ffff:192.0.2.10', 19823],
      ['::ffff:192.0.2.2', undefined],
    ])
    expect(sipUri(mapped.contacts[0]?.uri).host).toBe('::ffff:192.0.2.2')
  })

  it('§4.1: brackets are part of the syntax, not of the host', () => {
    const good = request('ipv6-good', 'rfc5118')
    expect([sipUri(good.uri).host, good.via.host, sipUri(good.contacts[0]?.uri).host]).toEqual([
      '2001:db8::10',
      '2001:db8::9:1',
      '2001:db8::1',
    ])
    expect(good.uri.toString()).toBe('sip:[2001:db8::10]')
  })
})
