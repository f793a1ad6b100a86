import { describe, expect, it } from 'vitest'
import type { BridgeEvent } from '../../b2bua/bridge-types'
import { headerOf, Phone, serverAddress } from '../fixtures/phone'
import { Scenario } from '../fixtures/scenario'
import type { SdpAnchor } from '../options'
import type { SipStack } from '../stack'
import { createNodeRandom } from './node-ports'

const sdp = (who: string) =>
  `v=0\r\no=${who} 1 1 IN IP4 10.0.0.9\r\ns=-\r\nc=IN IP4 10.0.0.9\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n`

const anchor: SdpAnchor = {
  offer: async (_side, given) => given,
  answer: async (_side, given) => given,
  release: () => {},
}

interface World {
  readonly scenario: Scenario
  readonly stack: SipStack
  readonly alice: Phone
  readonly bob: Phone
  readonly events: BridgeEvent[]
}

/** A server that bridges every INVITE to Bob. */
async function world(): Promise<World> {
  const scenario = new Scenario()
  const stack = await scenario.stack('server')
  const alice = new Phone(await scenario.raw('alice'), 'alice')
  const bob = new Phone(await scenario.raw('bob'), 'bob')
  const events: BridgeEvent[] = []
  stack.method('INVITE', async (request) => {
    await request.bridge(`sip:bob@${bob.raw.address}`, { sdp: anchor, onEvent: (event) => events.push(event) })
  })
  return { scenario, stack, alice, bob, events }
}

/** A call that is up; `to` is what Alice writes into To from now on, `from` and `to` of Bob are those of his leg. */
async function connected(): Promise<World & { inCall: Record<string, string>; bobInCall: Record<string, string> }> {
  const w = await world()
  w.alice.send('INVITE', {}, sdp('alice'))
  await w.scenario.pass(100)
  const invite = w.bob.last('INVITE')
  w.bob.reply(invite, '200 OK', {}, sdp('bob'))
  await w.scenario.pass(100)
  const inCall = { To: headerOf(w.alice.last('SIP/2.0 200'), 'To') ?? '' }
  w.alice.send('ACK', inCall)
  await w.scenario.pass(100)
  expect(w.bob.requests('ACK')).toHaveLength(1)
  const bobInCall = {
    From: `${headerOf(invite, 'To')};tag=bob`,
    To: headerOf(invite, 'From') ?? '',
    'Call-ID': headerOf(invite, 'Call-ID') ?? '',
  }
  return { ...w, inCall, bobInCall }
}

async function nothingLeft(w: World): Promise<void> {
  await w.scenario.pass(100_000)
  expect(w.scenario.gauges()).toEqual(w.scenario.gauges().map(() => 0))
}

