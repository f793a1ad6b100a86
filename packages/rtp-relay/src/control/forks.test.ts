import { describe, expect, it } from 'vitest'
import { RelayError } from '../errors'
import { viaBranchCharsMax } from '../limits'
import { A, B, type World, world } from '../testing/fixture'
import type { MemoryChannel } from '../testing/memory-network'
import { audioSdp, rtpPacket, targetOf } from '../testing/packets'
import type { RelayEvents } from './events'
import type { RelaySession } from './relay-session'

/** A second phone, which the fork reaches too. */
const C = { address: '203.0.113.21', port: 5_100 } as const
const offerSdp = audioSdp(A.address, A.port)

interface Ports {
  readonly toA: MemoryChannel
  readonly toPhone: MemoryChannel
}

interface Forked extends World {
  readonly session: RelaySession
  readonly one: Ports
  readonly two: Ports
}

async function codeOf(work: Promise<unknown>): Promise<string | undefined> {
  const error = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  return error instanceof RelayError ? error.code : undefined
}

async function early(
  { network }: World,
  session: RelaySession,
  viaBranch: string,
  phone: { address: string; port: number },
): Promise<Ports> {
  const toPhone = targetOf(await session.offer(offerSdp, { from: 'a', viaBranch })).port
  const toA = targetOf(await session.answer(audioSdp(phone.address, phone.port), { from: 'b', viaBranch })).port
  return { toA: network.at(toA), toPhone: network.at(toPhone) }
}

/** A call to two phones that have both answered early: branch `one` leads to `B`, branch `two` to `C`. */
async function forked(limits: Parameters<typeof world>[0] = {}): Promise<Forked> {
  const made = await world(limits)
  const session = made.relay.createSession('call')
  const one = await early(made, session, 'one', B)
  return { ...made, session, one, two: await early(made, session, 'two', C) }
}

function win(session: RelaySession, viaBranch: 'one' | 'two'): Promise<Uint8Array> {
  const phone = viaBranch === 'one' ? B : C
  return session.answer(audioSdp(phone.address, phone.port), { from: 'b', viaBranch, final: true })
}

/** What the relay told, by name. */
function eventsOf({ relay }: World): (readonly [string, object])[] {
  const events: (readonly [string, object])[] = []
  const names: (keyof RelayEvents)[] = ['branch-closed', 'session-timeout', 'session-closed', 'media-silent']
  for (const name of names) relay.on(name, (event) => events.push([name, event]))
  return events
}

