import { describe, expect, it } from 'vitest'
import { RelayError, type RelayErrorCode } from '../errors'
import { A, B, call, RELAY_4, world } from '../testing/fixture'
import { MemoryNetwork } from '../testing/memory-network'
import { audioSdp, rtpPacket, targetOf } from '../testing/packets'
import { createEngine } from './engine'

const offerOf = audioSdp(A.address, A.port)
const answerOf = audioSdp(B.address, B.port)

async function codeOf(work: Promise<unknown>): Promise<RelayErrorCode | undefined> {
  const error = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  return error instanceof RelayError ? error.code : undefined
}

function media(count: number, port = 4_000): string {
  const lines = Array.from({ length: count }, (_, index) => `m=audio ${port + index * 2} RTP/AVP 0\r\n`)
  return `v=0\r\no=- 1 1 IN IP4 ${A.address}\r\ns=-\r\nc=IN IP4 ${A.address}\r\nt=0 0\r\n${lines.join('')}`
}

describe('ports', () => {
  it('are taken by the first offer, two pairs a medium, and given back at closing', async () => {
    const { relay, network } = await world()
    const session = relay.createSession('call')
    expect(relay.portsFree).toBe(200)
    await session.offer(media(3), { from: 'a' })
    expect(relay.portsFree).toBe(200 - 12)
    expect(network.channels.size).toBe(12)
    session.close()
    expect(relay.portsFree).toBe(200)
    expect(network.channels.size).toBe(0)
  })

  it('are opened both or neither: a busy odd port costs its even neighbour nothing', async () => {
    const { relay, network } = await world({}, 20_000, 20_009)
    for (const port of [20_001, 20_003, 20_007]) network.busy.add(port)
    const session = relay.createSession('call')
    expect(targetOf(await session.offer(offerOf, { from: 'a' })).port % 2).toBe(0)
    expect([...network.channels.keys()].sort()).toEqual(
      [20_004, 20_005, 20_008, 20_009].map((port) => `${RELAY_4} ${port}`),
    )
    session.close()
    expect(network.channels.size).toBe(0)
    expect(relay.portsFree).toBe(20)
  })

  it('that run out leave nothing half-open and the session as it was', async () => {
    const { relay, network } = await world({}, 20_000, 20_005)
    const session = relay.createSession('call')
    expect(await codeOf(session.offer(media(2), { from: 'a' }))).toBe('PORTS_EXHAUSTED')
    expect(network.channels.size).toBe(0)
    expect(relay.portsFree).toBe(12)
    expect(session.snapshot()).toMatchObject({ state: 'new', streams: [] })
  })

  it('that run out for a re-INVITE leave the call running', async () => {
    const { relay, network, clock } = await world({ portQuarantineMs: 0 }, 20_000, 20_005)
    const session = relay.createSession('call')
    await session.offer(media(1), { from: 'a' })
    const toA = network.at(targetOf(await session.answer(answerOf, { from: 'b' })).port)
    clock.advance(1)
    expect(await codeOf(session.offer(media(3), { from: 'a' }))).toBe('PORTS_EXHAUSTED')
    expect(network.channels.size).toBe(4)
    expect(network.deliver(toA, rtpPacket({ sequence: 1 }), A.address, 4_000)).toMatchObject([B])
  })

  it('whose opening fails for another reason say so', async () => {
    const { relay, network } = await world()
    network.failure = 'EMFILE'
    expect(await codeOf(relay.createSession('call').offer(offerOf, { from: 'a' }))).toBe('SOCKET_FAILED')
    expect(relay.portsFree).toBe(200)
  })

  it('that are being opened while the session closes are closed and given back', async () => {
    const { relay, network } = await world()
    let release = (): void => undefined
    network.gate = new Promise((resolve) => {
      release = resolve
    })
    const session = relay.createSession('call')
    const offering = codeOf(session.offer(offerOf, { from: 'a' }))
    await Promise.resolve()
    session.close()
    release()
    expect(await offering).toBe('SESSION_CLOSED')
    await relay.close()
    expect(network.channels.size).toBe(0)
    expect(relay.portsFree).toBe(200)
  })

  it('are not used again before they have rested', async () => {
    const { relay, clock } = await world({ portQuarantineMs: 5_000 }, 20_000, 20_003)
    const first = relay.createSession('first')
    await first.offer(offerOf, { from: 'a' })
    first.close()
    expect(relay.stats()).toMatchObject({ portsFree: 8, portsResting: 4 })
    const second = relay.createSession('second')
    expect(await codeOf(second.offer(offerOf, { from: 'a' }))).toBe('PORTS_EXHAUSTED')
    clock.advance(5_000)
    await second.offer(offerOf, { from: 'a' })
    expect(relay.portsFree).toBe(4)
  })

  it('come back to the last after 1000 sessions of every fate', async () => {
    const { relay, network, clock } = await world({ portQuarantineMs: 10 })
    for (let round = 0; round < 1_000; round++) {
      if (round % 7 === 0) network.busy.add(20_000 + (round % 100))
      else network.busy.clear()
      const session = relay.createSession(`call ${round}`)
      await session.offer(media(1 + (round % 3)), { from: 'a' }).catch(() => undefined)
      if (round % 2 === 0) await session.answer(media(1, 6_000), { from: 'b' }).catch(() => undefined)
      if (round % 5 === 0) await session.offer(media(3), { from: 'a' }).catch(() => undefined)
      if (round % 11 === 0) void session.offer(media(4), { from: 'a' }).catch(() => undefined)
      session.close()
      await session.idle()
      clock.advance(11)
    }
    expect(relay.sessions).toBe(0)
    expect(relay.portsFree).toBe(200)
    expect(network.channels.size).toBe(0)
    expect(clock.pending).toBe(0)
  })
})