describe('headers that are used but cannot be read', () => {
  it.each([
    ['Contact', '<sip:alice'],
    ['Record-Route', '<sip:proxy'],
    ['Via', 'SIP/2.0/UDP 10.0.1.1:5060;branch=z9hG4bKx, SIP/2.0/'],
    ['Require', '100rel,,;'],
  ])('an INVITE with a malformed %s is answered 400 and leaves nothing behind', async (name, value) => {
    const w = await world()
    w.alice.send('INVITE', { [name]: value }, sdp('alice'))
    await w.scenario.pass(100)
    expect(w.alice.statuses('INVITE')).toEqual([400])
    expect(w.bob.raw.received).toEqual([])
    await nothingLeft(w)
  })

  it('a re-INVITE with a malformed Contact is answered 400 and the call goes on', async () => {
    const w = await connected()
    w.alice.send('INVITE', { ...w.inCall, CSeq: '2 INVITE', Contact: '<sip:alice' }, sdp('alice'))
    await w.scenario.pass(100)
    expect(w.alice.statuses('INVITE').at(-1)).toBe(400)
    w.alice.send('BYE', { ...w.inCall, CSeq: '3 BYE' })
    await w.scenario.pass(100)
    expect(w.alice.statuses('BYE')).toEqual([200])
    w.bob.reply(w.bob.last('BYE'), '200 OK')
    await nothingLeft(w)
  })

  it('a Request-URI that cannot be read is answered 400', async () => {
    const w = await world()
    const lines = `Via: SIP/2.0/UDP ${w.alice.raw.address}:5060;branch=z9hG4bKuri
From: <sip:alice@10.0.0.1>;tag=1
To: <sip:bob@10.0.0.1>
Call-ID: uri
CSeq: 1 INVITE
Content-Length: 0`
    w.alice.raw.send(serverAddress, ['INVITE sip:bob@[::zz SIP/2.0', ...lines.split('\n')])
    await w.scenario.pass(100)
    expect(w.alice.statuses('INVITE')).toEqual([400])
  })

  it.each([
    ['Contact', '<sip:bob'],
    ['Record-Route', '<sip:proxy'],
  ])('a 200 with a malformed %s still makes the call', async (name, value) => {
    const w = await world()
    w.alice.send('INVITE', {}, sdp('alice'))
    await w.scenario.pass(100)
    w.bob.reply(w.bob.last('INVITE'), '200 OK', { [name]: value }, sdp('bob'))
    await w.scenario.pass(100)
    expect(w.alice.statuses('INVITE')).toEqual([200])
    expect(w.bob.requests('ACK')).toHaveLength(1)
  })
})

describe('requests that come too early', () => {
  it('RFC 3261 §14.2: a second re-INVITE before the answer to the first gets 500, and the first is still answered', async () => {
    const w = await connected()
    w.alice.send('INVITE', { ...w.inCall, CSeq: '2 INVITE' }, sdp('alice'))
    w.alice.send('INVITE', { ...w.inCall, CSeq: '3 INVITE' }, sdp('alice'))
    await w.scenario.pass(100)
    expect(headerOf(w.alice.last('SIP/2.0 500'), 'CSeq')).toBe('3 INVITE')
    w.bob.reply(w.bob.last('INVITE'), '200 OK', {}, sdp('bob'))
    await w.scenario.pass(100)
    expect(headerOf(w.alice.last('SIP/2.0 200'), 'CSeq')).toBe('2 INVITE')
  })

  it('RFC 3261 §14.2: a re-INVITE before the call is answered gets 500, and the call is still made', async () => {
    const w = await world()
    w.alice.send('INVITE', {}, sdp('alice'))
    await w.scenario.pass(100)
    w.bob.reply(w.bob.last('INVITE'), '180 Ringing')
    await w.scenario.pass(100)
    const early = { To: headerOf(w.alice.last('SIP/2.0 180'), 'To') ?? '' }
    w.alice.send('INVITE', { ...early, CSeq: '2 INVITE' }, sdp('alice'))
    await w.scenario.pass(100)
    w.bob.reply(w.bob.last('INVITE'), '200 OK', {}, sdp('bob'))
    await w.scenario.pass(100)
    expect(w.alice.statuses('INVITE')).toEqual([180, 500, 200])
    w.alice.send('ACK', early)
    await w.scenario.pass(1_000)
    expect(w.events.some((event) => event.kind === 'ended')).toBe(false)
  })

  it('RFC 3261 §10.3: a REGISTER is taken with the To tag of an earlier answer', async () => {
    const w = await world()
    w.stack.method('REGISTER', (request) => request.reply(200))
    w.alice.send('REGISTER', { To: '<sip:alice@10.0.0.1>;tag=of-the-last-answer' })
    await w.scenario.pass(100)
    expect(w.alice.statuses('REGISTER')).toEqual([200])
  })
})