describe('the branches of a fork', () => {
  it('have ports of their own on both sides', async () => {
    const { one, two, network } = await forked()
    const ports = [one.toA.port, one.toPhone.port, two.toA.port, two.toPhone.port]
    expect(new Set(ports).size).toBe(4)
    expect(network.channels.size).toBe(8)
  })

  it('RFC 3960 §3.1: carry the early media of two phones apart from each other', async () => {
    const { one, two, network, session } = await forked()
    const [first, second] = [rtpPacket({ sequence: 1, ssrc: 1 }), rtpPacket({ sequence: 9, ssrc: 2 })]
    expect(network.deliver(one.toPhone, first, B.address, B.port)).toEqual([
      { from: one.toA.port, ...A, packet: first },
    ])
    expect(network.deliver(two.toPhone, second, C.address, C.port)).toEqual([
      { from: two.toA.port, ...A, packet: second },
    ])
    expect(network.deliver(one.toA, first, A.address, A.port)).toMatchObject([{ from: one.toPhone.port, ...B }])
    expect(network.deliver(two.toA, first, A.address, A.port)).toMatchObject([{ from: two.toPhone.port, ...C }])
    const { streams } = session.snapshot()
    expect(streams.map(({ viaBranch, index, b }) => [viaBranch, index, b?.packets, b?.endpoint])).toEqual([
      ['one', 0, 1, B],
      ['two', 0, 1, C],
    ])
  })

  it("let no phone in at another one's port once the peers are known", async () => {
    const { one, two, network } = await forked()
    network.deliver(two.toPhone, rtpPacket({ sequence: 1 }), C.address, C.port)
    network.deliver(one.toPhone, rtpPacket({ sequence: 1 }), B.address, B.port)
    two.toPhone.disconnect()
    expect(network.deliver(two.toPhone, rtpPacket({ sequence: 2 }), B.address, B.port)).toEqual([])
  })

  it('forward nothing between ports of two branches', async () => {
    const { one, two, network, relay } = await forked()
    expect(network.deliver(one.toA, rtpPacket({ sequence: 1 }), '192.0.2.1', two.toPhone.port)).toEqual([])
    expect(relay.stats()).toMatchObject({ packets: 0, dropped: { strangers: 1 } })
  })

  it('are told apart in events', async () => {
    const { network, relay, two } = await forked()
    const learned: unknown[] = []
    relay.on('endpoint-learned', ({ sessionId, viaBranch, side }) => learned.push([sessionId, viaBranch, side]))
    relay.on('peer-unreachable', ({ viaBranch, code }) => learned.push([viaBranch, code]))
    network.deliver(two.toPhone, rtpPacket({ sequence: 1 }), C.address, C.port)
    two.toPhone.sink.failed('ECONNREFUSED')
    expect(learned).toEqual([
      ['call', 'two', 'b'],
      ['two', 'ECONNREFUSED'],
    ])
  })

  it('RFC 3264 §5: take an offer that the phones make and the caller answers', async () => {
    const { relay, network } = await world()
    const session = relay.createSession('call')
    const offers = [
      await session.offer(audioSdp(B.address, B.port), { from: 'b', viaBranch: 'one' }),
      await session.offer(audioSdp(C.address, C.port), { from: 'b', viaBranch: 'two' }),
    ]
    expect(new Set(offers.map((offer) => targetOf(offer).port)).size).toBe(2)
    const answer = await session.answer(offerSdp, { from: 'a', viaBranch: 'two', final: true })
    const toPhone = network.at(targetOf(answer).port)
    expect(network.deliver(toPhone, rtpPacket({ sequence: 1 }), C.address, C.port)).toMatchObject([A])
    expect(network.channels.size).toBe(4)
  })
})

