import { describe, expect, it } from 'vitest'
import type { RelayLimits } from '../limits'
import { A, B, type Call, call } from '../testing/fixture'
import { audioSdp, rtpPacket } from '../testing/packets'

interface Heard extends Call {
  readonly events: string[]
  /** Lets seconds go by in which the sides named send. */
  run(seconds: number, sides: '' | 'a' | 'b' | 'ab'): void
}

async function listening(limits: Partial<RelayLimits> = {}): Promise<Heard> {
  const made = await call([], [], {}, { silenceTimeoutMs: 0, ...limits })
  const events: string[] = []
  made.relay.on('media-silent', ({ sessionId, stream, side }) => events.push(`${sessionId} ${stream} ${side} silent`))
  made.relay.on('media-resumed', ({ sessionId, stream, side }) => events.push(`${sessionId} ${stream} ${side} resumed`))
  let sequence = 0
  const run = (seconds: number, sides: string): void => {
    for (let second = 0; second < seconds; second++) {
      const packet = rtpPacket({ sequence: sequence++ })
      if (sides.includes('a')) made.network.deliver(made.toA, packet, A.address, A.port)
      if (sides.includes('b')) made.network.deliver(made.toB, packet, B.address, B.port)
      made.clock.advance(1_000)
    }
  }
  return { ...made, events, run }
}

async function renegotiate({ session }: Heard, ...lines: readonly string[]): Promise<void> {
  await session.offer(audioSdp(A.address, A.port, ...lines), { from: 'a' })
  const [line = ''] = lines
  await session.answer(audioSdp(B.address, B.port, ...(line === 'a=sendonly' ? ['a=recvonly'] : [])), { from: 'b' })
}

describe('one-way audio', () => {
  it('is told once, and so is its end', async () => {
    const { events, run } = await listening()
    run(20, 'ab')
    expect(events).toEqual([])
    run(8, 'a')
    expect(events).toEqual([])
    run(20, 'a')
    expect(events).toEqual(['call 0 b silent'])
    run(3, 'ab')
    expect(events).toEqual(['call 0 b silent', 'call 0 b resumed'])
    run(15, 'b')
    expect(events.slice(2)).toEqual(['call 0 a silent'])
  })

  it('is told of a side that was never heard', async () => {
    const { events, run } = await listening()
    run(15, 'b')
    expect(events).toEqual(['call 0 a silent'])
    run(30, '')
    run(2, 'a')
    expect(events).toEqual(['call 0 a silent', 'call 0 a resumed'])
    run(7, 'a')
    expect(events).toHaveLength(2)
    run(3, 'a')
    expect(events.slice(2)).toEqual(['call 0 b silent'])
  })

  it('is not told of two sides that are silent, or stop one after the other', async () => {
    const { events, run } = await listening()
    run(30, '')
    run(5, 'ab')
    run(2, 'b')
    run(60, '')
    expect(events).toEqual([])
  })

  it('is not told of a call on hold, and its time starts when the call goes on', async () => {
    const made = await listening()
    made.run(5, 'ab')
    await renegotiate(made, 'a=sendonly')
    made.run(60, 'a')
    expect(made.events).toEqual([])
    await renegotiate(made)
    made.run(8, 'a')
    expect(made.events).toEqual([])
    made.run(4, 'a')
    expect(made.events).toEqual(['call 0 b silent'])
  })

  it('is not told before the answer, nor where the limit is 0', async () => {
    const { events, run } = await listening({ oneWayTimeoutMs: 0 })
    run(60, 'a')
    expect(events).toEqual([])
    const waiting = await listening()
    const other = waiting.relay.createSession('other')
    await other.offer(audioSdp(A.address, A.port), { from: 'a' })
    const toA = waiting.network.at(other.snapshot().streams[0]?.a?.localPort ?? 0)
    for (let second = 0; second < 30; second++) {
      waiting.network.deliver(toA, rtpPacket({ sequence: second }), A.address, A.port)
      waiting.clock.advance(1_000)
    }
    expect(waiting.events).toEqual([])
  })

  it('is not told of fax, which goes one way for long', async () => {
    const { relay, network, clock } = await listening()
    const events: unknown[] = []
    relay.on('media-silent', (event) => events.push(event))
    const fax = relay.createSession('fax')
    const sdp = (address: string, port: number): string =>
      audioSdp(address, port).replace(/m=.*/, `m=image ${port} udptl t38`)
    await fax.offer(sdp(A.address, A.port), { from: 'a' })
    await fax.answer(sdp(B.address, B.port), { from: 'b' })
    const toA = network.at(fax.snapshot().streams[0]?.a?.localPort ?? 0)
    for (let second = 0; second < 30; second++) {
      network.deliver(toA, Uint8Array.of(0, second), A.address, A.port)
      clock.advance(1_000)
    }
    expect(events).toEqual([])
  })

  it('lets a listener close the session', async () => {
    const { relay, session, run } = await listening({ maxDurationMs: 11_000 })
    const reasons: unknown[] = []
    relay.on('media-silent', () => session.close())
    relay.on('session-closed', ({ reason }) => reasons.push(reason))
    run(15, 'a')
    expect(reasons).toEqual(['closed'])
  })
})

describe('the longest life of a session', () => {
  it('ends it, held or not, with an event', async () => {
    const made = await listening({ maxDurationMs: 60_000 })
    const reasons: unknown[] = []
    made.relay.on('session-timeout', ({ reason }) => reasons.push(reason))
    made.relay.on('session-closed', ({ reason }) => reasons.push(reason))
    await renegotiate(made, 'a=sendonly')
    made.run(59, 'ab')
    expect(reasons).toEqual([])
    made.run(2, 'ab')
    expect(reasons).toEqual(['duration', 'duration'])
    expect(made.relay.stats()).toMatchObject({ sessions: 0, sessionsTimedOut: 1 })
  })

  it('has no bound by default', async () => {
    const { relay, run } = await listening()
    run(100_000, 'ab')
    expect(relay.sessions).toBe(1)
  })
})