describe('what a request may ask for', () => {
  it('RFC 3261 §8.2.2.1: a Request-URI of a scheme that nobody knows is answered 416', async () => {
    const w = await world()
    const lines = `INVITE urn:service:sos SIP/2.0
Via: SIP/2.0/UDP ${w.alice.raw.address}:5060;branch=z9hG4bKurn
From: <sip:alice@10.0.0.1>;tag=1
To: <urn:service:sos>
Call-ID: urn
CSeq: 1 INVITE
Max-Forwards: 70
Contact: <sip:alice@${w.alice.raw.address}>
Content-Length: 0`
    w.alice.raw.send(serverAddress, lines.split('\n'))
    await w.scenario.pass(100)
    expect(w.alice.statuses('INVITE')).toEqual([416])
  })

  it('RFC 3261 §8.2: the method is looked at before Require: 405 for SUBSCRIBE, whatever it requires', async () => {
    const w = await world()
    w.alice.send('SUBSCRIBE', { Require: 'eventlist', Event: 'message-summary' })
    await w.scenario.pass(100)
    expect(w.alice.statuses('SUBSCRIBE')).toEqual([405])
    expect(headerOf(w.alice.last('SIP/2.0 405'), 'Allow')).not.toContain('SUBSCRIBE')
  })

  it('RFC 3261 §8.2.2.3: Require is checked inside a call too, but a BYE always ends it', async () => {
    const w = await connected()
    w.alice.send('INVITE', { ...w.inCall, CSeq: '2 INVITE', Require: 'gruu' }, sdp('alice'))
    await w.scenario.pass(100)
    expect(w.alice.statuses('INVITE').at(-1)).toBe(420)
    expect(headerOf(w.alice.last('SIP/2.0 420'), 'Unsupported')).toBe('gruu')
    w.alice.send('BYE', { ...w.inCall, CSeq: '3 BYE', Require: 'gruu' })
    await w.scenario.pass(100)
    expect(w.alice.statuses('BYE')).toEqual([200])
  })

  it('RFC 3261 §8.2.3: a body that is no session description is answered 415 with Accept', async () => {
    const w = await world()
    w.alice.send('INVITE', { 'Content-Type': 'application/isup' }, 'opaque')
    await w.scenario.pass(100)
    expect(w.alice.statuses('INVITE')).toEqual([415])
    expect(headerOf(w.alice.last('SIP/2.0 415'), 'Accept')).toContain('application/sdp')
    await nothingLeft(w)
  })

  it('RFC 3261 §20.11: a body that may be ignored is, and the called side makes the offer', async () => {
    const w = await world()
    const optional = { 'Content-Type': 'text/plain', 'Content-Disposition': 'render; handling=optional' }
    w.alice.send('INVITE', optional, 'hello')
    await w.scenario.pass(100)
    expect(w.bob.requests('INVITE')).toHaveLength(1)
    expect(headerOf(w.bob.last('INVITE'), 'Content-Length')).toBe('0')
  })

  it('RFC 5621 §3.1: finds the session description in a multipart body', async () => {
    const w = await world()
    const part = (type: string, content: string) => `--cut\r\nContent-Type: ${type}\r\n\r\n${content}\r\n`
    const body = `preamble\r\n${part('application/pidf+xml', '<p/>')}${part('Application/SDP', sdp('alice'))}--cut--\r\n`
    w.alice.send('INVITE', { 'Content-Type': 'multipart/mixed;boundary="cut"' }, body)
    await w.scenario.pass(100)
    const invite = w.bob.last('INVITE')
    expect(headerOf(invite, 'Content-Type')).toBe('application/sdp')
    expect(invite.slice(invite.indexOf('\r\n\r\n') + 4)).toBe(sdp('alice'))
    w.bob.reply(invite, '200 OK', {}, sdp('bob'))
    await w.scenario.pass(100)
    expect(w.alice.statuses('INVITE')).toEqual([200])
  })
})