describe('the branch that wins', () => {
  it('stays as it is, and the others give their ports back at once', async () => {
    const made = await forked()
    const { session, network, relay, two, one } = made
    const events = eventsOf(made)
    network.deliver(one.toPhone, rtpPacket({ sequence: 1 }), B.address, B.port)
    await win(session, 'two')
    expect(network.channels.size).toBe(4)
    expect(relay.portsFree).toBe(200 - 4)
    expect(relay.stats().portsResting).toBe(4)
    expect(network.deliver(two.toPhone, rtpPacket({ sequence: 1 }), C.address, C.port)).toMatchObject([A])
    expect(session.snapshot()).toMatchObject({ state: 'answered', streams: [{ viaBranch: 'two', b: { packets: 1 } }] })
    expect(events).toMatchObject([
      ['branch-closed', { sessionId: 'call', viaBranch: 'one', reason: 'lost', streams: [{ b: { packets: 1 } }] }],
    ])
    // What the loser has carried is not forgotten.
    expect(relay.stats()).toMatchObject({ sessions: 1, packets: 2 })
    session.close()
    expect(relay.stats()).toMatchObject({ sessions: 0, packets: 2 })
    expect(events.length).toBe(2)
  })

  it('hears nothing of packets that come late for another', async () => {
    const { session, network, one } = await forked()
    await win(session, 'two')
    one.toPhone.sink.receive(rtpPacket({ sequence: 5 }), B.address, B.port)
    one.toA.sink.receive(rtpPacket({ sequence: 5 }), A.address, A.port)
    one.toA.sink.failed('ECONNREFUSED')
    expect(network.sent).toEqual([])
  })

  it('leaves late offers and answers of the others refused, and itself untouched', async () => {
    const { session, network, two } = await forked()
    await win(session, 'two')
    const late = audioSdp(B.address, B.port)
    expect(await codeOf(session.answer(late, { from: 'b', viaBranch: 'one', final: true }))).toBe('BRANCH_CLOSED')
    expect(await codeOf(session.offer(offerSdp, { from: 'a', viaBranch: 'one' }))).toBe('BRANCH_CLOSED')
    expect(await codeOf(session.offer(offerSdp, { from: 'a', viaBranch: 'three' }))).toBe('BRANCH_CLOSED')
    expect(await codeOf(session.chooseBranch('one'))).toBe('BRANCH_CLOSED')
    expect(network.channels.size).toBe(4)
    expect(network.deliver(two.toPhone, rtpPacket({ sequence: 1 }), C.address, C.port)).toMatchObject([A])
  })

  it.each(['a', 'b'] as const)('takes re-INVITEs of side %s, which name no branch', async (from) => {
    const { session, network, one } = await forked()
    await win(session, 'one')
    const [own, other] = from === 'a' ? [A, B] : [B, A]
    const moved = { address: own.address, port: own.port + 10 }
    const offer = await session.offer(audioSdp(moved.address, moved.port), { from })
    const answer = await session.answer(audioSdp(other.address, other.port), { from: from === 'a' ? 'b' : 'a' })
    const [toOwn, toOther] = from === 'a' ? [one.toA, one.toPhone] : [one.toPhone, one.toA]
    expect([targetOf(offer).port, targetOf(answer).port]).toEqual([toOther.port, toOwn.port])
    expect(network.deliver(toOther, rtpPacket({ sequence: 1 }), other.address, other.port)).toMatchObject([moved])
    // Its name goes on meaning it.
    expect(targetOf(await session.offer(offerSdp, { from: 'a', viaBranch: 'one' })).port).toBe(one.toPhone.port)
  })

  it('may be said without an answer', async () => {
    const { session, network } = await forked()
    await session.chooseBranch('one')
    expect(session.snapshot().streams).toMatchObject([{ viaBranch: 'one' }])
    expect(network.channels.size).toBe(4)
    expect(await codeOf(session.chooseBranch('two'))).toBe('BRANCH_CLOSED')
  })

  it('is asked again where its parties are when it is chosen: the caller may not have spoken with it before', async () => {
    const { session, network, clock, one } = await forked()
    clock.advance(20_000)
    const nat = { address: '192.0.2.77', port: 61_234 }
    expect(network.deliver(one.toA, rtpPacket({ sequence: 1 }), nat.address, nat.port)).toEqual([])
    await session.chooseBranch('one')
    expect(network.deliver(one.toA, rtpPacket({ sequence: 2 }), nat.address, nat.port)).toMatchObject([B])
    clock.advance(4_000)
    expect(network.deliver(one.toPhone, rtpPacket({ sequence: 1 }), B.address, B.port)).toMatchObject([nat])
    // Chosen twice is chosen once: what is confirmed by now is not asked again.
    await session.chooseBranch('one')
    expect(one.toA.peer).toEqual(nat)
  })

  it('has not won by an answer that is refused', async () => {
    const { session, network } = await forked()
    const { address, port } = C
    const tooMany = `${audioSdp(address, port)}m=audio 5200 RTP/AVP 0\r\n`
    expect(await codeOf(session.answer(tooMany, { from: 'b', viaBranch: 'two', final: true }))).toBe('SDP_MISMATCH')
    expect(network.channels.size).toBe(8)
    await win(session, 'one')
    expect(session.snapshot().streams).toMatchObject([{ viaBranch: 'one' }])
  })

  it('may be closed too: the session is then as at first, and ends when nothing follows', async () => {
    const made = await forked({ offerTimeoutMs: 60_000 })
    const { session, network, clock, relay } = made
    await win(session, 'two')
    clock.advance(50_000)
    expect(session.closeBranch('two')).toMatchObject([{ viaBranch: 'two' }])
    expect(session.snapshot()).toMatchObject({ state: 'new', streams: [] })
    expect(await codeOf(session.answer(audioSdp(C.address, C.port), { from: 'b' }))).toBe('NO_OFFER')
    clock.advance(50_000)
    await session.offer(offerSdp, { from: 'a' })
    session.close()
    expect(network.channels.size).toBe(0)
    const empty = relay.createSession('empty')
    await early(made, empty, 'one', B)
    empty.closeBranch('one')
    clock.advance(61_000)
    expect(empty.isClosed).toBe(true)
  })
})

