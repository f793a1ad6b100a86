/**
 * What an accepted message must be found to hold: the same questions to every library, a few for each message, after the
 * description that RFC 4475 or RFC 5118 gives of it.
 */
import { isDeepStrictEqual } from 'node:util'
import { plainHost, type Reading } from './reading'

/** One question and its right answer. */
interface Probe {
  readonly what: string
  readonly of: (reading: Reading) => unknown
  readonly is: unknown
}

/** The questions whose answer is wrong, with what was answered; a message without probes has none. */
export function wrongValues(file: string, bytes: Uint8Array, reading: Reading): string[] {
  return [...everyMessage(bytes), ...(probes[file] ?? [])].flatMap(({ what, of, is }) => {
    const answer = of(reading)
    return isDeepStrictEqual(answer, is) ? [] : [`${what} is ${shown(answer)}`]
  })
}

/** Whether a message has questions of its own. */
export function hasProbes(file: string): boolean {
  return (probes[file]?.length ?? 0) > 0
}

/** Holds for every message: its Call-ID is as on the wire, its body is the bytes that Content-Length delimits. */
function everyMessage(bytes: Uint8Array): Probe[] {
  const wire = Buffer.from(bytes)
  const headEnd = wire.indexOf('\r\n\r\n')
  if (headEnd < 0) return []
  const head = wire.subarray(0, headEnd).toString('utf8')
  const rest = wire.subarray(headEnd + 4)
  const length = /^(?:content-length|l)[ \t]*:[ \t]*(\d+)/im.exec(head)?.[1]
  const body = rest.subarray(0, length === undefined ? rest.length : Number(length))
  const callId = /^(?:call-id|i)[ \t]*:[ \t]*(.*)$/im.exec(head)?.[1]?.trim()
  return [
    { what: 'Call-ID', of: ({ callId: read }) => read, is: callId },
    { what: 'body', of: (reading) => Buffer.from(reading.body).toString('latin1'), is: body.toString('latin1') },
  ]
}

const method = (is: string): Probe => ({ what: 'method', of: (reading) => reading.method, is })
const host = (is: string): Probe => ({ what: 'host of the request URI', of: (reading) => reading.uri?.host, is })
const user = (is: string): Probe => ({ what: 'user of the request URI', of: (reading) => reading.uri?.user, is })
const hops = (is: number): Probe => ({ what: 'Max-Forwards', of: (reading) => reading.maxForwards, is })
const viaHosts = (...is: string[]): Probe => ({
  what: 'hosts of the Vias',
  of: (reading) => reading.vias.map((via) => via.host),
  is,
})
const topVia = (is: string): Probe => ({ what: 'host of the top Via', of: (reading) => reading.vias[0]?.host, is })
const contactHost = (is: string): Probe => ({
  what: 'host of Contact',
  of: (reading) => reading.contacts[0]?.uri.host,
  is,
})
const branch = (is: string | undefined): Probe => ({
  what: 'branch of the top Via',
  of: (reading) => reading.vias[0]?.params.branch,
  is,
})
const other = (name: string, is: string): Probe => ({
  what: name,
  of: (reading) => reading.others[name.toLowerCase()],
  is,
})
const cseq = (seq: number, name: string): Probe => ({
  what: 'CSeq',
  of: (reading) => ({ ...reading.cseq }),
  is: { seq, method: name },
})
const uriText = (scheme: string, opaque: string): Probe => ({
  what: 'request URI',
  of: ({ uri }) => [uri?.scheme, uri?.opaque],
  is: [scheme, opaque],
})
const received = (is: string): Probe => ({
  what: 'received of the top Via',
  of: (reading) => plainHost(reading.vias[0]?.params.received ?? ''),
  is,
})
const contactParams = (of: 'uri' | 'header', ...is: string[]): Probe => ({
  what: `${of === 'uri' ? 'URI' : 'header'} parameters of Contact`,
  of: ({ contacts: [contact] }) => Object.keys((of === 'uri' ? contact?.uri.params : contact?.params) ?? {}),
  is,
})
const contactUsers = (...is: string[]): Probe => ({
  what: 'users of the Contacts',
  of: (reading) => reading.contacts.map((contact) => contact.uri.user),
  is,
})
const sdpLine = (is: string): Probe => ({
  what: `line ${is} of the session`,
  of: (reading) => Buffer.from(reading.body).toString('utf8').includes(`\r\n${is}\r\n`),
  is: true,
})
const named = (which: 'From' | 'To' | 'Contact', is: string): Probe => ({
  what: `display name of ${which}`,
  of: ({ from, to, contacts }) => ({ From: from, To: to, Contact: contacts[0] })[which]?.displayName,
  is,
})
const userOf = (which: 'From' | 'To', is: string): Probe => ({
  what: `user of ${which}`,
  of: ({ from, to }) => ({ From: from, To: to })[which]?.uri.user,
  is,
})
const paramOf = (which: 'From' | 'To' | 'Contact', name: string, is: string | undefined): Probe => ({
  what: `parameter ${name} of ${which}`,
  of: ({ from, to, contacts }) => ({ From: from, To: to, Contact: contacts[0] })[which]?.params[name],
  is,
})

