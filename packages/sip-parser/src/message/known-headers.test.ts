/**
 * Every known header through a message: one row each, with an example, what its getter makes of it, and a malformed value
 * with its code and place. What the rows have in common (compact form, several values, being written again, being cut)
 * is tested from the registry.
 */
import { Buffer } from 'node:buffer'
import { describe, expect, it } from 'vitest'
import type { ProblemCode } from '../errors'
import { headerDefinitions } from '../headers/index'
import { createRequest } from './build'
import { CoreHeaders } from './core-headers'
import { HeaderReader } from './header-reader'
import { SipMessageBase, type SipRequest } from './message'
import { parseMessage } from './parse'
import type { DecodableHeader } from './parts'
import { inspectMessage } from './validate'

/** Header, getter, example, what it decodes to; then a malformed value, its code and where in the value it is seen. */
type Row = readonly [
  name: string,
  getter: DecodableHeader,
  example: string,
  expected: unknown,
  malformed?: string,
  code?: ProblemCode,
  at?: number,
]

const uuid = 'ab30317f1a784dc48ff824d0d3715d86'
const otherUuid = '47755a9de7794ba387653f2099600ef2'
const text64 = 'sv5CTo05KqpSmtHt3dcEiO/1CWTSZtnG3iV-1nmurLXV_HmtyNS7Ltrg9dlxkWzoeU7d7OV8HweTTDobV3itTm=='