describe('offers and answers', () => {
  it('keep rejected media at port 0 and give them no ports', async () => {
    const { relay } = await world()
    const session = relay.createSession('call')
    const offer = media(2).replace('m=audio 4002', 'm=video 0')
    const out = Buffer.from(await session.offer(offer, { from: 'a' })).toString()
    expect(out).toContain('m=video 0 RTP/AVP 0')
    expect(relay.portsFree).toBe(200 - 4)
  })

  it('that reject a medium stop its packets, and release its ports when it is not offered again', async () => {
    const { relay, network } = await world()
    const session = relay.createSession('call')
    await session.offer(media(2), { from: 'a' })
    const toA = network.at(session.snapshot().streams[1]?.a?.localPort ?? 0)
    const answer = media(2, 6_000).replace('m=audio 6002', 'm=audio 0')
    expect(Buffer.from(await session.answer(answer, { from: 'b' })).toString()).toContain('m=audio 0 ')
    expect(network.deliver(toA, rtpPacket({ sequence: 1 }), A.address, 4_002)).toEqual([])
    await session.offer(media(2).replace('m=audio 4002', 'm=audio 0'), { from: 'a' })
    expect(network.channels.size).toBe(4)
    await session.offer(media(2), { from: 'a' })
    expect(network.channels.size).toBe(8)
  })

  it('refuse media that are not datagrams', async () => {
    const { relay } = await world()
    const offer = `${offerOf}m=message 2855 TCP/MSRP *\r\na=path:msrp://x\r\n`
    const out = Buffer.from(await relay.createSession('call').offer(offer, { from: 'a' })).toString()
    expect(out).toContain('m=message 0 TCP/MSRP *')
  })

  it('serve a call whose INVITE has no offer: side b offers, side a answers', async () => {
    const { relay, network } = await world()
    const session = relay.createSession('call')
    const toA = network.at(targetOf(await session.offer(answerOf, { from: 'b' })).port)
    const toB = network.at(targetOf(await session.answer(offerOf, { from: 'a' })).port)
    expect(network.deliver(toA, rtpPacket({ sequence: 1 }), A.address, A.port)).toMatchObject([
      { from: toB.port, ...B },
    ])
    session.close()
    expect(relay.sessions).toBe(0)
  })

  it.each<[string, string, RelayErrorCode]>([
    ['garbage', 'hello', 'SDP_INVALID'],
    ['nothing', '', 'SDP_INVALID'],
    ['no connection', 'v=0\r\no=- 1 1 IN IP4 x\r\ns=-\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n', 'SDP_INCOMPLETE'],
    ['too many media', media(17), 'SDP_TOO_MANY_MEDIA'],
    ['a thousand media', media(1_000), 'SDP_INVALID'],
    ['an absurd port', offerOf.replace('4000', '99999'), 'SDP_INVALID'],
  ])('refuse %s', async (_name, sdp, code) => {
    const { relay } = await world()
    expect(await codeOf(relay.createSession('call').offer(sdp, { from: 'a' }))).toBe(code)
    expect(relay.portsFree).toBe(200)
  })

  it('refuse an answer without an offer, from the offerer, and with more media than offered', async () => {
    const { relay } = await world()
    const session = relay.createSession('call')
    expect(await codeOf(session.answer(answerOf, { from: 'b' }))).toBe('NO_OFFER')
    await session.offer(offerOf, { from: 'a' })
    expect(await codeOf(session.answer(answerOf, { from: 'a' }))).toBe('NO_OFFER')
    expect(await codeOf(session.answer(media(2), { from: 'b' }))).toBe('SDP_MISMATCH')
  })

  it('wait for their turn, up to a limit', async () => {
    const { relay } = await world({ pendingOperationsMax: 3 })
    const session = relay.createSession('call')
    const codes = Promise.all(Array.from({ length: 5 }, () => codeOf(session.offer(offerOf, { from: 'a' }))))
    expect(await codes).toEqual([undefined, undefined, undefined, 'TOO_MANY_PENDING', 'TOO_MANY_PENDING'])
    expect(relay.portsFree).toBe(196)
  })

  it('need an interface of the family and the name', async () => {
    const { relay } = await world()
    const session = relay.createSession('call')
    const code = await codeOf(session.offer(offerOf, { from: 'a', direction: ['inside', 'outside'] }))
    expect(code).toBe('NO_INTERFACE')
  })

  it('leave text that is not UTF-8 as it came', async () => {
    const { relay } = await world()
    const sdp = Buffer.from(offerOf.replace('s=-', 's=Ren\u00e9'), 'latin1')
    const out = Buffer.from(await relay.createSession('call').offer(sdp, { from: 'a' }))
    expect(out.toString('latin1')).toContain('s=Ren\u00e9\r\n')
  })
})