const tortuousMethod = "!interesting-Method0123456789_*+`.%indeed'~"

const valid: Readonly<Record<string, readonly Probe[]>> = {
  'wsinv.dat': [
    named('From', 'J Rosenberg \\"'),
    named('Contact', 'Quoted string ""'),
    paramOf('From', 'tag', '98asjd8'),
    paramOf('To', 'tag', '1918181833n'),
    paramOf('Contact', 'q', '0.33'),
    paramOf('Contact', 'newparam', 'newvalue'),
    hops(68),
    cseq(9, 'INVITE'),
    viaHosts('192.0.2.2', 'spindle.example.com', '192.168.255.111'),
    branch('390skdjuw'),
    other('Subject', ''),
    other('NewFangledHeader', 'newfangled value continued newfangled value'),
    other('UnknownHeaderWithUnusualValue', ';;,,;;,;'),
  ],
  'intmeth.dat': [
    method(tortuousMethod),
    cseq(139122385, tortuousMethod),
    host('example.com'),
    named('To', 'BEL:\x07 NUL:\0 DEL:\x7f'),
    userOf('To', "1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*"),
    named('From', "token1~` token2'+_ token3*%!.-"),
    paramOf('From', "fromparam''~+*_!.-%", 'работающий'),
    paramOf('From', 'tag', "_token~1'+`*%!-."),
    branch("z9hG4bK-.!%66*_+`'~"),
    hops(255),
    {
      // Some take the zero-width space before it for white space; that is not held against them here.
      what: 'extension header',
      of: (reading) => reading.others["extensionheader-!.%*+_`'~"]?.replace('\u{feff}', ''),
      is: '大停電',
    },
  ],
  'esc01.dat': [
    user('sips:user@example.com'),
    host('example.net'),
    userOf('To', 'user'),
    userOf('From', 'I have spaces'),
    contactUsers('caller'),
    {
      what: 'URI parameters of Contact',
      of: ({ contacts }) => ({ ...contacts[0]?.uri.params }),
      is: { lr: '', name: 'value%41' },
    },
  ],
  'escnull.dat': [userOf('To', 'null-\0-null'), userOf('From', 'null-\0-null'), contactUsers('\0', '\0\0')],
  'esc02.dat': [
    method('RE%47IST%45R'),
    cseq(29344, 'RE%47IST%45R'),
    named('To', '%Z%45'),
    branch('z9hG4bK209%fzsnel234'),
    contactUsers('alias1', 'alias3'),
  ],
  'lwsdisp.dat': [named('From', 'caller'), userOf('From', 'caller'), paramOf('From', 'tag', '323')],
  'longreq.dat': [
    { what: 'number of Vias', of: (reading) => reading.vias.length, is: 34 },
    {
      what: 'length of the name of To',
      of: (reading) => reading.to?.displayName?.length,
      is: 'I have a user name of  proportion'.length + 10 * 'extreme'.length,
    },
    {
      what: 'length of the user of From',
      of: (reading) => reading.from?.uri.user?.length,
      is: 5 * 'amazinglylongcallername'.length,
    },
    { what: 'port of To', of: (reading) => reading.to?.uri.port, is: 6000 },
    topVia('sip33.example.com'),
  ],
  'dblreq.dat': [method('REGISTER'), cseq(8, 'REGISTER'), hops(8)],
  'semiuri.dat': [
    user('user;par=u@example.net'),
    host('example.com'),
    other(
      'Accept',
      'application/sdp, application/pkcs7-mime, multipart/mixed, multipart/signed, message/sip, message/sipfrag',
    ),
  ],
  'transports.dat': [
    {
      what: 'transports of the Vias',
      of: (reading) => reading.vias.map((via) => via.transport),
      is: ['UDP', 'SCTP', 'TLS', 'UNKNOWN', 'TCP'],
    },
  ],
  'mpart01.dat': [other('Content-Type', 'multipart/mixed;boundary=7a9cbec02ceef655'), topVia('127.0.0.1')],
  'unreason.dat': [
    { what: 'status', of: (reading) => reading.status, is: 200 },
    { what: 'reason', of: (reading) => reading.reason, is: '= 2**3 * 5**2 но сто девяносто девять - простое' },
  ],
  'noreason.dat': [
    { what: 'status', of: (reading) => reading.status, is: 100 },
    { what: 'reason', of: (reading) => reading.reason, is: '' },
  ],
}