describe('one branch', () => {
  it('is closed alone', async () => {
    const made = await forked()
    const { session, network, two } = made
    const events = eventsOf(made)
    expect(session.closeBranch('one')).toMatchObject([{ viaBranch: 'one', index: 0 }])
    expect(session.closeBranch('one')).toEqual([])
    expect(events).toMatchObject([['branch-closed', { viaBranch: 'one', reason: 'closed' }]])
    expect(network.channels.size).toBe(4)
    expect(network.deliver(two.toPhone, rtpPacket({ sequence: 1 }), C.address, C.port)).toMatchObject([A])
    const late = session.answer(audioSdp(B.address, B.port), { from: 'b', viaBranch: 'one' })
    expect(await codeOf(late)).toBe('BRANCH_CLOSED')
    // The other is the only one now.
    expect(targetOf(await session.offer(offerSdp, { from: 'a' })).port).toBe(two.toPhone.port)
  })

  it('that is closed while its ports are being opened leaves none open, and the others go on', async () => {
    const { relay, network } = await world()
    const session = relay.createSession('call')
    let open: () => void = () => undefined
    network.gate = new Promise((resolve) => {
      open = resolve
    })
    const codes = ['one', 'two'].map((viaBranch) => codeOf(session.offer(offerSdp, { from: 'a', viaBranch })))
    await Promise.resolve()
    session.closeBranch('one')
    session.closeBranch('never')
    open()
    expect(await Promise.all(codes)).toEqual(['BRANCH_CLOSED', undefined])
    expect(network.channels.size).toBe(4)
    expect(relay.portsFree).toBe(196)
    // One that is closed before its offer comes opens nothing.
    expect(await codeOf(session.offer(offerSdp, { from: 'a', viaBranch: 'never' }))).toBe('BRANCH_CLOSED')
  })

  it('leaves nothing half-open when the ports run out, and may be tried again', async () => {
    const { relay, network, clock } = await world({ portQuarantineMs: 0 }, 20_000, 20_005)
    const session = relay.createSession('call')
    await session.offer(offerSdp, { from: 'a', viaBranch: 'one' })
    expect(await codeOf(session.offer(offerSdp, { from: 'a', viaBranch: 'two' }))).toBe('PORTS_EXHAUSTED')
    expect(network.channels.size).toBe(4)
    expect(session.branches.length).toBe(1)
    expect(relay.portsFree).toBe(12 - 4)
    expect(await codeOf(session.answer(offerSdp, { from: 'b', viaBranch: 'two' }))).toBe('NO_OFFER')
    session.closeBranch('one')
    clock.advance(1)
    expect(await codeOf(session.offer(offerSdp, { from: 'a', viaBranch: 'two' }))).toBeUndefined()
    session.close()
    expect(network.channels.size).toBe(0)
  })

  it('has to be named while there are several', async () => {
    const { session } = await forked()
    expect(await codeOf(session.offer(offerSdp, { from: 'a' }))).toBe('BRANCH_AMBIGUOUS')
    expect(await codeOf(session.answer(offerSdp, { from: 'b' }))).toBe('BRANCH_AMBIGUOUS')
  })

  it('without a name stands beside those that have one', async () => {
    const { relay } = await world()
    const session = relay.createSession('call')
    const plain = targetOf(await session.offer(offerSdp, { from: 'a' })).port
    const named = targetOf(await session.offer(offerSdp, { from: 'a', viaBranch: 'one' })).port
    expect(named).not.toBe(plain)
    expect(targetOf(await session.offer(offerSdp, { from: 'a' })).port).toBe(plain)
    await session.answer(audioSdp(B.address, B.port), { from: 'b', final: true })
    expect(session.snapshot().streams.map(({ viaBranch }) => viaBranch)).toEqual([undefined])
  })

  it.each(['', 'x'.repeat(viaBranchCharsMax + 1)])('is not called as it likes (%#)', async (viaBranch) => {
    const { relay } = await world()
    const session = relay.createSession('call')
    expect(await codeOf(session.offer(offerSdp, { from: 'a', viaBranch }))).toBe('BRANCH_INVALID')
    expect(() => session.closeBranch(viaBranch)).toThrow(expect.objectContaining({ code: 'BRANCH_INVALID' }))
    const longest = 'x'.repeat(viaBranchCharsMax)
    expect(await codeOf(session.offer(offerSdp, { from: 'a', viaBranch: longest }))).toBeUndefined()
  })
})

