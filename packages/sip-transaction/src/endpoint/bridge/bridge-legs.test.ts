import { describe, expect, it } from 'vitest'
import type { Call } from '../calls/call'
import type { EarlyDialog } from '../calls/early-dialog'
import { Scenario } from '../fixtures/scenario'
import type { BridgeOptions, SdpAnchor, SipStackOptions } from '../options'
import type { IncomingRequest } from '../requests/incoming-request'
import type { SipStack } from '../stack'
import type { Bridge } from './bridge'

const sdp = (who: string) =>
  `v=0\r\no=${who} 1 1 IN IP4 10.0.0.9\r\ns=-\r\nc=IN IP4 10.0.0.9\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n`

const owner = (body: Uint8Array | undefined) => /o=(\S+)/.exec(Buffer.from(body ?? []).toString())?.[1]

/** Rewrites as a relay does: the description says that it has been here. */
const anchor: SdpAnchor = {
  offer: async (_side, given) => Buffer.from(sdp(`${owner(given)}+relay`)),
  answer: async (_side, given) => Buffer.from(sdp(`${owner(given)}+relay`)),
  release: () => {},
}

const bobUri = 'sip:bob@10.0.0.3:5060'
const carolUri = 'sip:carol@10.0.0.4:5060'
const target = 'sip:bob@10.0.0.2:5060'

interface World {
  readonly scenario: Scenario
  readonly alice: SipStack
  readonly invites: IncomingRequest[]
  readonly bridges: Bridge[]
}

async function world(
  targets: readonly string[] = [bobUri],
  options: { alice?: Partial<SipStackOptions>; bob?: Partial<SipStackOptions>; bridge?: BridgeOptions } = {},
): Promise<World> {
  const scenario = new Scenario()
  const alice = await scenario.stack('alice', options.alice)
  const server = await scenario.stack('server')
  const bob = await scenario.stack('bob', options.bob)
  const carol = await scenario.stack('carol', options.bob)
  const invites: IncomingRequest[] = []
  const bridges: Bridge[] = []
  server.method('INVITE', async (request) => {
    bridges.push(await request.bridge(targets, { sdp: anchor, ...options.bridge }))
  })
  for (const phone of [bob, carol]) phone.method('INVITE', (request) => void invites.push(request))
  return { scenario, alice, invites, bridges }
}

async function over(w: World, call?: Call): Promise<void> {
  if (call !== undefined) await w.scenario.settle(call.bye())
  await w.scenario.pass(100_000)
  expect(w.scenario.gauges()).toEqual(w.scenario.gauges().map(() => 0))
  expect(w.scenario.clock.pending).toBe(0)
}

const count = (w: World, line: string) => w.scenario.ladder.filter((each) => each === line).length

