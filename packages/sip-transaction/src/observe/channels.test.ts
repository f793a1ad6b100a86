import { channel, subscribe, unsubscribe } from 'node:diagnostics_channel'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { SipStack } from '../endpoint/stack'
import { FakeClock } from '../testing/fake-clock'
import { MemoryNetwork } from '../testing/memory-network'
import { SeededRandom } from '../testing/seeded-random'
import { type SipChannelEvents, sipChannels, subscribeSip } from './channels'

const clock = new FakeClock()
const open: SipStack[] = []
const stops: (() => void)[] = []
const sdp = 'v=0\r\no=- 1 1 IN IP4 10.0.0.1\r\ns=-\r\nc=IN IP4 10.0.0.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n'

afterEach(async () => {
  const closed = Promise.all(open.splice(0).map((stack) => stack.close({ graceMs: 0 })))
  await clock.advance(60_000)
  await closed
  for (const stop of stops.splice(0)) stop()
})

async function world(isReliable = false) {
  const network = new MemoryNetwork({ clock })
  const transportName = isReliable ? 'TCP' : 'UDP'
  const stackAt = async (host: string) => {
    const stack = await SipStack.create({
      listen: [`memory://${host}:5060`],
      transports: [network.factory({ isReliable, transportName })],
      clock,
      random: new SeededRandom(Number(host.split('.')[3])),
    })
    open.push(stack)
    return stack
  }
  return { alice: await stackAt('10.0.0.1'), bob: await stackAt('10.0.0.2') }
}

/** Everything that a channel tells, until the test is over. */
function collect<K extends keyof SipChannelEvents>(subject: K): SipChannelEvents[K][] {
  const events: SipChannelEvents[K][] = []
  stops.push(subscribeSip(subject, (event) => events.push(event)))
  return events
}

async function answered(alice: SipStack): Promise<number> {
  const asking = alice.request({ method: 'OPTIONS', uri: 'sip:bob@10.0.0.2:5060', callId: 'asked' })
  await clock.advance(100)
  return (await asking).status
}

describe('carillon:sip:message', () => {
  it('has every message of every stack, parsed, with its stack and both addresses', async () => {
    const { alice, bob } = await world()
    const events = collect('message')
    expect(await answered(alice)).toBe(200)
    expect(events.map(({ stack, direction, startLine }) => [stack, direction, startLine.split(' ')[0]])).toEqual([
      [alice, 'out', 'OPTIONS'],
      [bob, 'in', 'OPTIONS'],
      [bob, 'out', 'SIP/2.0'],
      [alice, 'in', 'SIP/2.0'],
    ])
    for (const { message, local, wallMs } of events) {
      expect(message?.callId).toBe('asked')
      expect(local?.port).toBe(5060)
      expect(wallMs).toBe(clock.wallMs() - 100)
    }
  })

  it('is made for subscribers only, who may come and go', async () => {
    const { alice } = await world()
    expect(channel(sipChannels.message).hasSubscribers).toBe(false)
    const listener = vi.fn()
    subscribe(sipChannels.message, listener)
    await answered(alice)
    expect(listener).toHaveBeenCalledTimes(4)
    expect(unsubscribe(sipChannels.message, listener)).toBe(true)
    await answered(alice)
    expect(listener).toHaveBeenCalledTimes(4)
    expect(channel(sipChannels.message).hasSubscribers).toBe(false)
  })
})

describe('subscribeSip', () => {
  it('keeps what a subscriber throws out of the stack and hands it to onError', async () => {
    const { alice } = await world()
    const errors: unknown[] = []
    for (const subject of Object.keys(sipChannels) as (keyof typeof sipChannels)[]) {
      const listener = () => {
        throw new Error(subject)
      }
      stops.push(subscribeSip(subject, listener, (error) => errors.push((error as Error).message)))
    }
    expect(await answered(alice)).toBe(200)
    expect(new Set(errors)).toEqual(new Set(['message', 'transaction', 'flow']))
  })

  it('warns when nobody takes the error', async () => {
    const { alice } = await world()
    const warn = vi.spyOn(process, 'emitWarning').mockImplementation(() => {})
    const listener = () => {
      throw new Error('mine')
    }
    stops.push(subscribeSip('message', listener))
    await answered(alice)
    expect(warn).toHaveBeenCalledTimes(4)
    warn.mockRestore()
  })
})

