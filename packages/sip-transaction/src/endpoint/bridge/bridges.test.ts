import { describe, expect, it } from 'vitest'
import type { BridgeEnd, BridgeEvent } from '../../b2bua/bridge-types'
import { CallFailedError } from '../../errors'
import type { Call } from '../calls/call'
import { Scenario } from '../fixtures/scenario'
import type { BridgeOptions, BridgeTarget, SdpAnchor } from '../options'
import type { IncomingRequest } from '../requests/incoming-request'
import type { SipStack } from '../stack'
import type { Bridge } from './bridge'

const sdp = (who: string) =>
  `v=0\r\no=${who} 1 1 IN IP4 10.0.0.9\r\ns=-\r\nc=IN IP4 10.0.0.9\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n`
const text = (bytes: Uint8Array | undefined) => Buffer.from(bytes ?? []).toString()
const owner = (bytes: Uint8Array | undefined) => /^o=(.*?) 1/m.exec(text(bytes))?.[1]

/** An anchor that writes into the description what was done to it. */
class NotedAnchor implements SdpAnchor {
  readonly log: string[] = []
  released = 0
  async offer(side: 'a' | 'b', offered: Uint8Array) {
    return this.note('offer', side, offered)
  }
  async answer(side: 'a' | 'b', answered: Uint8Array) {
    return this.note('answer', side, answered)
  }
  release() {
    this.released += 1
  }
  private note(op: string, side: string, given: Uint8Array) {
    this.log.push(`${op} ${side} ${owner(given)}`)
    return Buffer.from(text(given).replace(/^o=(.*?) 1/m, 'o=$1+relay 1'))
  }
}

interface World {
  readonly scenario: Scenario
  readonly alice: SipStack
  readonly bob: SipStack
  readonly carol: SipStack
  readonly anchor: NotedAnchor
  readonly events: BridgeEvent[]
  readonly bridge: () => Bridge
  /** Calls and pending INVITEs of the called phones, in order. */
  readonly calls: Call[]
  readonly invites: IncomingRequest[]
}

const bobUri = 'sip:bob@10.0.0.3:5060'
const carolUri = 'sip:carol@10.0.0.4:5060'

/** Alice calls a server that bridges to Bob, or to the targets given. Phones ring; answering is up to the test. */
async function world(
  targets: readonly (BridgeTarget | string)[] = [bobUri],
  options: Partial<BridgeOptions> = {},
): Promise<World> {
  const scenario = new Scenario()
  const alice = await scenario.stack('alice')
  const server = await scenario.stack('server')
  const bob = await scenario.stack('bob')
  const carol = await scenario.stack('carol')
  const anchor = new NotedAnchor()
  const events: BridgeEvent[] = []
  const bridges: Bridge[] = []
  const calls: Call[] = []
  const invites: IncomingRequest[] = []
  server.method('INVITE', async (request) => {
    bridges.push(await request.bridge(targets, { sdp: anchor, onEvent: (event) => events.push(event), ...options }))
  })
  for (const phone of [bob, carol]) {
    phone.method('INVITE', (request) => {
      invites.push(request)
      request.reply(180)
    })
  }
  return { scenario, alice, bob, carol, anchor, events, calls, invites, bridge: () => bridges[0]! }
}

async function answered(w: World, index = 0, body: string | undefined = sdp('bob')): Promise<Call> {
  const call = await w.scenario.settle(w.invites[index]!.accept(body === undefined ? {} : { sdp: body }))
  w.calls.push(call)
  return call
}

/** A call between Alice and Bob that is up. */
async function connected(options: Partial<BridgeOptions> = {}): Promise<World & { a: Call; b: Call }> {
  const w = await world([bobUri], options)
  const calling = w.alice.invite('sip:bob@10.0.0.2:5060', { sdp: sdp('alice') })
  await w.scenario.pass(1000)
  const b = await answered(w)
  const a = await w.scenario.settle(calling)
  await w.scenario.pass(100)
  return { ...w, a, b }
}

async function over(w: World): Promise<BridgeEnd> {
  const end = await w.scenario.settle(w.bridge().ended)
  await w.scenario.pass(70_000)
  expect(w.scenario.gauges()).toEqual(w.scenario.gauges().map(() => 0))
  expect(w.anchor.released).toBe(1)
  expect(w.events.filter((event) => event.kind === 'ended')).toEqual([{ kind: 'ended', end }])
  return end
}