describe('reliable provisional responses through a bridge', () => {
  it('RFC 3262: the callee is acknowledged by the bridge, the caller acknowledges to the bridge, early media passes', async () => {
    const w = await world()
    const early: (string | undefined)[] = []
    const calling = w.alice.invite(target, {
      sdp: sdp('alice'),
      reliable: 'required',
      onProvisional: (response) => early.push(`${response.status} ${owner(response.body)}`),
    })
    await w.scenario.pass(100)
    w.invites[0]!.reply(180, { reliable: true })
    w.invites[0]!.reply(183, { reliable: true, body: sdp('bob') })
    await w.scenario.pass(100)
    expect(early).toEqual(['180 undefined', '183 bob+relay'])
    expect([count(w, 'server>bob PRACK'), count(w, 'alice>server PRACK')]).toEqual([2, 2])
    const accepting = w.invites[0]!.accept()
    const call = await w.scenario.settle(calling)
    await w.scenario.settle(accepting)
    expect(owner(call.remoteSdp)).toBe('bob+relay')
    await over(w, call)
  })

  it('RFC 3262 §3: a callee that is reliable by choice meets a caller that has never heard of it', async () => {
    const w = await world([bobUri], { alice: { reliableProvisional: 'never' }, bob: { reliableProvisional: 'always' } })
    const calling = w.alice.invite(target, { sdp: sdp('alice') })
    await w.scenario.pass(100)
    w.invites[0]!.reply(183, { body: sdp('bob') })
    const accepting = w.invites[0]!.accept({ sdp: sdp('bob') })
    const call = await w.scenario.settle(calling)
    await w.scenario.settle(accepting)
    expect([count(w, 'server>bob PRACK'), count(w, 'alice>server PRACK')]).toEqual([1, 0])
    await over(w, call)
  })

  it('RFC 3262 §5: of several targets none settles the answer of a caller that requires reliability before it has won', async () => {
    const w = await world([bobUri, carolUri])
    const early: (string | undefined)[] = []
    const calling = w.alice.invite(target, {
      sdp: sdp('alice'),
      reliable: 'required',
      onProvisional: (response) => early.push(owner(response.body)),
    })
    await w.scenario.pass(100)
    w.invites[0]!.reply(183, { reliable: true, body: sdp('bob') })
    await w.scenario.pass(100)
    const accepting = w.invites[1]!.accept({ sdp: sdp('carol') })
    const call = await w.scenario.settle(calling)
    await w.scenario.settle(accepting)
    expect(early).toEqual([undefined])
    expect(owner(call.remoteSdp)).toBe('carol+relay')
    await over(w, call)
  })

  it('a caller that never acknowledges loses the call, and the callee with it', async () => {
    const w = await world()
    w.scenario.lose(1_000, (line) => line.startsWith('PRACK ') && line.includes('10.0.0.2'))
    const calling = w.alice.invite(target, { sdp: sdp('alice'), reliable: 'required' }).catch((error: unknown) => error)
    await w.scenario.pass(100)
    w.invites[0]!.reply(183, { body: sdp('bob') })
    const accepting = w.invites[0]!.accept({ sdp: sdp('bob') })
    const b = await w.scenario.settle(accepting)
    expect(await w.scenario.settle(b.ended)).toMatchObject({ by: 'remote' })
    expect(await w.scenario.settle(calling)).toBeInstanceOf(Error)
    await w.scenario.settle(w.bridges[0]!.ended)
    await over(w)
  })

  it('without an offer of a caller that knows no PRACK none is asked of the callee that could not be answered', async () => {
    const w = await world([bobUri], { alice: { reliableProvisional: 'never' } })
    const calling = w.alice.invite(target, { answer: () => sdp('alice') })
    await w.scenario.pass(100)
    expect(w.invites[0]!.message.supported).not.toContain('100rel')
    const accepting = w.invites[0]!.accept({ sdp: sdp('bob') })
    const call = await w.scenario.settle(calling)
    expect(owner((await w.scenario.settle(accepting)).remoteSdp)).toBe('alice+relay')
    await over(w, call)
  })

  it('RFC 3262 §5: an offer of the callee before its answer is answered by the PRACK of the caller', async () => {
    const w = await world()
    const calling = w.alice.invite(target, { answer: () => sdp('alice'), reliable: 'required' })
    await w.scenario.pass(100)
    w.invites[0]!.reply(183, { reliable: true, body: sdp('bob') })
    await w.scenario.pass(500)
    expect([count(w, 'server>bob PRACK'), count(w, 'alice>server PRACK')]).toEqual([1, 1])
    const accepting = w.invites[0]!.accept()
    const call = await w.scenario.settle(calling)
    expect(owner((await w.scenario.settle(accepting)).remoteSdp)).toBe('alice+relay')
    expect(owner(call.remoteSdp)).toBe('bob+relay')
    await over(w, call)
  })

  it.each(['caller', 'callee'] as const)('RFC 3311 §5.1: an UPDATE of the %s before the answer passes', async (who) => {
    const w = await world()
    let early: EarlyDialog | undefined
    const calling = w.alice.invite(target, {
      sdp: sdp('alice'),
      reliable: 'required',
      onProvisional: (_, dialog) => {
        early = dialog
        dialog?.onRequest((request) => request.reply(200, { body: sdp('alice2') }))
      },
    })
    await w.scenario.pass(100)
    w.invites[0]!.reply(183, { reliable: true, body: sdp('bob') })
    w.invites[0]!.early!.onRequest((request) => request.reply(200, { body: sdp('bob2') }))
    await w.scenario.pass(500)
    const asking = who === 'caller' ? early! : w.invites[0]!.early!
    const updating = asking.update({ sdp: sdp(who) })
    expect((await w.scenario.settle(updating)).status).toBe(200)
    expect(owner(asking.remoteSdp)).toBe(who === 'caller' ? 'bob2+relay' : 'alice2+relay')
    const accepting = w.invites[0]!.accept()
    const call = await w.scenario.settle(calling)
    await w.scenario.settle(accepting)
    expect(owner(call.remoteSdp)).toBe(who === 'caller' ? 'bob2+relay' : 'callee+relay')
    await over(w, call)
  })

  it('RFC 3262 §5: a PRACK with another offer reaches the callee as UPDATE, and its answer the caller in the 200', async () => {
    const scenario = new Scenario()
    const server = await scenario.stack('server')
    const bob = await scenario.stack('bob')
    const raw = await scenario.raw('alice')
    const invites: IncomingRequest[] = []
    server.method('INVITE', async (request) => {
      await request.bridge('sip:bob@10.0.0.2:5060', { sdp: anchor })
    })
    bob.method('INVITE', (request) => {
      invites.push(request)
      request.reply(183, { reliable: true, body: sdp('bob') })
      request.early!.onRequest((inside) => inside.reply(200, { body: sdp('bob2') }))
    })
    const head = (method: string, cseq: number, to: string) => [
      `${method} sip:bob@10.0.0.1:5060 SIP/2.0`,
      `Via: SIP/2.0/UDP ${raw.address}:5060;branch=z9hG4bK${method}${cseq}`,
      'Max-Forwards: 70',
      `From: <sip:alice@${raw.address}>;tag=1`,
      `To: ${to}`,
      'Call-ID: early@alice',
      `CSeq: ${cseq} ${method}`,
      `Contact: <sip:alice@${raw.address}:5060>`,
      'Content-Type: application/sdp',
    ]
    raw.send('10.0.0.1', [...head('INVITE', 1, '<sip:bob@10.0.0.1>'), 'Require: 100rel'], sdp('alice'))
    await scenario.pass(200)
    const progress = raw.received.find((text) => text.startsWith('SIP/2.0 183'))!
    const to = /^To: (.*)$/m.exec(progress)![1]!
    const rseq = /^RSeq: (\d+)/m.exec(progress)![1]!
    raw.send('10.0.0.1', [...head('PRACK', 2, to), `RAck: ${rseq} 1 INVITE`], sdp('alice2'))
    await scenario.pass(500)
    const answer = raw.received.find((text) => text.startsWith('SIP/2.0 200') && text.includes('PRACK'))!
    expect(answer).toContain('o=bob2+relay')
    expect(scenario.ladder).toContain('server>bob UPDATE')
  })
})