describe('time', () => {
  it('ends a silent call with an event, and gives its ports back', async () => {
    const { relay, clock, network, toA } = await call([], [], {}, { silenceTimeoutMs: 10_000 })
    const events: unknown[] = []
    relay.on('session-timeout', (event) => events.push(event))
    relay.on('session-closed', ({ reason }) => events.push(reason))
    network.deliver(toA, rtpPacket({ sequence: 1 }), A.address, A.port)
    clock.advance(9_000)
    network.deliver(toA, rtpPacket({ sequence: 2 }), A.address, A.port)
    clock.advance(9_000)
    expect(relay.sessions).toBe(1)
    clock.advance(2_000)
    expect(events).toEqual([{ sessionId: 'call', reason: 'silence' }, 'silence'])
    expect(relay).toMatchObject({ sessions: 0, portsFree: 200 })
    expect(relay.stats()).toMatchObject({ sessionsTimedOut: 1, packets: 2 })
    expect(clock.pending).toBe(0)
  })

  it("is not kept going by a stranger's packets or by RTCP", async () => {
    const { relay, clock, network, toA } = await call([], [], {}, { silenceTimeoutMs: 10_000 })
    network.deliver(toA, rtpPacket({ sequence: 1 }), A.address, A.port)
    toA.disconnect()
    for (let second = 0; second < 12; second++) {
      clock.advance(1_000)
      network.deliver(toA, rtpPacket({ sequence: second }), '192.0.2.200', A.port)
    }
    expect(relay.sessions).toBe(0)
  })

  it.each(['a=sendonly', 'a=inactive', 'c=IN IP4 0.0.0.0'])(
    'never ends a held call for its silence (%s)',
    async (line) => {
      const { relay, clock, session, network, toA } = await call([], [], {}, { silenceTimeoutMs: 10_000 })
      network.deliver(toA, rtpPacket({ sequence: 1 }), A.address, A.port)
      await session.offer(audioSdp(A.address, A.port, line), { from: 'a' })
      await session.answer(audioSdp(B.address, B.port, 'a=recvonly'), { from: 'b' })
      clock.advance(3_600_000)
      expect(relay.sessions).toBe(1)
      await session.offer(offerOf, { from: 'a' })
      await session.answer(answerOf, { from: 'b' })
      clock.advance(11_000)
      expect(relay.sessions).toBe(0)
    },
  )

  it('ends a call whose media are silent that are not held', async () => {
    const { relay, clock, session, network, toA } = await call([], [], {}, { silenceTimeoutMs: 10_000 })
    network.deliver(toA, rtpPacket({ sequence: 1 }), A.address, A.port)
    const video = (port: number, line: string): string => `m=video ${port} RTP/AVP 31\r\na=${line}\r\n`
    await session.offer(audioSdp(A.address, A.port) + video(4_100, 'sendonly'), { from: 'a' })
    await session.answer(audioSdp(B.address, B.port) + video(5_100, 'recvonly'), { from: 'b' })
    clock.advance(11_000)
    expect(relay.sessions).toBe(0)
  })

  it('gives a call that rings after an early answer as long as an offer', async () => {
    const { relay, clock } = await call([], [], {}, { silenceTimeoutMs: 10_000, offerTimeoutMs: 60_000 })
    clock.advance(59_000)
    expect(relay.sessions).toBe(1)
    clock.advance(2_000)
    expect(relay.sessions).toBe(0)
  })

  it('ends a session whose offer nobody answers, or that gets none', async () => {
    const { relay, clock } = await world({ offerTimeoutMs: 60_000 })
    const reasons: unknown[] = []
    relay.on('session-timeout', ({ sessionId, reason }) => reasons.push([sessionId, reason]))
    await relay.createSession('offered').offer(offerOf, { from: 'a' })
    relay.createSession('empty')
    clock.advance(61_000)
    expect(reasons).toEqual([
      ['offered', 'offer'],
      ['empty', 'offer'],
    ])
    expect(relay.portsFree).toBe(200)
  })
})