describe('places called in place of others', () => {
  const calling = (w: World) => w.alice.invite('sip:bob@10.0.0.2:5060', { sdp: sdp('alice') })

  it('RFC 3261 §8.1.3.4: the contacts of a 3xx are called when that is wanted, with the same offer', async () => {
    const w = await world([bobUri], { recurse: true })
    const call = calling(w)
    await w.scenario.pass(100)
    w.invites[0]!.reply(302, { contact: `<${carolUri};method=BYE>, <mailto:bob@example.com>, <${bobUri}>` })
    await w.scenario.pass(100)
    expect(w.invites.map(({ uri }) => uri.toString())).toEqual([bobUri, carolUri])
    expect(owner(w.invites[1]!.body)).toBe('alice+relay')
    await answered(w, 1, sdp('carol'))
    const a = await w.scenario.settle(call)
    expect(owner(a.remoteSdp)).toBe('carol+relay')
    await w.scenario.settle(a.bye())
    await over(w)
  })

  it('RFC 3261 §16.7: redirections that lead back come to an end, and are told as no redirection', async () => {
    const w = await world([bobUri], { recurse: true })
    const call = calling(w)
    await w.scenario.pass(100)
    w.invites[0]!.reply(302, { contact: `<${carolUri}>` })
    await w.scenario.pass(100)
    w.invites[1]!.reply(302, { contact: `<${bobUri}>` })
    await expect(w.scenario.settle(call)).rejects.toMatchObject({ status: 480 })
    expect(w.invites).toHaveLength(2)
    await over(w)
  })

  it('a redirection is followed by choice only, and no further than the limit', async () => {
    const plain = await world()
    const refused = calling(plain)
    await plain.scenario.pass(100)
    plain.invites[0]!.reply(302, { contact: `<${carolUri}>` })
    await expect(plain.scenario.settle(refused)).rejects.toMatchObject({ status: 480 })
    expect(plain.invites).toHaveLength(1)
    await over(plain)

    const w = await world([bobUri], { recurse: true })
    const call = calling(w)
    await w.scenario.pass(100)
    const many = Array.from({ length: 40 }, (_, index) => `<sip:x${index}@10.0.0.4:5060>`)
    w.invites[0]!.reply(302, { contact: many.slice(0, 30).join(', ') })
    await w.scenario.pass(100)
    w.invites[1]!.reply(302, { contact: many.slice(30).join(', ') })
    await w.scenario.pass(100)
    expect(w.invites).toHaveLength(32)
    for (const invite of w.invites.slice(2)) invite.reply(404)
    await expect(w.scenario.settle(call)).rejects.toBeInstanceOf(CallFailedError)
    await over(w)
  })

  it('RFC 3261 §9.1: a target that rings is cancelled for another one, which answers', async () => {
    const w = await world()
    const call = calling(w)
    await w.scenario.pass(5_000)
    expect(w.bridge().redirect({ uri: carolUri })).toBe(true)
    await w.scenario.pass(200)
    expect(w.invites.map((invite) => [invite.uri.toString(), invite.isAnswered])).toEqual([
      [bobUri, true],
      [carolUri, false],
    ])
    await answered(w, 1, sdp('carol'))
    const a = await w.scenario.settle(call)
    expect(owner(a.remoteSdp)).toBe('carol+relay')
    expect(w.bridge().redirect(bobUri)).toBe(false)
    await w.scenario.settle(a.bye())
    expect(() => w.bridge().redirect('tel:1')).not.toThrow()
    await over(w)
  })

  it('RFC 3261 §9.1: a 2xx that crosses the CANCEL of a replaced target is acknowledged and ended', async () => {
    const w = await world()
    w.scenario.network.setConditions({ delayMinMs: 20, delayMaxMs: 20 })
    const call = calling(w)
    await w.scenario.pass(500)
    const accepting = w.invites[0]!.accept({ sdp: sdp('bob') })
    expect(w.bridge().redirect([carolUri])).toBe(true)
    const lost = await w.scenario.settle(accepting)
    expect(await w.scenario.settle(lost.ended)).toMatchObject({ by: 'remote' })
    await answered(w, 1, sdp('carol'))
    const a = await w.scenario.settle(call)
    expect(owner(a.remoteSdp)).toBe('carol+relay')
    await w.scenario.settle(a.bye())
    await over(w)
  })

  it('wrong targets change nothing', async () => {
    const w = await world()
    const call = calling(w)
    await w.scenario.pass(100)
    expect(() => w.bridge().redirect([])).toThrow(expect.objectContaining({ code: 'TARGETS_MISSING' }))
    expect(() => w.bridge().redirect('sip:')).toThrow(expect.objectContaining({ code: 'TARGET_INVALID' }))
    await answered(w)
    await w.scenario.settle((await w.scenario.settle(call)).bye())
    await over(w)
  })
})

