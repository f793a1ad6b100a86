/**
 * The call flows of RFC 3665, written out in flows/: every message is accepted strictly and read rightly, and what RFC 3261
 * says of messages that belong together holds between them.
 */
import { createHash } from 'node:crypto'
import { type Credentials, inspectMessage, SipRequest, StreamFramer } from '@carillon/sip-parser'
import { parseSdp } from '@carillon/sip-parser/sdp'
import { describe, expect, it } from 'vitest'
import { type Flow, type FlowMessage, readFlows, type Secret, spoiled } from './flow-file'
import { flowRules } from './flow-rules'

const flows = readFlows()
const messages = flows.flatMap((flow) => flow.messages.map((sent) => [`${flow.name} ${sent.label}`, sent] as const))

/** RFC 7616 §3.4 with MD5, qop auth or none, written anew: what is tested shall not test itself. */
function digestOf(credentials: Credentials, method: string, password: string): string {
  const md5 = (...parts: (string | undefined)[]): string => createHash('md5').update(parts.join(':')).digest('hex')
  const value = (name: string): string | undefined => credentials.params.get(name) ?? undefined
  const secret = md5(value('username'), value('realm'), password)
  const request = md5(method, value('uri'))
  if (value('qop') === undefined) return md5(secret, value('nonce'), request)
  return md5(secret, value('nonce'), value('nc'), value('cnonce'), value('qop'), request)
}

function credentialsOf(sent: FlowMessage): readonly Credentials[] {
  return [...sent.message.authorizations, ...sent.message.proxyAuthorizations]
}

function passwordOf(secrets: readonly Secret[], credentials: Credentials): string {
  const [user, realm] = ['username', 'realm'].map((name) => credentials.params.get(name))
  const found = secrets.find((secret) => secret.user === user && secret.realm === realm)
  if (found === undefined) throw new Error(`no password of ${user} in ${realm}`)
  return found.password
}

/** A fold becomes spaces when the value is read; they mean nothing. */
function unfolded(value: string): string {
  return value.replace(/ +;/g, ';')
}

function tagOf(value: string): string | undefined {
  return /;tag=([^;]+)/.exec(value)?.[1]
}

describe('RFC 3665: the flows', () => {
  it('are all there: §2.1 to §2.5 and §3.1 to §3.11', () => {
    const sections = flows.map(({ name }) => name.split('-')[0])
    const range = (chapter: number, count: number) => Array.from({ length: count }, (_, at) => `${chapter}.${at + 1}`)
    expect(sections).toEqual([...range(2, 5), ...range(3, 11)])
    expect(messages.length).toBeGreaterThan(150)
    for (const { messages: sent } of flows)
      expect(sent.map(({ label }) => label)).toEqual(sent.map((_, at) => `F${at + 1}`))
  })
})

describe('RFC 3665: each message', () => {
  it.each(messages)('%s is accepted, with no problem and no warning', (_, { bytes }) => {
    const { ok, problems, warnings } = inspectMessage(bytes)
    expect({ ok, problems, warnings }).toEqual({ ok: true, problems: [], warnings: [] })
  })

  it.each(messages)('%s is written back as it came, changed or not', (_, { bytes, message }) => {
    expect(message.toBytes().equals(bytes)).toBe(true)
    const there = message.edit().prepend('X-Mark', '1').build()
    expect(there.edit().remove('X-Mark').build().toBytes().equals(bytes)).toBe(true)
  })

  it.each(messages)('%s is what its heading says', (_, { called, message, plain }) => {
    expect(message instanceof SipRequest ? message.method : `${message.status} ${message.reason}`).toBe(called)
    const startLine = message instanceof SipRequest ? `${called} ${message.uri} SIP/2.0` : `SIP/2.0 ${called}`
    expect(plain.startLine).toBe(startLine)
  })

  it.each(messages)('%s: the getters say what its lines say', (_, { message, plain }) => {
    expect(message.vias.map((via) => unfolded(via.toString()))).toEqual(plain.values('Via'))
    expect(message.via.branch).toBe(/;branch=([^;]+)/.exec(plain.values('Via')[0] ?? '')?.[1])
    expect([message.from.toString(), message.to.toString()]).toEqual([plain.value('From'), plain.value('To')])
    expect([message.from.tag, message.to.tag]).toEqual([tagOf(plain.value('From')), tagOf(plain.value('To'))])
    expect(message.from.displayName).toBe(plain.value('From').split(' <')[0])
    expect(message.callId).toBe(plain.value('Call-ID'))
    expect(`${message.cseq.seq} ${message.cseq.method}`).toBe(plain.value('CSeq'))
    expect(message.maxForwards).toBe(message.kind === 'request' ? Number(plain.value('Max-Forwards')) : undefined)
    expect(message.routes.map(String)).toEqual(plain.values('Route'))
    expect(message.recordRoutes.map(String)).toEqual(plain.values('Record-Route'))
    const star = message.contactStar ? ['*'] : []
    expect([...star, ...message.contacts.map(String)]).toEqual(plain.values('Contact'))
    expect(message.contentLength).toBe(plain.body.replaceAll('\n', '\r\n').length)
    expect(message.contentType?.essence).toBe(plain.values('Content-Type')[0])
    expect(message.expires?.toString()).toBe(plain.values('Expires')[0])
    const challenges = [...message.wwwAuthenticate, ...message.proxyAuthenticate]
    const lines = [...plain.values('WWW-Authenticate'), ...plain.values('Proxy-Authenticate')]
    expect(challenges.map(({ params }) => params.get('nonce'))).toEqual(
      lines.map((line) => /[ ,]nonce="([^"]*)"/.exec(line)?.[1]),
    )
  })

  it.each(messages.filter(([, { message }]) => message.bodyLength > 0))('%s has a session description', (_, sent) => {
    const result = parseSdp(sent.message.body)
    expect(result.ok).toBe(true)
    if (!result.ok) return
    const [, address, port] = /^c=IN IP4 (\S+)[\s\S]*^m=audio (\d+) /m.exec(sent.plain.body) ?? []
    const [medium] = result.value.media
    expect([result.value.connection?.address, medium?.media, medium?.port]).toEqual([address, 'audio', Number(port)])
  })
})