describe('what one leg keeps from the other', () => {
  it('passes neither credentials nor what the caller supports to the called phone, and answers no more than it can', async () => {
    const w = await world()
    const extras = {
      'Proxy-Authorization': 'Digest username="alice", realm="r", nonce="n", uri="sip:x", response="0123"',
      Authorization: 'Digest username="alice", realm="r", nonce="n", uri="sip:x", response="0123"',
      Supported: '100rel, timer, outbound, path, gruu, replaces',
      'Session-Expires': '1800;refresher=uac',
      'Min-SE': '90',
      Route: `<sip:${serverAddress};lr>`,
      'Record-Route': '<sip:10.0.9.9;lr>',
    }
    w.alice.send('INVITE', extras, sdp('alice'))
    await w.scenario.pass(100)
    const invite = w.bob.last('INVITE')
    for (const name of Object.keys(extras)) {
      // What each leg supports, and how long its session lasts, is its own affair.
      const own: Readonly<Record<string, string>> = { Supported: '100rel, timer, replaces', 'Session-Expires': '1800' }
      expect(headerOf(invite, name), name).toBe(own[name])
    }
    expect(headerOf(invite, 'Require')).toBeUndefined()
    expect(headerOf(invite, 'Call-ID')).not.toBe('call-of-alice')
    expect(headerOf(invite, 'Max-Forwards')).toBe('69')
    expect(invite.match(/^Via: /gm)).toHaveLength(1)
    w.bob.reply(invite, '183 Session Progress', { Require: '100rel', RSeq: '1' }, sdp('bob'))
    await w.scenario.pass(100)
    expect(headerOf(w.bob.last('PRACK'), 'RAck')).toBe('1 1 INVITE')
    w.bob.reply(w.bob.last('PRACK'), '200 OK')
    w.bob.reply(invite, '200 OK', { Require: 'timer', 'Session-Expires': '90;refresher=uas' }, sdp('bob'))
    await w.scenario.pass(100)
    expect(w.alice.statuses('INVITE')).toEqual([183, 200])
    const [progress, answer] = [w.alice.last('SIP/2.0 183'), w.alice.last('SIP/2.0 200')]
    for (const name of ['Require', 'RSeq', 'Session-Expires']) expect(headerOf(progress, name), name).toBeUndefined()
    expect(headerOf(answer, 'Session-Expires')).toBe('1800;refresher=uac')
    expect(headerOf(answer, 'RSeq')).toBeUndefined()
    for (const response of [progress, answer]) {
      expect(headerOf(response, 'Record-Route')).toBe('<sip:10.0.9.9;lr>')
      expect(headerOf(response, 'To')).toMatch(/;tag=/)
    }
  })

  it('numbers the requests of each leg for itself, whatever the numbers of the other', async () => {
    const w = await connected()
    w.alice.send('INFO', { ...w.inCall, CSeq: '4711 INFO', Contact: undefined })
    await w.scenario.pass(100)
    expect(headerOf(w.bob.last('INFO'), 'CSeq')).toBe('2 INFO')
  })
})

describe('an INVITE without an answer yet', () => {
  it('lives on when its handler returns, and can be answered later', async () => {
    const scenario = new Scenario()
    const stack = await scenario.stack('server')
    const alice = new Phone(await scenario.raw('alice'), 'alice')
    let answer = (): void => {}
    stack.method('INVITE', (request) => {
      answer = () => request.reply(200, { body: sdp('server') })
    })
    alice.send('INVITE', {}, sdp('alice'))
    await scenario.pass(60_000)
    expect(alice.statuses('INVITE')).toEqual([100])
    answer()
    await scenario.pass(100)
    expect(alice.statuses('INVITE')).toEqual([100, 200])
  })

  it('RFC 3261 §12.2.2: what comes inside its early dialog is answered, and 481 only to a PRACK for nothing', async () => {
    const w = await world()
    w.alice.send('INVITE', {}, sdp('alice'))
    await w.scenario.pass(100)
    w.bob.reply(w.bob.last('INVITE'), '180 Ringing')
    await w.scenario.pass(100)
    const early = { To: headerOf(w.alice.last('SIP/2.0 180'), 'To') ?? '' }
    w.alice.send('OPTIONS', { ...early, CSeq: '2 OPTIONS' })
    w.alice.send('UPDATE', { ...early, CSeq: '3 UPDATE' })
    w.alice.send('UPDATE', { ...early, CSeq: '4 UPDATE' }, sdp('alice'))
    w.alice.send('INFO', { ...early, CSeq: '5 INFO' })
    w.alice.send('PRACK', { ...early, CSeq: '6 PRACK', RAck: '1 1 INVITE' })
    await w.scenario.pass(100)
    expect(w.alice.statuses('OPTIONS')).toEqual([200])
    expect(w.alice.statuses('UPDATE')).toEqual([200, 500])
    expect(w.alice.statuses('INFO')).toEqual([500])
    expect(headerOf(w.alice.last('SIP/2.0 500'), 'Retry-After')).toBeDefined()
    expect(w.alice.statuses('PRACK')).toEqual([481])
  })
})