describe('a relay', () => {
  it('caps its sessions and keeps their names apart', async () => {
    const { relay } = await world({ sessionsMax: 2 })
    const first = relay.createSession('one')
    expect(() => relay.createSession('one')).toThrow(expect.objectContaining({ code: 'SESSION_EXISTS' }))
    relay.createSession('two')
    expect(() => relay.createSession('three')).toThrow(expect.objectContaining({ code: 'SESSION_LIMIT' }))
    first.close()
    expect(relay.createSession('one')).not.toBe(first)
    expect(relay.session('one')?.isClosed).toBe(false)
  })

  it('closes once, with everything in it', async () => {
    const { relay, network, session, clock } = await call()
    const closed: unknown[] = []
    relay.on('session-closed', ({ sessionId, reason }) => closed.push([sessionId, reason]))
    const pending = codeOf(session.offer(media(4), { from: 'a' }))
    await Promise.all([relay.close(), relay.close()])
    expect(await pending).toBe('SESSION_CLOSED')
    expect(closed).toEqual([['call', 'relay-closed']])
    expect(network.channels.size).toBe(0)
    expect(clock.pending).toBe(0)
    expect(session.close().state).toBe('closed')
    expect(await codeOf(session.offer(offerOf, { from: 'a' }))).toBe('SESSION_CLOSED')
    expect(() => relay.createSession('late')).toThrow(expect.objectContaining({ code: 'RELAY_CLOSED' }))
  })

  it.each<[string, Partial<Parameters<typeof createEngine>[0]>]>([
    ['no interface', { interfaces: [] }],
    ['a host name', { interfaces: [{ address: 'localhost' }] }],
    ['a wildcard without advertised address', { interfaces: [{ address: '0.0.0.0' }] }],
    ['an advertised address of another family', { interfaces: [{ address: '127.0.0.1', advertisedAddress: '::1' }] }],
    ['one address twice', { interfaces: [{ address: '127.0.0.1' }, { address: '127.0.0.1' }] }],
    ['a privileged port', { portMin: 80 }],
    ['a port that is none', { portMax: 70_000 }],
    ['a range without a pair', { portMin: 20_001, portMax: 20_002 }],
    ['a limit that is none', { limits: { sessionsMax: 0 } }],
    ['a timeout that is none', { silenceTimeoutMs: Number.NaN }],
  ])('is not made with %s', async (_name, change) => {
    const options = {
      interfaces: [{ address: '127.0.0.1' }],
      portMin: 20_000,
      portMax: 20_099,
      network: new MemoryNetwork(),
    }
    expect(await codeOf(createEngine({ ...options, ...change }))).toBe('INVALID_OPTIONS')
  })

  it('is not made on an address that this machine does not have', async () => {
    const network = new MemoryNetwork()
    network.failure = 'EADDRNOTAVAIL'
    const options = { interfaces: [{ address: '192.0.2.9' }], portMin: 20_000, portMax: 20_099, network }
    expect(await codeOf(createEngine(options))).toBe('INTERFACE_UNAVAILABLE')
  })
})
