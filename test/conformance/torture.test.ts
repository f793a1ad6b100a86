/** The torture messages of RFC 4475 and RFC 5118, read from the conformance folder: each verdict as `expect.json` has it. */
import { existsSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import {
  checkMandatory,
  type FramerEvent,
  inspectMessage,
  type Problem,
  parseMessage,
  SipRequest,
  SipUri,
  StreamFramer,
  tolerant,
} from '@carillon/sip-parser'
import { mutateBytes, SeededGenerator } from '@carillon/sip-parser/testing'
import { describe, expect, it } from 'vitest'
import { root } from '../support/repository'

interface Expectation {
  readonly file: string
  readonly section: string | null
  readonly strictParser: 'accept' | 'reject' | 'either'
  readonly layer?: string
  readonly expected?: string
}

const folder = resolve(root, process.env.CARILLON_CONFORMANCE_DIR ?? '../shared/conformance')
const isPresent = existsSync(join(folder, 'rfc4475', 'expect.json'))

/** What this parser does with the messages that a strict parser may accept or reject, and why. */
const choices: Readonly<Record<string, string>> = {
  'lwsstart.dat': 'START_LINE_SPACES',
  'trws.dat': 'START_LINE_SPACES',
  'escruri.dat': 'REQUEST_URI_HEADERS',
  'baddate.dat': 'DATE_INVALID',
  'regbadct.dat': 'ADDRESS_NEEDS_BRACKETS',
  'badaspec.dat': 'ADDRESS_SPACE',
  'baddn.dat': 'HEAD_INCOMPLETE',
}

/** The status that the RFC asks for, where it is not 400. */
const statuses: Readonly<Record<string, number | 'drop'>> = {
  'badvers.dat': 505,
  'mismatch02.dat': 501,
  'scalarlg.dat': 'drop',
  'bigcode.dat': 'drop',
}

/** The layers of this parser that stand for a layer of `expect.json`. */
const layers: Readonly<Record<string, readonly string[]>> = {
  parse: ['start-line', 'header-syntax'],
  framing: ['framing'],
  'header-value': ['header-value'],
  semantic: ['semantic'],
  application: ['semantic'],
}

function read(set: string, file: string): Buffer {
  return readFileSync(join(folder, set, file))
}

function expectations(set: string): Expectation[] {
  return isPresent ? (JSON.parse(readFileSync(join(folder, set, 'expect.json'), 'utf8')) as Expectation[]) : []
}

function request(file: string, set = 'rfc4475'): SipRequest {
  const result = parseMessage(read(set, file))
  if (!result.ok) throw new Error(`${file}: ${result.error.code}`)
  if (!(result.message instanceof SipRequest)) throw new Error(`${file} is no request`)
  return result.message
}

function sipUri(uri: unknown): SipUri {
  if (!(uri instanceof SipUri)) throw new Error('not a SIP URI')
  return uri
}

const all = ['rfc4475', 'rfc5118'].flatMap((set) => expectations(set).map((expectation) => ({ set, ...expectation })))

describe.runIf(!isPresent)('RFC 4475 and RFC 5118', () => {
  it('have their messages at hand', (context) => {
    if (process.env.CI === 'true') throw new Error(`no conformance data in ${folder}; set CARILLON_CONFORMANCE_DIR`)
    console.warn(`SKIPPED: no conformance data in ${folder}; set CARILLON_CONFORMANCE_DIR`)
    context.skip()
  })
})

describe.runIf(isPresent)('RFC 4475 and RFC 5118: verdicts', () => {
  it('cover all 50 and 12 entries', () => {
    expect(all.filter(({ set }) => set === 'rfc4475').length).toBe(50)
    expect(all.filter(({ set }) => set === 'rfc5118').length).toBe(12)
  })

  it.each(all)('$set/$file: $strictParser', ({ set, file, strictParser, layer }) => {
    const { ok, problems } = inspectMessage(read(set, file))
    if (strictParser === 'accept') {
      expect(problems).toEqual([])
      expect(ok).toBe(true)
      return
    }
    expect(ok).toBe(false)
    if (strictParser === 'either') expect(problems.map(({ code }) => code)).toContain(choices[file])
    else if (layer !== undefined) expect(layers[layer]).toContain(problems[0]?.layer)
    if (strictParser === 'reject') expect(problems[0]?.suggestedStatus).toBe(statuses[file] ?? 400)
  })

  it('baddn.dat with its last line end: the display name alone is refused, and tolerated on request', () => {
    const bytes = read('rfc4475', 'baddn.complete.dat')
    expect(inspectMessage(bytes).problems.map(({ code }) => code)).toEqual([
      'DISPLAY_NAME_INVALID',
      'DISPLAY_NAME_INVALID',
    ])
    const { message } = inspectMessage(bytes, { leniency: tolerant })
    expect(message?.from.toString()).toBe('"Bell, Alexander" <sip:a.g.bell@example.com>;tag=43')
  })

  it('the tolerant preset accepts what may be accepted, in a form that can be forwarded', () => {
    for (const file of ['lwsstart.dat', 'trws.dat', 'ltgtruri.dat', 'escruri.dat']) {
      const inspection = inspectMessage(read('rfc4475', file), { leniency: tolerant })
      expect(inspection.problems, file).toEqual([])
      const startLine = inspection.message?.head.split('\r\n')[0]
      expect(startLine, file).toMatch(/^[A-Z]+ sip:[^ <>?]+ SIP\/2\.0$/)
    }
    for (const file of ['regbadct.dat', 'badaspec.dat']) {
      expect(inspectMessage(read('rfc4475', file), { leniency: tolerant }).ok, file).toBe(true)
    }
  })

  it('a server sees the same through checkMandatory', () => {
    const verdict = (file: string): Problem | undefined => checkMandatory(request(file))
    expect(verdict('insuf.dat')).toMatchObject({ code: 'HEADER_MISSING', suggestedStatus: 400 })
    expect(verdict('multi01.dat')).toMatchObject({ code: 'HEADER_REPEATED', suggestedStatus: 400 })
    expect(verdict('mismatch01.dat')).toMatchObject({ code: 'CSEQ_METHOD_MISMATCH', suggestedStatus: 400 })
    expect(verdict('mismatch02.dat')).toMatchObject({ code: 'CSEQ_METHOD_MISMATCH', suggestedStatus: 501 })
    expect(verdict('scalar02.dat')).toMatchObject({ suggestedStatus: 400 })
    expect(verdict('quotbal.dat')).toMatchObject({ code: 'QUOTE_UNTERMINATED', header: 'To' })
    expect(verdict('baddate.dat')).toBeUndefined()
    expect(verdict('inv2543.dat')).toBeUndefined()
  })
})

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
    const bytes = read('rfc4475', 'dblreq.dat')
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
    const bytes = read('rfc4475', 'mpart01.dat')
    const message = request('mpart01.dat')
    expect(Buffer.compare(message.toBytes(), bytes)).toBe(0)
    expect(message.body.filter((byte) => byte > 127)).toHaveLength(89)
    expect(message.body.filter((byte) => byte === 0)).toHaveLength(2)
    expect(message.contentType?.params.get('boundary')).toBe('7a9cbec02ceef655')
  })

  it('§3.1.1.12 and §3.1.1.13: reason phrases', () => {
    const unusual = parseMessage(read('rfc4475', 'unreason.dat'))
    expect(unusual.ok && unusual.message.kind === 'response' && unusual.message.reason).toContain('простое')
    const none = parseMessage(read('rfc4475', 'noreason.dat'))
    expect(none.ok && none.message.kind === 'response' && none.message.reason).toBe('')
  })

  it('§3.4.1 inv2543: without Content-Length the body is the rest of the datagram', () => {
    expect(request('inv2543.dat').body).toHaveLength(105)
  })

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
})