describe('many branches', () => {
  it('are as many as the limit says', async () => {
    const { relay, network } = await world({ branchesPerSessionMax: 3 })
    const session = relay.createSession('call')
    const offer = (viaBranch: string) => codeOf(session.offer(offerSdp, { from: 'a', viaBranch }))
    expect(await Promise.all(['1', '2', '3', '4'].map(offer))).toEqual([
      undefined,
      undefined,
      undefined,
      'TOO_MANY_BRANCHES',
    ])
    expect(network.channels.size).toBe(12)
    session.closeBranch('2')
    expect(await offer('4')).toBeUndefined()
  })

  it('leave nothing behind, thousand one after the other in a session', async () => {
    const { relay, network, clock } = await world({ portQuarantineMs: 0 })
    const session = relay.createSession('call')
    for (let at = 0; at < 1_000; at++) {
      await session.offer(offerSdp, { from: 'a', viaBranch: `branch ${at}` })
      if (at % 2 === 0) await session.answer(audioSdp(B.address, B.port), { from: 'b', viaBranch: `branch ${at}` })
      session.closeBranch(`branch ${at}`)
      clock.advance(1)
    }
    expect(session.branches).toEqual([])
    expect(network.channels.size).toBe(0)
    expect(relay.portsFree).toBe(200)
    expect(relay.sessions).toBe(1)
    session.close()
    expect(clock.pending).toBe(0)
  })

  it('leave nothing behind, thousand calls that fork and are decided', async () => {
    const made = await world({ portQuarantineMs: 0 })
    const { relay, network, clock } = made
    for (let at = 0; at < 1_000; at++) {
      const session = relay.createSession(`call ${at}`)
      await early(made, session, 'one', B)
      await session.offer(offerSdp, { from: 'a', viaBranch: 'two' })
      await win(session, 'one')
      session.close()
      clock.advance(1)
    }
    expect(network.channels.size).toBe(0)
    expect(relay).toMatchObject({ sessions: 0, portsFree: 200 })
    expect(relay.stats().portsResting).toBe(0)
    expect(clock.pending).toBe(0)
  })
})