describe('a bridged call', () => {
  it('connects two calls with the media anchored, and ends when the caller hangs up', async () => {
    const w = await connected()
    expect(owner(w.invites[0]!.body)).toBe('alice+relay')
    expect(owner(w.a.remoteSdp)).toBe('bob+relay')
    expect(w.anchor.log).toEqual(['offer a alice', 'answer b bob'])
    expect(w.bridge().state).toBe('active')
    expect(w.bridge().a.callId).toBe(w.a.callId)
    expect(w.bridge().b?.callId).toBe(w.b.callId)
    expect(w.a.callId).not.toBe(w.b.callId)
    await w.scenario.pass(30_000)
    await w.scenario.settle(w.a.bye())
    expect(await w.scenario.settle(w.b.ended)).toMatchObject({ by: 'remote' })
    const end = await over(w)
    expect(end).toMatchObject({ disposition: 'ANSWERED', status: 200, by: 'a' })
    expect(end.setupMs).toBeGreaterThanOrEqual(1000)
    expect(end.durationMs).toBeGreaterThanOrEqual(30_000)
    expect(w.events.map((event) => event.kind)).toEqual(['ringing', 'answered', 'ended'])
  })

  it('ends when the called side hangs up, and when the server does', async () => {
    const w = await connected()
    await w.scenario.settle(w.b.bye())
    expect(await w.scenario.settle(w.a.ended)).toMatchObject({ by: 'remote' })
    expect(await over(w)).toMatchObject({ by: 'b' })
    const second = await connected()
    const done = second.bridge().hangup('closing time')
    await second.scenario.settle(done)
    expect(await second.scenario.settle(second.a.ended)).toMatchObject({
      reason: expect.stringContaining('closing time'),
    })
    expect(await over(second)).toMatchObject({ by: 'core', reason: 'closing time' })
  })

  it('RFC 3261 §16.7: the first of two targets to answer wins and the other is cancelled', async () => {
    const w = await world([bobUri, carolUri])
    const calling = w.alice.invite('sip:group@10.0.0.2:5060', { sdp: sdp('alice') })
    await w.scenario.pass(500)
    expect(w.invites).toHaveLength(2)
    await answered(w, 1, sdp('carol'))
    const a = await w.scenario.settle(calling)
    expect(owner(a.remoteSdp)).toBe('carol+relay')
    await w.scenario.pass(500)
    expect(w.invites[0]!.signal.aborted).toBe(true)
    expect(w.scenario.ladder).toContain('bob>server 487 INVITE')
    await w.scenario.settle(a.bye())
    await over(w)
  })

  it('RFC 3261 §13.2.2.4: two targets that answer at once leave one call; the other 2xx is ACKed and BYEd', async () => {
    const w = await world([bobUri, carolUri])
    w.scenario.network.setConditions({ delayMinMs: 20, delayMaxMs: 20 })
    const calling = w.alice.invite('sip:group@10.0.0.2:5060', { sdp: sdp('alice') })
    await w.scenario.pass(500)
    const both = [w.invites[0]!.accept({ sdp: sdp('bob') }), w.invites[1]!.accept({ sdp: sdp('carol') })]
    const [bobCall, carolCall] = await w.scenario.settle(Promise.all(both))
    const a = await w.scenario.settle(calling)
    await w.scenario.pass(1000)
    expect([bobCall!.state, carolCall!.state].sort()).toEqual(['active', 'ended'])
    await w.scenario.settle(a.bye())
    await over(w)
  })

  it('CANCEL of the caller cancels every target and gets 487', async () => {
    const w = await world([bobUri, carolUri])
    const controller = new AbortController()
    const calling = w.alice.invite('sip:group@10.0.0.2:5060', { sdp: sdp('alice'), signal: controller.signal })
    calling.catch(() => {})
    await w.scenario.pass(500)
    controller.abort()
    await w.scenario.pass(500)
    expect(w.scenario.ladder).toContain('server>alice 487 INVITE')
    expect(w.invites.map((invite) => invite.signal.aborted)).toEqual([true, true])
    expect(await over(w)).toMatchObject({ disposition: 'CANCELLED', status: 487, by: 'a', durationMs: 0 })
  })

  it('a target that answers while the caller cancels is ACKed and BYEd', async () => {
    const w = await world()
    w.scenario.network.setConditions({ delayMinMs: 30, delayMaxMs: 30 })
    const controller = new AbortController()
    const calling = w.alice.invite('sip:bob@10.0.0.2:5060', { sdp: sdp('alice'), signal: controller.signal })
    calling.catch(() => {})
    await w.scenario.pass(500)
    controller.abort()
    await w.scenario.pass(31)
    const b = await answered(w)
    expect(await w.scenario.settle(b.ended)).toMatchObject({ by: 'remote' })
    expect(await over(w)).toMatchObject({ disposition: 'CANCELLED' })
  })
})