describe('a call that changes', () => {
  it('RFC 3261 §9: a re-INVITE that is cancelled is cancelled on the other side too, and the next one passes', async () => {
    const w = await connected()
    const branch = `SIP/2.0/UDP ${w.alice.raw.address}:5060;branch=z9hG4bKhold`
    w.alice.send('INVITE', { ...w.inCall, CSeq: '2 INVITE', Via: branch }, sdp('alice'))
    await w.scenario.pass(100)
    w.bob.reply(w.bob.last('INVITE'), '100 Trying')
    await w.scenario.pass(100)
    w.alice.send('CANCEL', { ...w.inCall, CSeq: '2 CANCEL', Via: branch })
    await w.scenario.pass(100)
    expect(w.alice.statuses('INVITE').at(-1)).toBe(487)
    expect(w.bob.requests('CANCEL')).toHaveLength(1)
    w.alice.send('ACK', { ...w.inCall, CSeq: '2 ACK', Via: branch })
    w.bob.reply(w.bob.last('CANCEL'), '200 OK')
    w.bob.reply(w.bob.last('INVITE'), '487 Request Terminated')
    await w.scenario.pass(100)
    w.alice.send('INVITE', { ...w.inCall, CSeq: '3 INVITE' }, sdp('alice'))
    await w.scenario.pass(100)
    w.bob.reply(w.bob.last('INVITE'), '200 OK', {}, sdp('bob'))
    await w.scenario.pass(100)
    expect(w.alice.statuses('INVITE').at(-1)).toBe(200)
  })

  it('RFC 3261 §9.1: a 200 that crosses the CANCEL of a re-INVITE is acknowledged, and the next one passes', async () => {
    const w = await connected()
    const branch = `SIP/2.0/UDP ${w.alice.raw.address}:5060;branch=z9hG4bKhold`
    w.alice.send('INVITE', { ...w.inCall, CSeq: '2 INVITE', Via: branch }, sdp('alice'))
    await w.scenario.pass(100)
    w.alice.send('CANCEL', { ...w.inCall, CSeq: '2 CANCEL', Via: branch })
    await w.scenario.pass(100)
    w.alice.send('ACK', { ...w.inCall, CSeq: '2 ACK', Via: branch })
    w.bob.reply(w.bob.last('INVITE'), '200 OK', {}, sdp('bob'))
    await w.scenario.pass(1_000)
    expect(w.bob.requests('ACK')).toHaveLength(2)
    w.alice.send('INVITE', { ...w.inCall, CSeq: '3 INVITE' }, sdp('alice'))
    await w.scenario.pass(100)
    expect(headerOf(w.bob.last('INVITE'), 'CSeq')).toBe('3 INVITE')
    w.bob.reply(w.bob.last('INVITE'), '200 OK', {}, sdp('bob'))
    await w.scenario.pass(100)
    expect(w.alice.statuses('INVITE').at(-1)).toBe(200)
  })

  it('RFC 3311 §5.1: an UPDATE that the other phone does not know becomes a re-INVITE there', async () => {
    const w = await connected()
    w.alice.send('UPDATE', { ...w.inCall, CSeq: '2 UPDATE' }, sdp('alice'))
    await w.scenario.pass(100)
    w.bob.reply(w.bob.last('UPDATE'), '405 Method Not Allowed')
    await w.scenario.pass(100)
    const invite = w.bob.last('INVITE')
    expect(headerOf(invite, 'CSeq')).toBe('3 INVITE')
    w.bob.reply(invite, '200 OK', {}, sdp('bob'))
    await w.scenario.pass(100)
    expect(w.alice.statuses('UPDATE')).toEqual([200])
    expect(w.bob.requests('ACK')).toHaveLength(2)
    w.bob.send('INVITE', { ...w.bobInCall, CSeq: '1 INVITE' }, sdp('bob'))
    await w.scenario.pass(100)
    expect(w.alice.requests('INVITE')).toHaveLength(1)
  })

  it('RFC 4028 §7.4: an UPDATE that only refreshes is answered on its own leg, and the other phone hears nothing', async () => {
    const w = await connected()
    w.alice.send('UPDATE', {
      ...w.inCall,
      CSeq: '2 UPDATE',
      Supported: 'timer',
      'Session-Expires': '600;refresher=uac',
    })
    await w.scenario.pass(100)
    expect(w.alice.statuses('UPDATE')).toEqual([200])
    expect(headerOf(w.alice.last('SIP/2.0 200'), 'Session-Expires')).toBe('600;refresher=uac')
    expect(w.bob.requests('UPDATE')).toEqual([])
  })

  it('RFC 3261 §20.5: Allow names on each leg what may be sent inside the call', async () => {
    const w = await connected()
    for (const message of [w.bob.last('INVITE'), w.alice.last('SIP/2.0 200')]) {
      expect(headerOf(message, 'Allow')).toBe('INVITE, ACK, CANCEL, BYE, OPTIONS, PRACK, UPDATE, INFO, MESSAGE')
    }
  })
})