describe('carillon:sip:transaction', () => {
  it('follows a request on both sides from its beginning to its end', async () => {
    const { alice, bob } = await world()
    const events = collect('transaction')
    await answered(alice)
    await clock.advance(60_000)
    const seen = (stack: SipStack) =>
      events.filter((event) => event.stack === stack).map((event) => [event.kind, 'role' in event ? event.role : ''])
    expect(seen(alice)).toEqual([
      ['started', 'client'],
      ['response', 'client'],
      ['ended', ''],
    ])
    expect(seen(bob)).toEqual([
      ['started', 'server'],
      ['response', 'server'],
      ['ended', ''],
    ])
    const ids = new Set(events.filter((event) => event.stack === alice).map((event) => event.transactionId))
    expect(ids.size).toBe(1)
  })

  it('tells of a request that nobody answers, and of an INVITE that is cancelled', async () => {
    const { alice, bob } = await world()
    bob.method('INVITE', (request) => request.reply(180))
    const events = collect('transaction')
    const asking = alice.request({ method: 'OPTIONS', uri: 'sip:nobody@10.0.0.9:5060' }).catch((error) => error.code)
    const abort = new AbortController()
    const calling = alice.invite('sip:bob@10.0.0.2:5060', { sdp, signal: abort.signal }).catch((error) => error.code)
    await clock.advance(1_000)
    abort.abort()
    await clock.advance(40_000)
    expect([await asking, await calling]).toEqual(['TIMEOUT', 'ABORTED'])
    expect(events.filter(({ kind }) => kind === 'failed')).toMatchObject([{ stack: alice, reason: 'timeout' }])
    expect(events.filter(({ kind }) => kind === 'cancelled')).toMatchObject([{ stack: bob, role: 'server' }])
  })
})

describe('carillon:sip:dialog', () => {
  it('goes through early and confirmed to ended, once each, on both sides, re-INVITEs notwithstanding', async () => {
    const { alice, bob } = await world()
    bob.method('INVITE', async (request) => {
      request.reply(180)
      const call = await request.accept({ sdp })
      call.onRequest((inside) => inside.reply(200, { body: sdp }))
    })
    const events = collect('dialog')
    const calling = alice.invite('sip:bob@10.0.0.2:5060', { sdp })
    await clock.advance(100)
    const call = await calling
    const changing = call.reinvite({ sdp })
    await clock.advance(100)
    await changing
    const bye = call.bye()
    await clock.advance(100)
    await bye
    for (const stack of [alice, bob]) {
      const own = events.filter((event) => event.stack === stack)
      expect(own.map(({ kind }) => kind)).toEqual(['early', 'confirmed', 'ended'])
      expect(new Set(own.map(({ callId }) => callId))).toEqual(new Set([call.callId]))
      expect(own[2]?.end?.by).toBe(stack === alice ? 'local' : 'remote')
    }
    const [first, second] = [alice, bob].map((stack) => events.find((event) => event.stack === stack))
    expect([first?.localTag, first?.remoteTag]).toEqual([second?.remoteTag, second?.localTag])
  })

  it('ends an early dialog that a failure ends', async () => {
    const { alice, bob } = await world()
    bob.method('INVITE', (request) => {
      request.reply(180)
      request.reply(486)
    })
    const events = collect('dialog')
    const calling = alice.invite('sip:bob@10.0.0.2:5060', { sdp }).catch((error) => error.status)
    await clock.advance(100)
    expect(await calling).toBe(486)
    expect(events.filter(({ stack }) => stack === alice).map(({ kind }) => kind)).toEqual(['early', 'ended'])
  })
})

describe('carillon:sip:flow and carillon:sip:dropped', () => {
  it('tell of connections begun and ended, and of what was not handed on', async () => {
    const { alice, bob } = await world(true)
    const flows = collect('flow')
    const dropped = collect('dropped')
    const asking = alice.request({ method: 'OPTIONS', uri: 'sip:bob@10.0.0.2:5060;transport=tcp' })
    await clock.advance(100)
    await asking
    expect(flows.map(({ kind }) => kind)).toEqual(['opened', 'opened'])
    expect(flows.map(({ stack }) => stack)).toEqual(expect.arrayContaining([alice, bob]))
    const closing = alice.close({ graceMs: 0 })
    await clock.advance(60_000)
    await closing
    expect(flows.filter(({ kind }) => kind === 'closed').map(({ reason }) => typeof reason)).toContain('string')
    expect(dropped).toEqual([])
  })
})
