/** URIs of every scheme: parsing, comparing, normalising, changing. */
import { OpaqueUri, parseUri, SipUri, SipUsageError, strict, TelUri, tolerant, type Uri } from '@carillon/sip-parser'
import { mutateUri } from '@carillon/sip-parser/testing'
import { must } from '../engine/failure.ts'
import type { Probe } from '../engine/probe.ts'
import type { Target } from '../engine/target.ts'
import { checkProblem } from '../oracles/problem.ts'

const texts = [
  'sip:alice:pw@example.com:5060;lr;x=%41?a=b',
  'sips:[2001:db8::1]:5061',
  'sip:%61lice%40home@EXAMPLE.com;transport=TCP;method=INVITE?subject=project%20x&priority=urgent',
  'sip:+1-212-555-1212:1234@gateway.example.com;user=phone',
  'sip:atlanta.example.com;maddr=239.255.255.1;ttl=15',
  'sip:*21#@example.com',
  'sip:a_b@c_d.example',
  'tel:+1-201;ext=4',
  'tel:7042;phone-context=example.com;isub=1',
  'urn:service:sos.fire',
  'urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6?+x?=y#z',
  'http://user:pw@Example.com:80/a%2fb?c#d',
  'im:bob@example.com',
]

/** The parser under test; the fuzzer's own tests put one with a fault in its place. */
export interface UriParser {
  readonly parseUri: typeof parseUri
}

/** Makes the target. */
export function uriTarget(parser: UriParser = { parseUri }): Target {
  return {
    name: 'uri',
    seeds: texts.map((text) => Buffer.from(text)),
    mutate: mutateUri,
    check: (input, probe) => checkUri(parser, Buffer.from(input).toString('utf8'), probe),
  }
}

function checkUri(parser: UriParser, text: string, probe: Probe): void {
  const size = Buffer.byteLength(text)
  const strictly = probe.time('parseUri', size, () => parser.parseUri(text, strict))
  const tolerantly = probe.time('parseUri (tolerant)', size, () => parser.parseUri(text, tolerant))
  for (const [mode, result] of Object.entries({ s: strictly, t: tolerantly })) {
    for (const shape of result.ok ? shapesOf(result.value) : [result.error.code]) probe.reach(`${mode} ${shape}`)
    if (!result.ok) checkProblem(result.error, size)
  }
  if (strictly.ok) {
    must(tolerantly.ok, 'tolerant accepts what strict accepts', () => JSON.stringify(tolerantly))
    must(`${strictly.value}` === text, 'an accepted URI comes back', () => `${strictly.value}`)
    must(/^[!-~]*$/.test(text), 'an accepted URI is visible ASCII', () => JSON.stringify(text))
    checkAccepted(parser, strictly.value, probe, size)
  }
  if (!tolerantly.ok) return
  const again = Buffer.from(`${tolerantly.value}`, 'latin1').toString('utf8')
  must(again === text || `${tolerantly.value}` === text, 'a tolerated URI comes back', () => again)
  must(tolerantly.value.equals(tolerantly.value), 'a URI equals itself', () => text)
  if (tolerantly.value instanceof SipUri) checkChanges(parser, tolerantly.value, strictly.ok)
}

function checkAccepted(parser: UriParser, uri: Uri, probe: Probe, size: number): void {
  const again = parser.parseUri(`${uri}`)
  must(again.ok && uri.equals(again.value) && again.value.equals(uri), 'a URI equals itself', () => `${uri}`)
  const normal = probe.time('normalised', size, () => uri.normalised())
  const reread = parser.parseUri(`${normal}`)
  must(reread.ok, 'a normalised URI reads back', () => `${normal}`)
  must(uri.equals(normal) && normal.equals(uri), 'a normalised URI is the same', () => `${normal}`)
  must(uri.equals(reread.value), 'a normalised URI that was read again is the same', () => `${normal}`)
  must(
    `${normal.normalised()}` === `${normal}`,
    'normalising twice changes nothing',
    () => `${normal} to ${normal.normalised()}`,
  )
  must(
    `${reread.value.normalised()}` === `${normal}`,
    'a normalised URI that was read again is normal',
    () => `${normal}`,
  )
  must(
    uri.addressOfRecord === normal.addressOfRecord,
    'a normalised URI has the same key',
    () => `${uri.addressOfRecord}`,
  )
  probe.time('equals', size, () => uri.equals(again.value))
  probe.time('addressOfRecord', size, () => uri.addressOfRecord)
  for (const other of [
    `${uri}`.toUpperCase(),
    `${uri}`.toLowerCase(),
    `${uri};x`,
    `${uri}`.replace(/%([0-9a-f]{2})/gi, (_, code) => String.fromCharCode(Number.parseInt(code, 16))),
  ]) {
    const result = parser.parseUri(other)
    if (!result.ok) continue
    const isEqual = uri.equals(result.value)
    must(isEqual === result.value.equals(uri), 'equality is the same from both sides', () => `${uri} and ${other}`)
    if (isEqual)
      must(
        uri.addressOfRecord === result.value.addressOfRecord,
        'equal URIs have the same key',
        () => `${uri} and ${other}`,
      )
    probe.reach(`equal ${schemeOf(uri)} ${isEqual}`)
  }
  must(!/[\r\n\0]/.test(JSON.stringify(uri)), 'a URI in a log stays on its line', () => `${uri}`)
  if (uri instanceof SipUri) checkSecret(uri, uri.password)
  if (uri instanceof TelUri) checkTel(parser, uri)
  if (uri instanceof OpaqueUri)
    must(`${OpaqueUri.of(`${uri}`)}` === `${uri}`, 'a carried URI can be made', () => `${uri}`)
}