describe('what a stack makes up, and what it tells', () => {
  it('RFC 3261 §8.1.1.7: branches have 96 random bits, Call-IDs and tags enough of them, and none comes twice', async () => {
    const scenario = new Scenario()
    const stack = await scenario.stack('server', { random: createNodeRandom() })
    const bob = new Phone(await scenario.raw('bob'), 'bob')
    for (let times = 0; times < 500; times += 1) {
      stack.request({ method: 'OPTIONS', uri: `sip:bob@${bob.raw.address}` }).catch(() => {})
    }
    await scenario.pass(100)
    const requests = bob.requests('OPTIONS')
    expect(requests).toHaveLength(500)
    const parts = (pattern: RegExp) => new Set(requests.map((text) => pattern.exec(text)?.[1] ?? ''))
    for (const [pattern, bits] of [
      [/;branch=z9hG4bK([^;\r]+)/, 96],
      [/^Call-ID: ([^\r]+)/m, 96],
      [/^From: .*;tag=([^;\r]+)/m, 32],
    ] as const) {
      const values = [...parts(pattern)]
      expect(values).toHaveLength(500)
      // No alphabet of tokens carries more than 6.2 bits a character.
      for (const value of values) expect(value.length).toBeGreaterThanOrEqual(Math.ceil(bits / 6.2))
    }
  })

  it('tells its user when a peer closes a connection, with the reason', async () => {
    const scenario = new Scenario()
    const one = await scenario.stack('one', { listen: ['tcp://10.0.0.1:5060'] })
    const two = await scenario.stack('two', { listen: ['tcp://10.0.0.2:5060'] })
    const closed: string[] = []
    one.on('flowClosed', ({ remote, reason }) => closed.push(`${remote.transport} ${remote.address} ${typeof reason}`))
    await scenario.settle(one.request({ method: 'OPTIONS', uri: 'sip:two@10.0.0.2;transport=tcp' }))
    expect(closed).toEqual([])
    expect(one.stats().connections).toBe(1)
    await scenario.settle(two.close({ graceMs: 0 }))
    await scenario.pass(1_000)
    expect(closed).toEqual(['TCP 10.0.0.2 string'])
    expect(one.stats().connections).toBe(0)
  })
})