const core: readonly Row[] = [
  ['Via', 'vias', 'SIP/2.0/UDP a:1;branch=z9;oc=7', [{ host: 'a', oc: 7 }], 'SIP/2.0/UDP a;oc=x', 'NUMBER_INVALID', 17],
  ['From', 'from', '"A" <sip:a@b>;tag=1', { displayName: 'A', tag: '1' }, '<sip:a@b', 'ADDRESS_BRACKET_MISSING', 0],
  ['To', 'to', 'sip:a@b;tag=1', { tag: '1' }, 'a b', 'URI_INVALID', 0],
  ['Call-ID', 'callId', 'a@b', 'a@b', 'a b', 'CALL_ID_INVALID', 1],
  ['CSeq', 'cseq', '1 OPTIONS', { seq: 1, method: 'OPTIONS' }, 'OPTIONS', 'CSEQ_INVALID', 0],
  ['Max-Forwards', 'maxForwards', '70', 70, '70x', 'NUMBER_INVALID', 2],
  ['Contact', 'contacts', '<sip:a@b>;q=0.5;audio', [{ q: 0.5 }], '<sip:a@b>;q=7', 'Q_INVALID', 10],
  ['Route', 'routes', '<sip:a;lr>', [{ uri: { host: 'a' } }], '<sip:a', 'ADDRESS_BRACKET_MISSING', 0],
  ['Record-Route', 'recordRoutes', '<sip:a;lr>', [{ uri: { host: 'a' } }], '<sip:a>x', 'UNEXPECTED_CHARACTER', 7],
  ['Content-Length', 'contentLength', '0', 0],
  ['Content-Type', 'contentType', 'text/plain;charset="a;b"', { subtype: 'plain' }, 'text', 'MEDIA_TYPE_INVALID', 4],
  ['Expires', 'expires', '60', 60, 'soon', 'NUMBER_INVALID', 0],
  ['Min-Expires', 'minExpires', '60', 60, '', 'HEADER_EMPTY', 0],
  ['Authorization', 'authorizations', 'Digest realm="a, b"', [{ realm: 'a, b' }], 'Digest a', 'CREDENTIALS_INVALID', 8],
  ['Proxy-Authorization', 'proxyAuthorizations', 'Digest realm="a"', [{ realm: 'a' }], 'D "', 'CREDENTIALS_INVALID', 2],
  ['WWW-Authenticate', 'wwwAuthenticate', 'Digest nonce="n"', [{ nonce: 'n' }], 'D a="', 'QUOTE_UNTERMINATED', 4],
  ['Proxy-Authenticate', 'proxyAuthenticate', 'Digest nonce="n"', [{ nonce: 'n' }], '"', 'CREDENTIALS_INVALID', 0],
  [
    'Authentication-Info',
    'authenticationInfo',
    'qop=auth',
    new Map([['qop', 'auth']]),
    'qop',
    'CREDENTIALS_INVALID',
    3,
  ],
  ['Allow', 'allow', 'INVITE', ['INVITE'], 'a b', 'UNEXPECTED_CHARACTER', 2],
  ['Supported', 'supported', 'timer', ['timer'], 'a;b', 'UNEXPECTED_CHARACTER', 1],
  ['Require', 'require', '100rel', ['100rel'], 'a,', 'EMPTY_ELEMENT', 2],
  ['Proxy-Require', 'proxyRequire', 'foo', ['foo'], '', 'HEADER_EMPTY', 0],
  ['Unsupported', 'unsupported', 'foo', ['foo'], '"', 'TOKEN_EXPECTED', 0],
  ['User-Agent', 'userAgent', 'a/1 (b)', 'a/1 (b)', 'a\x07', 'HEADER_CONTROL_CHARACTER', 1],
  ['Server', 'server', 'a/1', 'a/1', '\x01', 'HEADER_CONTROL_CHARACTER', 0],
  ['Retry-After', 'retryAfter', '5 (b);duration=1', { seconds: 5, comment: 'b' }, '5 (b', 'UNEXPECTED_CHARACTER', 2],
  ['Subject', 'subject', 'Zoë', 'Zoë', '\x7f', 'HEADER_CONTROL_CHARACTER', 0],
  ['Organization', 'organization', 'Boxes, Inc.', 'Boxes, Inc.', '\x7f', 'HEADER_CONTROL_CHARACTER', 0],
  ['Date', 'date', 'Sat, 13 Nov 2010 23:29:00 GMT', Date.UTC(2010, 10, 13, 23, 29), 'now', 'DATE_INVALID', 0],
  ['Timestamp', 'timestamp', '54.1', '54.1', 'x', 'NUMBER_INVALID', 0],
  ['Warning', 'warnings', '370 a "b, \\"c"', [{ code: 370, text: 'b, "c' }], '370 a b', 'WARNING_INVALID', 5],
  ['Accept', 'accept', 'text/*;q=0.3', [{ value: 'text/*', q: 0.3 }], 'text/*;q=3', 'Q_INVALID', 7],
  ['Accept-Encoding', 'acceptEncoding', 'gzip', [{ value: 'gzip' }], 'a b', 'UNEXPECTED_CHARACTER', 2],
  ['Accept-Language', 'acceptLanguage', 'de-CH;q=1', [{ value: 'de-CH' }], ';q=1', 'TOKEN_EXPECTED', 0],
  [
    'Alert-Info',
    'alertInfo',
    '<http://a/,;>;x=1',
    [{ params: new Map([['x', '1']]) }],
    'a',
    'ADDRESS_BRACKET_MISSING',
    0,
  ],
  ['Call-Info', 'callInfo', '<http://a>;purpose=icon', [{}], '<http:>', 'URI_INVALID', 6],
  ['Error-Info', 'errorInfo', '<sip:a@b>', [{ uri: { host: 'b' } }], '<sip:a@b', 'ADDRESS_BRACKET_MISSING', 0],
  ['Content-Disposition', 'contentDisposition', 'Session;x=1', { type: 'session' }, 'a b', 'UNEXPECTED_CHARACTER', 2],
  ['Content-Encoding', 'contentEncoding', 'gzip', ['gzip'], 'a;b', 'UNEXPECTED_CHARACTER', 1],
  ['Content-Language', 'contentLanguage', 'fr', ['fr'], '', 'HEADER_EMPTY', 0],
  ['In-Reply-To', 'inReplyTo', 'a@b', ['a@b'], 'a b', 'CALL_ID_INVALID', 1],
  ['MIME-Version', 'mimeVersion', '1.0', '1.0', '1 0', 'TOKEN_EXPECTED', 0],
  ['Priority', 'priority', 'urgent', 'urgent', 'a b', 'TOKEN_EXPECTED', 0],
  ['Reply-To', 'replyTo', 'Bob <sip:a@b>', { displayName: 'Bob' }, '<sip:a@b>,', 'UNEXPECTED_CHARACTER', 9],
  ['Content-ID', 'contentId', '<a.b@c>', 'a.b@c', '<a b@c>', 'CONTENT_ID_INVALID', 2],
  ['Max-Breadth', 'maxBreadth', '60', 60, '-1', 'NUMBER_INVALID', 0],
]