describe.each(flows.map((flow) => [flow.name, flow] as const))('RFC 3665 §%s', (_, flow: Flow) => {
  it.each(Object.entries(flowRules))('%s', (_sentence, rule) => {
    expect(rule(flow)).toEqual([])
  })

  it('§12.1: one Call-ID, and two tags for those who speak to each other', () => {
    expect(new Set(flow.messages.map(({ message }) => message.callId)).size).toBe(1)
    const dialogs = flow.messages.filter(({ message }) => message.kind === 'response' && message.status === 200)
    const invites = dialogs.filter(({ message }) => message.cseq.method === 'INVITE' || message.cseq.method === 'BYE')
    const pairs = invites.map(({ message }) => [message.from.tag, message.to.tag].sort().join())
    expect(new Set(pairs).size).toBeLessThanOrEqual(1)
  })

  it('comes out of a stream message by message, however it is cut', () => {
    const stream = Buffer.concat(flow.messages.map(({ bytes }) => bytes))
    for (const size of [1, 7, 1448, stream.length]) {
      const framer = new StreamFramer()
      const found: Buffer[] = []
      for (let at = 0; at < stream.length; at += size) {
        for (const event of framer.push(stream.subarray(at, at + size))) {
          expect(event.kind).toBe('message')
          if (event.kind === 'message') found.push(Buffer.from(event.bytes))
        }
      }
      expect(found).toEqual(flow.messages.map(({ bytes }) => bytes))
      expect(framer.isIdle).toBe(true)
    }
  })

  it('RFC 7616: every digest verifies with the password, and a wrong one is refused', () => {
    for (const sent of flow.messages) {
      const isWrong = flow.name.startsWith('2.5') && sent.label === 'F3'
      for (const credentials of credentialsOf(sent)) {
        // The ACK to a failure repeats the credentials of its INVITE (RFC 3261 §22.1).
        const method = sent.message.cseq.method === 'ACK' ? 'INVITE' : sent.message.cseq.method
        const expected = digestOf(credentials, method, passwordOf(flow.secrets, credentials))
        expect(credentials.params.get('response') === expected, `${sent.label} verifies`).toBe(!isWrong)
      }
    }
  })

  it('RFC 3261 §22: credentials answer a challenge that came before, and go to whom it was from', () => {
    const challenges = flow.messages.flatMap(({ message }) => [
      ...message.wwwAuthenticate,
      ...message.proxyAuthenticate,
    ])
    for (const { label, message } of flow.messages) {
      for (const credentials of message.proxyAuthorizations) {
        const challenge = challenges.find(({ params }) => params.get('realm') === credentials.params.get('realm'))
        for (const name of ['nonce', 'opaque', 'algorithm'])
          expect(credentials.params.get(name), `${label} ${name}`).toBe(challenge?.params.get(name))
        expect(credentials.params.get('uri')).toBe(message.kind === 'request' ? message.uri.toString() : undefined)
      }
    }
  })
})