describe('session timers of a bridge', () => {
  it('RFC 4028: each leg has a timer of its own, refreshed without the other side', async () => {
    const w = await world([bobUri], {
      alice: { sessionTimers: { expiresSeconds: 600 } },
      bob: { sessionTimers: { expiresSeconds: 900, refresher: 'uas' } },
    })
    const calling = w.alice.invite(target, { sdp: sdp('alice') })
    await w.scenario.pass(100)
    const accepting = w.invites[0]!.accept({ sdp: sdp('bob') })
    const call = await w.scenario.settle(calling)
    const bobCall = await w.scenario.settle(accepting)
    expect(call.sessionTimer).toEqual({ seconds: 600, isLocal: true })
    expect(bobCall.sessionTimer).toEqual({ seconds: 900, isLocal: true })
    await w.scenario.pass(2_000_000)
    expect([count(w, 'alice>server UPDATE'), count(w, 'bob>server UPDATE')]).toEqual([6, 4])
    expect([count(w, 'server>bob UPDATE'), count(w, 'server>alice UPDATE')]).toEqual([0, 0])
    await over(w, call)
  })

  it('RFC 4028 §10: a side that falls silent takes the other one with it, told by a Reason', async () => {
    const w = await world([bobUri], { bob: { sessionTimers: { refresher: 'uas' } } })
    const calling = w.alice.invite(target, { sdp: sdp('alice') })
    await w.scenario.pass(100)
    const accepting = w.invites[0]!.accept({ sdp: sdp('bob') })
    const call = await w.scenario.settle(calling)
    await w.scenario.settle(accepting)
    w.scenario.network.partition(['10.0.0.2'], ['10.0.0.3'])
    await w.scenario.pass(1_800_000)
    const end = await w.scenario.settle(call.ended)
    expect(end.reasons?.[0]).toMatchObject({ protocol: 'SIP', cause: 408 })
  })

  it('RFC 3326: why the caller cancelled is told to those who were called', async () => {
    const w = await world([bobUri, carolUri])
    const controller = new AbortController()
    const calling = w.alice.invite(target, { sdp: sdp('alice'), signal: controller.signal }).catch(() => {})
    await w.scenario.pass(100)
    for (const invite of w.invites) invite.reply(180)
    await w.scenario.pass(100)
    controller.abort('SIP ;cause=200 ;text="Taken elsewhere"')
    await w.scenario.settle(calling)
    await w.scenario.pass(100)
    for (const invite of w.invites) expect(invite.cancelReasons[0]?.text).toBe('Taken elsewhere')
    await over(w)
  })
})