const calls: readonly Row[] = [
  ['RSeq', 'rseq', '988', 988, '1.', 'NUMBER_INVALID', 1],
  ['RAck', 'rack', '7 1 INVITE', { rseq: 7, seq: 1, method: 'INVITE' }, '7 INVITE', 'CSEQ_INVALID', 2],
  ['Event', 'event', 'a.b;id=7', { package: 'a.b', id: '7' }, 'a;id="7"', 'PARAMETER_INVALID', 2],
  ['Allow-Events', 'allowEvents', 'presence.winfo', ['presence.winfo'], ',', 'EMPTY_ELEMENT', 0],
  [
    'Subscription-State',
    'subscriptionState',
    'Terminated;reason=probation;retry-after=9;expires=8',
    { state: 'terminated', reason: 'probation', retryAfter: 9, expires: 8 },
    'active;expires=1h',
    'NUMBER_INVALID',
    16,
  ],
  ['Refer-To', 'referTo', '<sip:a@b;method=BYE>', { method: 'BYE' }, '', 'HEADER_EMPTY', 0],
  ['Referred-By', 'referredBy', '<sip:a@b>;cid="x@y"', { cid: 'x@y' }, '<sip:a@b>;cid', 'PARAMETER_INVALID', 10],
  [
    'Replaces',
    'replaces',
    'a@b;to-tag=1;from-tag=2;early-only',
    { callId: 'a@b', toTag: '1', fromTag: '2', earlyOnly: true },
    'a@b;to-tag=1',
    'PARAMETER_MISSING',
    0,
  ],
  ['Join', 'join', 'a@b;from-tag=2;to-tag=1', { toTag: '1', fromTag: '2' }, 'a;to-tag', 'PARAMETER_INVALID', 2],
  [
    'Target-Dialog',
    'targetDialog',
    'a;local-tag=1',
    { localTag: '1', remoteTag: undefined },
    'a@',
    'CALL_ID_INVALID',
    1,
  ],
  [
    'Session-Expires',
    'sessionExpires',
    '90 ; refresher = UAC',
    { seconds: 90, refresher: 'uac' },
    '90;refresher=me',
    'PARAMETER_INVALID',
    13,
  ],
  ['Min-SE', 'minSE', '90;x=y', { seconds: 90 }, '90s', 'UNEXPECTED_CHARACTER', 2],
  [
    'Reason',
    'reasons',
    'Q.850;cause=16;text="a, b"',
    [{ cause: 16, text: 'a, b' }],
    'SIP;cause=x',
    'NUMBER_INVALID',
    10,
  ],
  ['SIP-ETag', 'sipETag', 'd1x', 'd1x', '"d"', 'TOKEN_EXPECTED', 0],
  ['SIP-If-Match', 'sipIfMatch', 'd1x', 'd1x', '', 'TOKEN_EXPECTED', 0],
  ['Suppress-If-Match', 'suppressIfMatch', '*', '*', '<', 'TOKEN_EXPECTED', 0],
  ['Refer-Sub', 'referSub', 'FALSE', { value: false }, 'no', 'BOOLEAN_INVALID', 0],
  ['Refer-Events-At', 'referEventsAt', '<sip:a@b>', { uri: { host: 'b' } }, '<sip:a@b>,', 'UNEXPECTED_CHARACTER', 9],
  [
    'History-Info',
    'historyInfo',
    '"B" <sip:a@b?Reason=SIP%3Bcause%3D302&Privacy=history>;index=1.2;rc=1.1',
    [{ index: '1.2', rc: '1.1', mp: undefined, reasons: [{ cause: 302 }], privacy: ['history'] }],
    '<sip:a@b>;index=1.',
    'INDEX_INVALID',
    16,
  ],
  [
    'Diversion',
    'diversions',
    '<sip:a@b>;reason="user-busy";counter=2;privacy=off;screen=YES',
    [{ reason: 'user-busy', counter: 2, privacy: 'off', screen: true, limit: undefined }],
    '<sip:a@b>;counter=many',
    'NUMBER_INVALID',
    18,
  ],
  ['Remote-Party-ID', 'remotePartyIds', '<sip:a@b>;party=calling', [{}], '<>', 'URI_INVALID', 1],
  [
    'Session-ID',
    'sessionId',
    `${uuid};remote=${otherUuid}`,
    { local: uuid, remote: otherUuid },
    'ab',
    'SESSION_ID_INVALID',
    0,
  ],
  [
    'User-to-User',
    'userToUser',
    '00aF;purpose=isdn-uui;encoding=hex',
    [{ data: '00aF', purpose: 'isdn-uui', bytes: Buffer.from([0, 0xaf]) }],
    '00;encoding="hex"',
    'PARAMETER_INVALID',
    3,
  ],
  ['Info-Package', 'infoPackage', 'dtmf;x=1', { value: 'dtmf' }, 'a,b', 'UNEXPECTED_CHARACTER', 1],
  ['Recv-Info', 'recvInfo', 'dtmf;x="a,b"', [{ value: 'dtmf' }], 'a;x=1;X=2', 'PARAMETER_REPEATED', 6],
  [
    'Accept-Contact',
    'acceptContacts',
    '*;audio;require',
    [{ isRequired: true, isExplicit: false }],
    'audio',
    'STAR_EXPECTED',
    0,
  ],
  [
    'Reject-Contact',
    'rejectContacts',
    '*;actor="msg-taker"',
    [{ isRequired: false }],
    '*;require=1',
    'PARAMETER_INVALID',
    10,
  ],
  ['Request-Disposition', 'requestDispositions', 'no-fork', ['no-fork'], 'a=b', 'UNEXPECTED_CHARACTER', 1],
  [
    'Feature-Caps',
    'featureCaps',
    '*;+g.x="<u,v>"',
    [{ params: new Map([['+g.x', '<u,v>']]) }],
    '*;+g.x="',
    'QUOTE_UNTERMINATED',
    7,
  ],
  ['Answer-Mode', 'answerMode', 'Auto;require', { isAuto: true, isRequired: true }, '', 'HEADER_EMPTY', 0],
  ['Priv-Answer-Mode', 'privAnswerMode', 'Manual', { isAuto: false }, 'a b', 'UNEXPECTED_CHARACTER', 2],
  [
    'Resource-Priority',
    'resourcePriorities',
    'dsn.flash',
    [{ namespace: 'dsn', priority: 'flash' }],
    'dsn',
    'RESOURCE_PRIORITY_INVALID',
    0,
  ],
  [
    'Accept-Resource-Priority',
    'acceptResourcePriorities',
    'ets.0',
    [{ namespace: 'ets' }],
    'a.b.c',
    'RESOURCE_PRIORITY_INVALID',
    0,
  ],
]