describe('RFC 3665: what only one flow has', () => {
  const flow = (section: string): readonly FlowMessage[] => {
    const found = flows.find(({ name }) => name.startsWith(`${section}-`))
    if (found === undefined) throw new Error(section)
    return found.messages
  }
  const message = (section: string, label: number) => {
    const sent = flow(section)[label - 1]
    if (sent === undefined) throw new Error(`${section} F${label}`)
    return sent.message
  }

  it('§2: contacts are bound, listed and removed', () => {
    expect(message('2.1', 4).contacts.map(({ expires }) => expires)).toEqual([3600])
    expect(message('2.2', 2).contacts.map(({ uri, expires }) => [uri.scheme, expires])).toEqual([
      ['sips', 3600],
      ['mailto', 4294967295],
    ])
    expect([message('2.3', 1).contacts, message('2.3', 1).contactStar]).toEqual([[], false])
    expect([message('2.4', 1).contactStar, message('2.4', 1).expires, message('2.4', 2).contacts]).toEqual([
      true,
      0,
      [],
    ])
    expect(flow('2.1').map(({ message: { via } }) => via.transport)).toEqual(['TLS', 'TLS', 'TLS', 'TLS'])
  })

  it('§3.3: each proxy takes out the credentials for its realm', () => {
    const realms = [11, 12, 14].map((label) =>
      message('3.3', label).proxyAuthorizations.map(({ params }) => params.get('realm')),
    )
    expect(realms).toEqual([['atlanta.example.com', 'biloxi.example.com'], ['biloxi.example.com'], []])
  })

  it('§3.4: the INVITE is repeated seven times before another proxy is tried', () => {
    const branches = flow('3.4').map(({ message: { via } }) => via.branch)
    expect(new Set(branches.slice(0, 7)).size).toBe(1)
    expect(branches[7]).not.toBe(branches[6])
  })

  it('§3.5: the gateway changes the session description and nothing else of the answer', () => {
    const [before, after] = [message('3.5', 10), message('3.5', 11)]
    expect(Buffer.compare(before.body, after.body)).not.toBe(0)
    expect(after.contacts.map(String)).toEqual(before.contacts.map(String))
  })

  it('§3.6: the offer is in the 200 and the answer in the ACK', () => {
    const bodies = flow('3.6').filter(({ message: { bodyLength } }) => bodyLength > 0)
    expect(bodies.map(({ called }) => called)).toEqual(['200 OK', '200 OK', 'ACK', 'ACK'])
    expect(message('3.6', 2).contacts.map(({ uri }) => uri.toString())).toEqual([
      'sip:bob@chicago.example.com;transport=tcp',
    ])
  })

  it('§3.7: after the re-INVITE requests go to the new Contact', () => {
    const [invite, bye] = [message('3.7', 9), message('3.7', 12)]
    expect(bye.kind === 'request' && bye.uri.equals(invite.contacts[0]?.uri)).toBe(true)
    expect([invite.to.tag, invite.from.tag]).toEqual([bye.from.tag, bye.to.tag])
  })

  it('§3.8 to §3.11: calls that fail end with their status', () => {
    const last = ['3.8', '3.9', '3.10', '3.11'].map((section) => flow(section).at(-2)?.called)
    expect(last).toEqual(['487 Request Terminated', '486 Busy Here', '480 No Response', '480 Temporarily Unavailable'])
    expect(message('3.11', 9).retryAfter?.seconds).toBe(3600)
  })
})

describe('RFC 3665: a rule sees when a flow is spoiled', () => {
  it.each([
    ['§18.1.1', '3.2', 'F5', ';received=192.0.2.101', ';received=192.0.2.99'],
    ['§8.2.6', '3.2', 'F10', 'tag=9fxced76sl', 'tag=other'],
    ['§8.2.6', '3.2', 'F9', '<sip:ss1.atlanta.example.com;lr>', '<sip:ss9.atlanta.example.com;lr>'],
    ['§16.6', '3.2', 'F7', 'Max-Forwards: 68', 'Max-Forwards: 69'],
    ['§16.6', '3.2', 'F16', 'Route: <sip:ss2', 'Route: <sip:ss9'],
    ['§17.1.1.3', '3.9', 'F9', 'branch=z9hG4bK2d4790.1', 'branch=z9hG4bK2d4790.2'],
    ['§17.1.1.3', '3.9', 'F11', ';tag=314159', ''],
    ['§9.1', '3.8', 'F11', 'CANCEL sip:bob@biloxi', 'CANCEL sip:bob@other'],
    ['§13.2.2.4', '3.1', 'F4', 'branch=z9hG4bK74bd5', 'branch=z9hG4bK74bf9'],
    ['§12.1.1', '3.2', 'F15', '<sip:ss1.atlanta', '<sip:ss3.atlanta'],
    ['§12.1.1', '3.7', 'F12', 'client.chicago', 'client.biloxi'],
    ['§12.2.1.1', '3.3', 'F22', 'CSeq: 4', 'CSeq: 5'],
    ['§16.12', '3.2', 'F18', '<sip:ss2.biloxi', '<sip:ss1.biloxi'],
    ['§17.1.1.2', '3.4', 'F5', 'Max-Forwards: 70', 'Max-Forwards: 69'],
  ])('%s in %s %s', (rule, section, label, text, replacement) => {
    const flow = flows.find(({ name }) => name.startsWith(`${section}-`))
    const [, check] = Object.entries(flowRules).find(([sentence]) => sentence.startsWith(rule)) ?? []
    if (flow === undefined || check === undefined) throw new Error(`${section} or ${rule} is not there`)
    expect(check(spoiled(flow, label, text, replacement)).length).toBeGreaterThan(0)
  })
})