describe('a bridge that is not answered', () => {
  it.each([
    [404, 404, 'FAILED'],
    [486, 486, 'BUSY'],
    [480, 480, 'NO ANSWER'],
    [503, 500, 'CONGESTION'],
    [302, 480, 'FAILED'],
    [407, 403, 'FAILED'],
    [603, 603, 'FAILED'],
  ] as const)('a target that says %i gives the caller %i, disposition %s', async (status, expected, disposition) => {
    const w = await world()
    const calling = w.alice.invite('sip:x@10.0.0.2:5060', { sdp: sdp('alice') }).catch((error: unknown) => error)
    await w.scenario.pass(100)
    w.invites[0]!.reply(status)
    const failure = await w.scenario.settle(calling)
    expect(failure).toBeInstanceOf(CallFailedError)
    expect(failure).toMatchObject({ status: expected })
    expect(await over(w)).toMatchObject({ disposition, status, by: 'b' })
  })

  it('RFC 3261 §16.7: passes the best of several failures, and a 6xx at once', async () => {
    const w = await world([bobUri, carolUri])
    const calling = w.alice.invite('sip:x@10.0.0.2:5060', { sdp: sdp('alice') }).catch((error: unknown) => error)
    await w.scenario.pass(100)
    w.invites[0]!.reply(503)
    await w.scenario.pass(100)
    expect(w.bridge().state).toBe('ringing')
    w.invites[1]!.reply(486)
    expect(await w.scenario.settle(calling)).toMatchObject({ status: 486 })
    await over(w)
    const second = await world([bobUri, carolUri])
    const declined = second.alice.invite('sip:x@10.0.0.2:5060', { sdp: sdp('alice') }).catch((error: unknown) => error)
    await second.scenario.pass(100)
    second.invites[0]!.reply(603)
    expect(await second.scenario.settle(declined)).toMatchObject({ status: 603 })
    await second.scenario.pass(100)
    expect(second.invites[1]!.signal.aborted).toBe(true)
    await over(second)
  })

  it('rings no longer than it may, and says 480', async () => {
    const w = await world([bobUri], { ringTimeoutMs: 20_000 })
    const calling = w.alice.invite('sip:x@10.0.0.2:5060', { sdp: sdp('alice') }).catch((error: unknown) => error)
    expect(await w.scenario.settle(calling)).toMatchObject({ status: 480 })
    expect(w.invites[0]!.signal.aborted).toBe(true)
    expect(await over(w)).toMatchObject({ disposition: 'NO ANSWER', by: 'core', reason: 'ring-timeout' })
  })

  it('a target that is not there gives 408, one that cannot be reached 480, one without a name 404', async () => {
    const w = await world(['sip:x@10.0.0.99:5060'])
    w.scenario.network.partition(['10.0.0.2'], ['10.0.0.99'])
    const calling = w.alice.invite('sip:x@10.0.0.2:5060', { sdp: sdp('alice') }).catch((error: unknown) => error)
    expect([408, 480]).toContain(((await w.scenario.settle(calling)) as CallFailedError).status)
    await over(w)
    const second = await world([{ uri: bobUri, destination: { flowId: 4711 } }])
    const unreachable = second.alice
      .invite('sip:x@10.0.0.2:5060', { sdp: sdp('alice') })
      .catch((error: unknown) => error)
    expect(await second.scenario.settle(unreachable)).toMatchObject({ status: 480 })
    await over(second)
  })

  it('RFC 3261 §16.3: Max-Forwards that has run out is 483, so that loops end', async () => {
    const w = await world()
    const raw = await w.scenario.raw('raw')
    raw.send('10.0.0.2', [
      'INVITE sip:x@10.0.0.2 SIP/2.0',
      `Via: SIP/2.0/UDP ${raw.address}:5060;branch=z9hG4bKmf`,
      'Max-Forwards: 0',
      `From: <sip:raw@${raw.address}>;tag=r1`,
      'To: <sip:x@10.0.0.2>',
      'Call-ID: mf',
      'CSeq: 1 INVITE',
      `Contact: <sip:raw@${raw.address}>`,
      'Content-Length: 0',
    ])
    await w.scenario.pass(100)
    expect(raw.received[0]).toMatch(/^SIP\/2.0 483 /)
    expect(w.invites).toHaveLength(0)
    await over(w)
  })
})