const networks: readonly Row[] = [
  ['Path', 'paths', '<sip:p;lr>;ob', [{ uri: { host: 'p' } }], '<sip:p>;;', 'EMPTY_PARAMETER', 8],
  ['Service-Route', 'serviceRoutes', '<sip:p;lr>', [{ uri: { host: 'p' } }], '<sip:p', 'ADDRESS_BRACKET_MISSING', 0],
  [
    'P-Asserted-Identity',
    'pAssertedIdentities',
    '"A, B" <tel:+1>',
    [{ displayName: 'A, B' }],
    '<tel:x>',
    'URI_INVALID',
    5,
  ],
  ['P-Preferred-Identity', 'pPreferredIdentities', '<sip:a@b>', [{}], 'Bell, A <sip:a@b>', 'DISPLAY_NAME_INVALID', 4],
  ['Privacy', 'privacy', 'ID ; critical', ['id', 'critical'], 'id;', 'TOKEN_EXPECTED', 3],
  [
    'Identity',
    'identities',
    `..${text64};info=<https://a/b,c;d>;alg=ES256;ppt="shaken"`,
    [
      {
        signature: `..${text64}`,
        alg: 'ES256',
        ppt: 'shaken',
        passport: { header: '', payload: '', signature: text64 },
      },
    ],
    'a.b.c;alg=ES256',
    'PARAMETER_MISSING',
    0,
  ],
  ['Identity-Info', 'identityInfo', '<https://a/b>;alg=rsa-sha1', {}, 'https://a', 'ADDRESS_BRACKET_MISSING', 0],
  ['Flow-Timer', 'flowTimer', '120', 120, '4294967296', 'NUMBER_TOO_LARGE', 0],
  ['Security-Client', 'securityClient', 'tls;q=0.2', [{ mechanism: 'tls', q: 0.2 }], 'tls;q=x', 'Q_INVALID', 4],
  [
    'Security-Server',
    'securityServer',
    'digest;d-alg=MD5;d-qop=auth',
    [{ digestAlgorithm: 'MD5', digestQop: 'auth' }],
    ';',
    'TOKEN_EXPECTED',
    0,
  ],
  [
    'Security-Verify',
    'securityVerify',
    'digest;d-ver="0a"',
    [{ digestVerify: '0a' }],
    'a/b',
    'UNEXPECTED_CHARACTER',
    1,
  ],
  ['Policy-Contact', 'policyContacts', '<sip:a@b>;non-cacheable', [{}], 'x', 'URI_INVALID', 0],
  [
    'Policy-ID',
    'policyIds',
    'sip:a@b;token=1',
    [{ params: new Map([['token', '1']]) }],
    '<sip:a@b>x',
    'UNEXPECTED_CHARACTER',
    9,
  ],
  ['Permission-Missing', 'permissionMissing', '<sip:a@b>', [{}], '', 'HEADER_EMPTY', 0],
  ['Trigger-Consent', 'triggerConsent', 'sip:a@b;target-uri="sip:c@d"', [{}], '"', 'QUOTE_UNTERMINATED', 0],
  ['Geolocation', 'geolocations', '<cid:a@b>', [{}], '<cid:a@b', 'ADDRESS_BRACKET_MISSING', 0],
  ['Geolocation-Routing', 'geolocationRouting', 'yes', { value: 'yes' }, '"yes"', 'TOKEN_EXPECTED', 0],
  ['Geolocation-Error', 'geolocationError', '100;code="x y"', { value: '100' }, '1 2', 'UNEXPECTED_CHARACTER', 2],
  [
    'P-Access-Network-Info',
    'pAccessNetworkInfo',
    '3GPP-E-UTRAN-FDD;utran-cell-id-3gpp=2f',
    [{ value: '3GPP-E-UTRAN-FDD' }],
    'a;b=c d',
    'UNEXPECTED_CHARACTER',
    6,
  ],
  ['P-Answer-State', 'pAnswerState', 'Unconfirmed', { value: 'Unconfirmed' }, '', 'HEADER_EMPTY', 0],
  [
    'P-Asserted-Service',
    'pAssertedServices',
    'urn:urn-7:3gpp-service.ims',
    [{ scheme: 'urn' }],
    'sip:a@b',
    'URI_INVALID',
    0,
  ],
  ['P-Preferred-Service', 'pPreferredServices', 'urn:urn-7:a', [{ scheme: 'urn' }], 'urn:', 'URI_INVALID', 4],
  [
    'P-Associated-URI',
    'pAssociatedUris',
    '<sip:a@b>',
    [{ uri: { host: 'b' } }],
    '<sip:a@b',
    'ADDRESS_BRACKET_MISSING',
    0,
  ],
  ['P-Called-Party-ID', 'pCalledPartyId', '<sip:a@b>', { uri: { host: 'b' } }, '<sip:a@b>,', 'UNEXPECTED_CHARACTER', 9],
  [
    'P-Charging-Function-Addresses',
    'pChargingFunctionAddresses',
    'ccf=192.0.2.1;ccf=[2001:db8::1];ecf="a b"',
    { ccf: ['192.0.2.1', '[2001:db8::1]'], ecf: ['a b'] },
    'ccf',
    'PARAMETER_INVALID',
    0,
  ],
  [
    'P-Charging-Vector',
    'pChargingVector',
    'icid-value="1 2";icid-generated-at=192.0.2.1;orig-ioi=home1.net',
    { icidValue: '1 2', icidGeneratedAt: '192.0.2.1', origIoi: 'home1.net', termIoi: undefined },
    'orig-ioi=a',
    'PARAMETER_MISSING',
    0,
  ],
  ['P-Early-Media', 'pEarlyMedia', 'sendrecv', ['sendrecv'], 'a=b', 'UNEXPECTED_CHARACTER', 1],
  [
    'P-Private-Network-Indication',
    'pPrivateNetworkIndication',
    'example.com',
    { value: 'example.com' },
    '@',
    'TOKEN_EXPECTED',
    0,
  ],
  [
    'P-Served-User',
    'pServedUser',
    '<sip:a@b>;sescase=orig;regstate=reg',
    { sessionCase: 'orig', registrationState: 'reg' },
    '<sip:a@b>;sescase',
    'PARAMETER_INVALID',
    10,
  ],
  ['P-User-Database', 'pUserDatabase', '<aaa://host.example.com;transport=tcp>', {}, '<aaa>', 'URI_INVALID', 1],
  [
    'P-Visited-Network-ID',
    'pVisitedNetworkIds',
    '"Visited, \\"1\\""',
    [{ value: 'Visited, "1"' }],
    '',
    'HEADER_EMPTY',
    0,
  ],
]