describe.runIf(isPresent)('RFC 4475 and RFC 5118: under attack', () => {
  it.each(all)('$set/$file, cut at every length: a verdict, no exception', ({ set, file }) => {
    const bytes = read(set, file)
    for (let length = 0; length < bytes.length; length += 1) {
      const inspection = inspectMessage(bytes.subarray(0, length))
      if (inspection.message === undefined) expect(inspection.ok).toBe(false)
    }
  })

  it.each(all)('$set/$file, split at every byte of a stream: the same messages', ({ set, file }) => {
    const bytes = read(set, file)
    const whole = messagesOf(new StreamFramer().push(bytes))
    for (let at = 1; at < bytes.length; at += 1) {
      const framer = new StreamFramer()
      const events = [...framer.push(bytes.subarray(0, at)), ...framer.push(bytes.subarray(at))]
      expect(messagesOf(events), `split at ${at}`).toEqual(whole)
    }
    const framer = new StreamFramer()
    const single: FramerEvent[] = []
    for (let at = 0; at < bytes.length; at += 1) single.push(...framer.push(bytes.subarray(at, at + 1)))
    expect(messagesOf(single)).toEqual(whole)
  })

  it.each(all)(
    '$set/$file, mutated by seed: a verdict, and what is accepted is written back as it came',
    ({ set, file }) => {
      const bytes = read(set, file)
      for (let seed = 1; seed <= 60; seed += 1) {
        const changed = mutateBytes(bytes, new SeededGenerator(seed * 7919 + bytes.length))
        const { ok, message } = inspectMessage(changed)
        if (ok) expect(Buffer.from(changed).includes(message!.toBytes()), `seed ${seed}`).toBe(true)
      }
    },
  )
})

/** Messages and error codes of the events; keep-alives depend on how the stream is cut. */
function messagesOf(events: readonly FramerEvent[]): string[] {
  return events.flatMap((event) => {
    if (event.kind === 'message') return [Buffer.from(event.bytes).toString('latin1')]
    return event.kind === 'error' ? [event.error.code] : []
  })
}