function checkSecret(uri: SipUri, password: string | undefined): void {
  if (password === undefined || password.length < 4) return
  const rest = `${uri.with({ password: undefined })}`
  const logged = JSON.stringify(uri)
  must(rest.includes(password) || !logged.includes(password), 'a password is masked', () => logged)
}

function checkTel(parser: UriParser, uri: TelUri): void {
  const sip = SipUri.ofTel(uri, { host: 'gw.example.com' })
  const read = parser.parseUri(`${sip}`)
  must(read.ok && read.value.equals(sip), 'a tel URI at a gateway reads back', () => `${sip}`)
  const back = sip.toTel()
  must(back?.equals(uri) === true, 'a tel URI comes back from a gateway', () => `${uri} to ${sip} to ${back}`)
  const changed = uri.withParam('x-fuzz', 'y')
  must(changed.params.get('x-fuzz') === 'y', 'a tel URI takes a parameter', () => `${changed}`)
  must(changed.withParam('x-fuzz', undefined).equals(uri), 'a tel URI gives a parameter back', () => `${changed}`)
}

/** Changes either give what was asked for, in a form as strict as it was, or say that they cannot. */
function checkChanges(parser: UriParser, uri: SipUri, isStrict: boolean): void {
  const user = 'a b:@/?;\u00e9'
  const changes: readonly (readonly [string, () => SipUri, (changed: SipUri) => boolean])[] = [
    ['nothing', () => uri.with({}), (changed) => changed.equals(uri) || changed.user === uri.user],
    ['port', () => uri.with({ port: 5070 }), (changed) => changed.port === 5070 && changed.host === uri.host],
    ['user', () => uri.with({ user }), (changed) => changed.user === user],
    ['password', () => uri.with({ user: 'u', password: user }), (changed) => changed.password === user],
    [
      'no user',
      () => uri.with({ user: undefined }),
      (changed) => changed.user === undefined && changed.password === undefined,
    ],
    [
      'host',
      () => uri.with({ host: '2001:db8::1' }),
      (changed) => changed.host === '2001:db8::1' && changed.hostIsIp(),
    ],
    ['parameter', () => uri.withParam('x-fuzz', user), (changed) => changed.params.get('x-fuzz') === user],
    ['no parameter', () => uri.withParam('x-fuzz', undefined), (changed) => !changed.params.has('x-fuzz')],
    [
      'header',
      () => uri.withHeader('x-fuzz', user),
      (changed) => changed.headers.get('x-fuzz') === user && changed.hasHeaders,
    ],
    ['no headers', () => uri.with({ headers: undefined }), (changed) => !changed.hasHeaders],
  ]
  for (const [name, change, isDone] of changes) {
    const changed = attempt(change)
    if (changed === undefined) continue
    must(isDone(changed), `a URI takes another ${name}`, () => `${uri} to ${changed}`)
    // What a change does not touch keeps its spelling.
    const read = parser.parseUri(`${changed}`, isStrict ? strict : tolerant)
    const isFull = !read.ok && read.error.code === 'TOO_MANY_PARAMETERS'
    must(isFull || read.ok, `a URI with another ${name} is well formed`, () => `${uri} to ${changed}`)
    if (read.ok) must(read.value.equals(changed), `a URI with another ${name} reads back`, () => `${uri} to ${changed}`)
  }
  void [uri.transport, uri.isLooseRouter, uri.toTel()]
}

function attempt(change: () => SipUri): SipUri | undefined {
  try {
    return change()
  } catch (thrown) {
    if (thrown instanceof SipUsageError) return undefined
    throw thrown
  }
}

/** What kinds of URI it is: few enough kinds for each to be something new once. */
function shapesOf(uri: Uri): readonly string[] {
  if (uri instanceof TelUri) {
    const names = ['ext', 'isub', 'phone-context', 'x'].filter((name) => uri.params.has(name))
    return [`tel ${uri.isGlobal} ${names}`, `tel ${Math.min(5, uri.params.size)}`]
  }
  if (uri instanceof OpaqueUri) return [`opaque ${uri.urn !== undefined} ${schemeOf(uri)}`]
  const { scheme, user, password, port, params, hasHeaders, headers } = uri
  const names = ['transport', 'user', 'method', 'ttl', 'maddr', 'lr'].filter((name) => params.has(name))
  return [
    `${scheme} ${[user, password, port].map((part) => part !== undefined)} ${uri.hostIsIp()} ${hasHeaders}`,
    ...names.map((name) => `${scheme} ${name} ${params.get(name) !== null}`),
    `${scheme} ${Math.min(5, params.size)} parameters ${Math.min(5, headers.size)} headers`,
  ]
}

function schemeOf({ scheme }: Uri): string {
  return ['sip', 'sips', 'tel', 'urn', 'http', 'im'].includes(scheme) ? scheme : 'other'
}