const rows = [...core, ...calls, ...networks].map(
  ([name, getter, example, expected, malformed = '', code = undefined, at = 0]) => ({
    name,
    getter,
    example,
    expected,
    malformed,
    code,
    at,
    definition: headerDefinitions.find((definition) => definition.name === name)!,
  }),
)

/** A message with the lines given and what else every message needs. */
function bytesOf(lines: readonly (readonly [name: string, value: string])[]): Buffer {
  const needed: Record<string, string> = {
    Via: 'SIP/2.0/UDP h;branch=z9hG4bK1',
    From: '<sip:a@b>;tag=1',
    To: '<sip:a@b>',
    'Call-ID': 'c',
    CSeq: '1 OPTIONS',
  }
  const others = Object.entries(needed).filter(([name]) => !lines.some(([given]) => given === name))
  const head = [...lines, ...others].map(([name, value]) => `${name}: ${value}\r\n`).join('')
  return Buffer.from(`OPTIONS sip:a@b SIP/2.0\r\n${head}\r\n`, 'utf8')
}

function requestWith(...lines: (readonly [name: string, value: string])[]): SipRequest {
  const result = parseMessage(bytesOf(lines))
  if (!result.ok || result.message.kind !== 'request') throw new Error(JSON.stringify(result))
  return result.message
}