describe('a bridged call that changes', () => {
  it('RFC 3261 §14: passes a re-INVITE of either side with the media anchored', async () => {
    const w = await connected()
    w.b.onRequest((request) => request.reply(200, { body: sdp('bob-held') }))
    w.a.onRequest((request) => request.reply(200, { body: sdp('alice-held') }))
    const response = await w.scenario.settle(w.a.reinvite({ sdp: sdp('alice-holds') }))
    expect([response.status, owner(response.body)]).toEqual([200, 'bob-held+relay'])
    await w.scenario.pass(1000)
    const other = await w.scenario.settle(w.b.reinvite({ sdp: sdp('bob-holds') }))
    expect([other.status, owner(other.body)]).toEqual([200, 'alice-held+relay'])
    await w.scenario.pass(1000)
    expect(w.anchor.log.slice(2)).toEqual([
      'offer a alice-holds',
      'answer b bob-held',
      'offer b bob-holds',
      'answer a alice-held',
    ])
    await w.scenario.settle(w.a.bye())
    await over(w)
  })

  it('passes a re-INVITE without an offer: the answer goes in the ACK', async () => {
    const w = await connected()
    w.b.onRequest((request) => request.reply(200, { body: sdp('bob-offers') }))
    const response = await w.scenario.settle(w.a.reinvite({ answer: () => sdp('alice-answers') }))
    expect([response.status, owner(response.body)]).toEqual([200, 'bob-offers+relay'])
    await w.scenario.pass(1000)
    expect(owner(w.b.remoteSdp)).toBe('alice-answers+relay')
    await w.scenario.settle(w.b.bye())
    await over(w)
  })

  it('passes the refusal of a re-INVITE, and 491 to two that cross', async () => {
    const w = await connected()
    const refused = await w.scenario.settle(w.a.reinvite({ sdp: sdp('alice-holds') }))
    expect(refused.status).toBe(488)
    w.scenario.network.setConditions({ delayMinMs: 20, delayMaxMs: 20 })
    const crossing = Promise.all([
      w.a.reinvite({ sdp: sdp('alice'), glare: 'report' }),
      w.b.reinvite({ sdp: sdp('bob'), glare: 'report' }),
    ])
    const statuses = (await w.scenario.settle(crossing)).map((response) => response.status)
    expect(statuses).toContain(491)
    await w.scenario.pass(1000)
    expect([w.a.state, w.b.state]).toEqual(['active', 'active'])
    await w.scenario.settle(w.a.bye())
    await over(w)
  })

  it('connects an INVITE without an offer: the caller answers in its ACK', async () => {
    const w = await world()
    const calling = w.alice.invite('sip:bob@10.0.0.2:5060', { answer: () => sdp('alice-answers') })
    await w.scenario.pass(500)
    const accepting = w.invites[0]!.accept({ sdp: sdp('bob-offers') })
    const a = await w.scenario.settle(calling)
    const b = await w.scenario.settle(accepting)
    expect(owner(a.remoteSdp)).toBe('bob-offers+relay')
    expect(owner(b.remoteSdp)).toBe('alice-answers+relay')
    await w.scenario.settle(a.bye())
    await over(w)
  })

  it('passes early media of the target', async () => {
    const w = await world()
    const early: (string | undefined)[] = []
    const calling = w.alice.invite('sip:bob@10.0.0.2:5060', {
      sdp: sdp('alice'),
      onProvisional: (response) => early.push(`${response.status} ${owner(response.body)}`),
    })
    await w.scenario.pass(100)
    w.invites[0]!.reply(183, { body: sdp('bob-early') })
    await w.scenario.pass(100)
    expect(early).toEqual(['180 undefined', '183 bob-early+relay'])
    await answered(w)
    const a = await w.scenario.settle(calling)
    await w.scenario.settle(a.bye())
    await over(w)
  })

  it('RFC 3311: passes an UPDATE with the media anchored, and one without a description', async () => {
    const w = await connected()
    w.b.onRequest((request) => request.reply(200, request.body.length > 0 ? { body: sdp('bob-updated') } : {}))
    const update = { body: sdp('alice-updates'), contentType: 'application/sdp' }
    const response = await w.scenario.settle(w.a.request('UPDATE', update))
    expect([response.status, owner(response.body)]).toEqual([200, 'bob-updated+relay'])
    expect((await w.scenario.settle(w.a.request('UPDATE'))).status).toBe(200)
    expect((await w.scenario.settle(w.a.request('UPDATE', update))).status).toBe(200)
    await w.scenario.settle(w.a.bye())
    await over(w)
  })

  it('passes INFO and its answer, and refuses REFER with 405 when nothing is said of transfers', async () => {
    const w = await connected()
    w.b.onRequest((request) => request.reply(200, { body: `${text(request.body)}!`, contentType: 'text/plain' }))
    const response = await w.scenario.settle(w.a.request('INFO', { body: 'five', contentType: 'text/plain' }))
    expect([response.status, text(response.body)]).toEqual([200, 'five!'])
    expect((await w.scenario.settle(w.a.request('REFER'))).status).toBe(405)
    expect((await w.scenario.settle(w.a.request('OPTIONS'))).status).toBe(200)
    await w.scenario.settle(w.a.bye())
    await over(w)
  })

  it('a side that is lost takes the other one with it', async () => {
    const w = await connected()
    w.scenario.network.partition(['10.0.0.2'], ['10.0.0.3'])
    const response = await w.scenario.settle(w.a.reinvite({ sdp: sdp('alice') }))
    expect(response.status).toBeGreaterThanOrEqual(480)
    expect(await w.scenario.settle(w.a.ended)).toMatchObject({ by: 'remote' })
    expect(await w.scenario.settle(w.bridge().ended)).toMatchObject({ by: 'b' })
  })

  it('a caller that never acknowledges loses the call, and the target with it', async () => {
    const w = await world()
    w.scenario.lose(1000, (line) => line.startsWith('ACK ') && line.includes('10.0.0.2'))
    const calling = w.alice.invite('sip:bob@10.0.0.2:5060', { sdp: sdp('alice') })
    await w.scenario.pass(100)
    const b = await answered(w)
    const a = await w.scenario.settle(calling)
    expect(await w.scenario.settle(b.ended)).toMatchObject({ by: 'remote' })
    expect(await w.scenario.settle(a.ended)).toMatchObject({ by: 'remote' })
    expect(await over(w)).toMatchObject({ by: 'a', reason: 'no ACK' })
  })

  it('lasts no longer than it may', async () => {
    const w = await connected({ maxDurationMs: 60_000 })
    expect(await w.scenario.settle(w.a.ended)).toMatchObject({ by: 'remote' })
    expect(await over(w)).toMatchObject({ by: 'core', reason: 'max-duration', durationMs: 60_000 })
  })

  it('an anchor that refuses ends the call before or after its answer', async () => {
    const w = await world([bobUri], {
      sdp: {
        offer: () => Promise.reject(new Error('no ports')),
        answer: async (_side, given) => given,
        release: () => {},
      },
    })
    const calling = w.alice.invite('sip:bob@10.0.0.2:5060', { sdp: sdp('alice') }).catch((error: unknown) => error)
    expect(await w.scenario.settle(calling)).toMatchObject({ status: 488 })
    expect(w.invites).toHaveLength(0)
  })
})