const aboveTheGrammar: Readonly<Record<string, readonly Probe[]>> = {
  'badbranch.dat': [branch('z9hG4bK'), paramOf('From', 'tag', '33242')],
  'insuf.dat': [
    method('INVITE'),
    { what: 'From and To', of: (reading) => [reading.from, reading.to], is: [undefined, undefined] },
  ],
  'unkscm.dat': [uriText('nobodyknowsthisscheme', 'totallyopaquecontent')],
  'novelsc.dat': [uriText('soap.beep', '//192.0.2.103:3002')],
  'unksm2.dat': [
    {
      what: 'schemes of To, From and Contact',
      of: ({ to, from, contacts }) => [to?.uri.scheme, from?.uri.scheme, contacts[0]?.uri.scheme],
      is: ['isbn', 'http', 'name'],
    },
    paramOf('From', 'tag', '3234233'),
  ],
  'bext01.dat': [
    other('Require', 'nothingSupportsThis, nothingSupportsThisEither'),
    other('Proxy-Require', 'noProxiesSupportThis, norDoAnyProxiesSupportThis'),
  ],
  'invut.dat': [other('Content-Type', 'application/unknownformat')],
  'regaut01.dat': [other('Authorization', 'NoOneKnowsThisScheme opaque-data=here')],
  'bcast.dat': [viaHosts('192.0.2.198', '255.255.255.255')],
  'zeromf.dat': [hops(0)],
  'cparam01.dat': [contactUsers('+19725552222'), contactParams('header', 'unknownparam'), contactParams('uri')],
  'cparam02.dat': [contactUsers('+19725552222'), contactParams('uri', 'unknownparam'), contactParams('header')],
  'regescrt.dat': [
    contactHost('example.com'),
    {
      what: 'headers in the URI of Contact',
      of: ({ contacts }) => ({ ...contacts[0]?.uri.headers }),
      is: { route: '<sip:sip.example.com>' },
    },
  ],
  'sdp01.dat': [other('Accept', 'text/nobodyKnowsThis')],
  'inv2543.dat': [
    branch(undefined),
    paramOf('From', 'tag', undefined),
    paramOf('To', 'user', 'phone'),
    userOf('To', '+16505552222'),
    user('UserB'),
  ],
}