describe('time', () => {
  const limits = { silenceTimeoutMs: 10_000, offerTimeoutMs: 60_000, oneWayTimeoutMs: 5_000 }

  it('ends a branch that nobody answers without ending the session', async () => {
    const made = await world(limits)
    const { relay, clock, network } = made
    const events = eventsOf(made)
    const session = relay.createSession('call')
    await session.offer(offerSdp, { from: 'a', viaBranch: 'one' })
    clock.advance(30_000)
    const two = await early(made, session, 'two', C)
    clock.advance(31_000)
    expect(events).toMatchObject([['branch-closed', { viaBranch: 'one', reason: 'offer' }]])
    expect(network.channels.size).toBe(4)
    expect(await codeOf(session.answer(offerSdp, { from: 'b', viaBranch: 'one' }))).toBe('BRANCH_CLOSED')
    network.deliver(two.toPhone, rtpPacket({ sequence: 1 }), C.address, C.port)
    clock.advance(9_000)
    expect(session.isClosed).toBe(false)
    clock.advance(2_000)
    expect(events.slice(1)).toMatchObject([
      ['session-timeout', { reason: 'silence' }],
      ['session-closed', { reason: 'silence' }],
    ])
  })

  it('ends the session with its last branch, when nobody answers any', async () => {
    const made = await world(limits)
    const { relay, clock } = made
    const events = eventsOf(made)
    const session = relay.createSession('call')
    await session.offer(offerSdp, { from: 'a', viaBranch: 'one' })
    await session.offer(offerSdp, { from: 'a', viaBranch: 'two' })
    clock.advance(61_000)
    expect(events).toMatchObject([
      ['branch-closed', { viaBranch: 'one', reason: 'offer' }],
      ['session-timeout', { reason: 'offer' }],
      ['session-closed', { reason: 'offer', snapshot: { streams: [{ viaBranch: 'two' }] } }],
    ])
    expect(relay).toMatchObject({ sessions: 0, portsFree: 200 })
  })

  it('does not judge early media that pause while the call is not decided, nor who does not speak with them', async () => {
    const made = await forked(limits)
    const { session, network, clock, one, two } = made
    const events = eventsOf(made)
    for (let second = 0; second < 30; second++) {
      network.deliver(one.toPhone, rtpPacket({ sequence: second }), B.address, B.port)
      if (second < 5) network.deliver(two.toPhone, rtpPacket({ sequence: second }), C.address, C.port)
      clock.advance(1_000)
    }
    expect(events).toEqual([])
    await win(session, 'two')
    expect(session.snapshot().streams).toMatchObject([{ viaBranch: 'two' }])
    // Now it is in force, and so is the timeout of silence.
    clock.advance(11_000)
    expect(session.isClosed).toBe(true)
  })

  it('ends branches that are silent for as long as an offer may take, where nobody says which one has won', async () => {
    const made = await forked(limits)
    const { session, network, clock, one } = made
    const events = eventsOf(made)
    for (let second = 0; second < 62; second++) {
      network.deliver(one.toPhone, rtpPacket({ sequence: second }), B.address, B.port)
      network.deliver(one.toA, rtpPacket({ sequence: second }), A.address, A.port)
      clock.advance(1_000)
    }
    expect(events).toMatchObject([['branch-closed', { viaBranch: 'two', reason: 'offer' }]])
    expect(session.snapshot().streams).toMatchObject([{ viaBranch: 'one', b: { packets: 62 } }])
  })

  it('gives a branch that is left alone the time of silence from then on', async () => {
    const { session, network, clock, two } = await forked(limits)
    network.deliver(two.toPhone, rtpPacket({ sequence: 1 }), C.address, C.port)
    clock.advance(40_000)
    session.closeBranch('one')
    clock.advance(9_000)
    expect(session.isClosed).toBe(false)
    clock.advance(2_000)
    expect(session.isClosed).toBe(true)
  })

  it('counts the longest life from the beginning of the session, not of a branch', async () => {
    const made = await world({ maxDurationMs: 100_000 })
    const { relay, clock } = made
    const events = eventsOf(made)
    const session = relay.createSession('call')
    await early(made, session, 'one', B)
    clock.advance(99_000)
    await early(made, session, 'two', C)
    clock.advance(2_000)
    expect(events[0]).toMatchObject(['session-timeout', { reason: 'duration' }])
    expect(relay.portsFree).toBe(200)
  })

  it('leaves a session alone that a listener closes when one of its branches ends', async () => {
    const made = await world(limits)
    const { relay, clock } = made
    const session = relay.createSession('call')
    const reasons: string[] = []
    relay.on('branch-closed', () => session.close())
    relay.on('session-closed', ({ reason }) => reasons.push(reason))
    for (const viaBranch of ['one', 'two', 'three']) await session.offer(offerSdp, { from: 'a', viaBranch })
    clock.advance(61_000)
    expect(reasons).toEqual(['closed'])
    expect(relay).toMatchObject({ sessions: 0, portsFree: 200 })
  })
})