function expectShape(value: unknown, expected: unknown): void {
  if (expected instanceof Map) expect(value).toEqual(expected)
  else if (typeof expected === 'object') expect(value).toMatchObject(expected as object)
  else expect(value).toBe(expected)
}

const firstLine = 'OPTIONS sip:a@b SIP/2.0\r\n'.length

describe('known headers', () => {
  it('are those of the registry, one row and one getter each', () => {
    expect(rows.map(({ name }) => name).sort()).toEqual(headerDefinitions.map(({ name }) => name).sort())
    expect(new Set(rows.map(({ getter }) => getter)).size).toBe(rows.length)
    const getters: string[] = []
    for (let at = SipMessageBase.prototype as object; at !== HeaderReader.prototype; at = Object.getPrototypeOf(at)) {
      for (const [name, { get }] of Object.entries(Object.getOwnPropertyDescriptors(at))) if (get) getters.push(name)
    }
    const others = ['text', 'index', 'head', 'body', 'bodyLength', 'byteLength', 'via', 'contactStar']
    expect(getters.filter((name) => !others.includes(name)).sort()).toEqual(rows.map(({ getter }) => getter).sort())
    expect(SipMessageBase.prototype).toBeInstanceOf(CoreHeaders)
  })

  it.each(rows)('$name is read by $getter', ({ name, getter, example, expected, definition }) => {
    const message = requestWith([name, example])
    expectShape(message[getter], expected)
    expect(message.decode(getter)).toEqual({ ok: true, value: message[getter] })
    expect(inspectMessage(bytesOf([[name, example]])).problems).toEqual([])
    const { compact } = definition
    if (compact !== undefined) {
      const short = bytesOf([[name, example]])
        .toString('latin1')
        .replace(`\r\n${name}: `, `\r\n${compact.toUpperCase()}:\r\n `)
      const result = parseMessage(Buffer.from(short, 'latin1'))
      expectShape(result.ok && result.message[getter], expected)
    }
  })

  it.each(rows.filter(({ code }) => code !== undefined))(
    '$name, malformed, is refused with $code and its place',
    ({ name, getter, malformed, code, at }) => {
      const bytes = bytesOf([[name, malformed]])
      const result = parseMessage(bytes)
      const offset = firstLine + name.length + 2 + at
      expect(result.ok && result.message.decode(getter)).toMatchObject({
        ok: false,
        error: { code, offset, header: name },
      })
      expect(inspectMessage(bytes).problems).toMatchObject([{ code, offset, header: name, suggestedStatus: 400 }])
    },
  )

  it.each(rows.filter(({ definition }) => definition.rule === 'list'))(
    'RFC 3261 §7.3.1: $name may have several values, on one line or on many',
    ({ name, getter, example, definition }) => {
      const written = (value: unknown): string => JSON.stringify(value)
      const one = requestWith([name, `${example} ,${example}, ${example}`])[getter] as unknown[]
      const many = requestWith([name, example], [name, `${example},${example}`])[getter] as unknown[]
      expect([one.length, many.length]).toEqual([3, 3])
      expect([written(one[2]), written(many[2])]).toEqual([written(one[0]), written(one[0])])
      const { mayBeEmpty } = definition
      expect(inspectMessage(bytesOf([[name, '']])).problems.map(({ code }) => code)).toEqual(
        mayBeEmpty === true ? [] : ['HEADER_EMPTY'],
      )
      expect(inspectMessage(bytesOf([[name, `${example},,${example}`]])).problems.map(({ code }) => code)).toEqual([
        'EMPTY_ELEMENT',
      ])
    },
  )

  it.each(rows.filter(({ definition }) => definition.rule === 'single'))(
    'RFC 3261 §7.3.1: $name may not be repeated',
    ({ name, example }) => {
      const lines = [[name, example] as const, [name, example] as const]
      const code = name === 'Content-Length' ? 'CONTENT_LENGTH_REPEATED' : 'HEADER_REPEATED'
      expect(inspectMessage(bytesOf(lines)).problems.map((problem) => problem.code)).toEqual([code])
    },
  )

  it.each(rows)('$name can be written from what was read', ({ name, getter, example, expected }) => {
    // These are plain data, or numbers that stand for text.
    if (['CSeq', 'Date', 'Authentication-Info', 'Privacy', 'Content-ID', 'Content-Length'].includes(name)) return
    const value = requestWith([name, example])[getter] as { toString(): string }
    const written = createRequest({ method: 'OPTIONS', uri: 'sip:a@b', headers: [[name, value]] })
    expectShape(written[getter], expected)
    expectShape(requestWith([name, 'x']).edit().set(name, value).build()[getter], expected)
  })

  it.each(rows)('$name, cut anywhere or with a byte changed, gives a verdict', ({ name, getter, example }) => {
    const odd = ['"', ';', ',', '<', '>', '=', ' ', '\\', '\x80', '%', '*', '']
    for (let at = 0; at <= example.length; at += 1) {
      for (const put of odd) {
        const value = put === '' ? example.slice(0, at) : example.slice(0, at) + put + example.slice(at + 1)
        const inspection = inspectMessage(bytesOf([[name, value]]))
        // The getter and the inspection agree, but for what only the whole message shows.
        const decoded = inspection.message?.decode(getter)
        const isWrong = inspection.problems.some(({ code }) => code !== 'CSEQ_METHOD_MISMATCH')
        if (name !== 'Content-Length') expect(decoded?.ok, value).toBe(!isWrong)
      }
    }
  })
})