const ipv6: Readonly<Record<string, readonly Probe[]>> = {
  'ipv6-good': [host('2001:db8::10'), topVia('2001:db8::9:1'), contactHost('2001:db8::1')],
  'port-ambiguous': [
    host('2001:db8::10:5070'),
    { what: 'port of the request URI', of: (reading) => reading.uri?.port, is: undefined },
    topVia('2001:db8::9:1'),
  ],
  'port-unambiguous': [
    host('2001:db8::10'),
    { what: 'port of the request URI', of: (reading) => reading.uri?.port, is: 5070 },
    topVia('2001:db8::9:1'),
  ],
  'via-received-param-with-delim': [topVia('2001:db8::9:1'), received('2001:db8::9:255'), branch('z9hG4bKas3-111')],
  'via-received-param-no-delim': [topVia('2001:db8::9:1'), received('2001:db8::9:255'), branch('z9hG4bKas3')],
  'ipv6-in-sdp': [topVia('2001:db8::20'), contactHost('2001:db8::20'), sdpLine('c=IN IP6 2001:db8::20')],
  'mult-ip-in-header': [
    viaHosts('2001:db8::9:1', '192.0.2.1', '2001:db8::9:255'),
    { what: 'port of the top Via', of: (reading) => reading.vias[0]?.port, is: 6050 },
    { what: 'received of the last Via', of: (reading) => reading.vias.at(-1)?.params.received, is: '192.0.2.200' },
  ],
  'mult-ip-in-sdp': [topVia('2001:db8::9:1'), sdpLine('c=IN IP4 192.0.2.1'), sdpLine('c=IN IP6 2001:db8::1')],
  'ipv4-mapped-ipv6': [
    viaHosts('::ffff:192.0.2.10', '::ffff:192.0.2.2'),
    { what: 'port of the top Via', of: (reading) => reading.vias[0]?.port, is: 19823 },
    contactHost('::ffff:192.0.2.2'),
    named('Contact', 'T. desk phone'),
  ],
  // RFC 5118 §4.10: the three colons of the old grammar mean two, and may be kept or mended.
  'ipv6-bug-abnf-3-colons': [
    {
      what: 'host of the request URI',
      of: (reading) => reading.uri?.host?.replace(':::', '::'),
      is: '2001:db8::192.0.2.1',
    },
  ],
  'ipv6-correct-abnf-2-colons': [host('2001:db8::192.0.2.1')],
}

/** Questions for those who accept what may be accepted or refused. */
const mayBeAccepted: Readonly<Record<string, readonly Probe[]>> = {
  'lwsstart.dat': [method('INVITE'), user('user'), host('example.com')],
  'trws.dat': [method('OPTIONS'), user('remote-target'), host('example.com')],
  'escruri.dat': [user('user'), host('example.com')],
  'regbadct.dat': [contactUsers('user'), contactHost('example.com'), contactParams('header')],
  'badaspec.dat': [userOf('To', 't.watson'), named('To', 'Watson, Thomas')],
  'baddn.complete.dat': [named('From', 'Bell, Alexander'), userOf('From', 'a.g.bell'), paramOf('From', 'tag', '43')],
}

const probes: Readonly<Record<string, readonly Probe[]>> = { ...valid, ...aboveTheGrammar, ...ipv6, ...mayBeAccepted }

/** An answer as a page can show it: short, one line, no control characters. */
function shown(answer: unknown): string {
  const text = (answer === undefined ? 'missing' : JSON.stringify(answer)).replace(
    /[\u007f-\u009f\u200b-\u200f\ufeff]/g,
    '?',
  )
  return text.length > 60 ? `${text.slice(0, 57)}...` : text
}
