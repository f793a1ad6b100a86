import { describe, expect, it } from 'vitest'
import type { BridgeEnd, BridgeEvent } from '../../b2bua/bridge-types'
import type { Call } from '../calls/call'
import { Scenario } from '../fixtures/scenario'
import type { SipStack } from '../stack'
import type { Bridge } from './bridge'
import type { BridgeOptions, SdpAnchor } from './bridge-options'

const sdp = (who: string, version = 1) =>
  `v=0\r\no=${who} 1 ${version} IN IP4 10.0.0.9\r\ns=-\r\nc=IN IP4 10.0.0.9\r\nt=0 0\r\nm=audio ${4000 + who.length * 10} RTP/AVP 0\r\n`

const port = (body: Uint8Array | undefined) => /m=audio (\d+)/.exec(Buffer.from(body ?? []).toString())?.[1]
const portOf = (who: string) => port(Buffer.from(sdp(who)))

class CountingAnchor implements SdpAnchor {
  readonly log: string[] = []
  released = 0
  async offer(side: 'a' | 'b', given: Uint8Array) {
    this.log.push(`offer ${side}`)
    return given
  }
  async answer(side: 'a' | 'b', given: Uint8Array) {
    this.log.push(`answer ${side}`)
    return given
  }
  release() {
    this.released += 1
  }
}

interface World {
  readonly scenario: Scenario
  readonly phones: Readonly<Record<string, SipStack>>
  /** Calls that each phone has answered, in order. */
  readonly taken: Readonly<Record<string, Call[]>>
  readonly bridges: Bridge[]
  readonly events: BridgeEvent[]
  readonly anchors: CountingAnchor[]
  readonly ends: BridgeEnd[]
}

const names = ['alice', 'bob', 'carol-cc', 'dave-dddd'] as const

/** A hub at 10.0.0.1 that bridges `sip:NAME@10.0.0.1` to the phone of that name, and phones from .2 on. */
async function world(
  options: BridgeOptions = { transfers: 'execute' },
  silent: readonly string[] = [],
): Promise<World> {
  const scenario = new Scenario()
  const hub = await scenario.stack('hub')
  const uris = Object.fromEntries(names.map((name, index) => [name, `sip:${name}@10.0.0.${index + 2}:5060`]))
  const [bridges, events, anchors, ends] = [[], [], [], []] as [Bridge[], BridgeEvent[], CountingAnchor[], BridgeEnd[]]
  hub.method('INVITE', async (request) => {
    const user = /sip:([^@]+)@/.exec(request.uri.toString())?.[1] ?? ''
    const anchor = new CountingAnchor()
    const bridge = await request.bridge(uris[user] ?? 'sip:nobody@10.0.0.99', {
      ...options,
      sdp: anchor,
      onEvent: (event) => {
        events.push(event)
        if (event.kind === 'ended') ends.push(event.end)
      },
    })
    anchors.push(anchor)
    bridges.push(bridge)
  })
  const phones: Record<string, SipStack> = {}
  const taken: Record<string, Call[]> = {}
  for (const name of names) {
    const phone = await scenario.stack(name, { callMethods: ['REFER', 'NOTIFY'] })
    phones[name] = phone
    taken[name] = []
    phone.method('INVITE', async (request) => {
      request.reply(180)
      if (silent.includes(name)) return
      const call = await request.accept({ sdp: sdp(name) })
      behave(call, name)
      taken[name]!.push(call)
    })
  }
  return { scenario, phones, taken, bridges, events, anchors, ends }
}

/** Calls that agree to no change. */
const refusing = new Set<Call>()

/** Agrees to every change. */
function behave(call: Call, name: string): void {
  let version = 1
  call.onRequest((request) => {
    version += 1
    if (refusing.has(call)) request.reply(488)
    else request.reply(200, { body: sdp(name, version) })
  })
}

async function dial(w: World, from: (typeof names)[number], to: (typeof names)[number]): Promise<Call> {
  const call = await w.scenario.settle(
    w.phones[from]!.invite(`sip:${to}@10.0.0.1:5060`, {
      sdp: sdp(from),
      from: `<sip:${from}@10.0.0.${2 + names.indexOf(from)}>`,
    }),
  )
  behave(call, from)
  await w.scenario.pass(100)
  return call
}

async function over(w: World): Promise<void> {
  await w.scenario.pass(100_000)
  expect(w.scenario.gauges()).toEqual(w.scenario.gauges().map(() => 0))
  expect(w.scenario.clock.pending).toBe(0)
  expect(w.ends).toHaveLength(w.bridges.length)
  expect(w.anchors.map(({ released }) => released)).toEqual(w.anchors.map(() => 1))
}

describe('a transfer that the bridge carries out', () => {
  it.each(['caller', 'callee'] as const)(
    'RFC 3515: blind, asked for by the %s: the other side talks to the target',
    async (who) => {
      const w = await world()
      const alice = await dial(w, 'alice', 'bob')
      const bob = w.taken.bob![0]!
      const [asking, staying, stays] = who === 'caller' ? [alice, bob, 'bob'] : [bob, alice, 'alice']
      const heard: number[] = []
      const outcome = await w.scenario.settle(
        asking.transfer('sip:carol-cc@10.0.0.4:5060', { onProgress: (status) => heard.push(status) }),
      )
      expect(outcome).toEqual({ result: 'accepted', status: 200 })
      expect(heard).toEqual([100, 180])
      await w.scenario.pass(500)
      const [carol] = w.taken['carol-cc']!
      expect([asking.state, staying.state, carol?.state]).toEqual(['ended', 'active', 'active'])
      expect(port(carol?.remoteSdp)).toBe(portOf(stays))
      expect(port(staying.remoteSdp)).toBe(portOf('carol-cc'))
      expect(carol?.remote.uri.toString()).toContain(stays)
      // RFC 3264 §8: one origin for all that goes to the side that stays.
      const origin = /o=(\S+ \d+) (\d+)/.exec(Buffer.from(staying.remoteSdp!).toString())
      expect(origin?.[2]).toBe('2')
      expect(w.events.map(({ kind }) => kind)).toContain('replaced')
      expect(w.events.some(({ kind }) => kind === 'ended')).toBe(false)
      await w.scenario.settle(carol!.bye())
      expect(await w.scenario.settle(staying.ended)).toMatchObject({ by: 'remote' })
      expect(w.ends[0]).toMatchObject({ disposition: 'ANSWERED', by: who === 'caller' ? 'a' : 'b' })
      await over(w)
    },
  )

  it('RFC 3891: attended: two bridges become one, and each call record is written once', async () => {
    const w = await world()
    const toBob = await dial(w, 'alice', 'bob')
    const toCarol = await dial(w, 'alice', 'carol-cc')
    expect(await w.scenario.settle(toBob.transferTo(toCarol))).toEqual({ result: 'accepted', status: 200 })
    await w.scenario.pass(500)
    const [bob, carol] = [w.taken.bob![0]!, w.taken['carol-cc']![0]!]
    expect([toBob.state, toCarol.state, bob.state, carol.state]).toEqual(['ended', 'ended', 'active', 'active'])
    expect([port(bob.remoteSdp), port(carol.remoteSdp)]).toEqual([portOf('carol-cc'), portOf('bob')])
    expect(w.ends).toMatchObject([{ reason: 'transferred' }])
    await w.scenario.settle(bob.bye())
    expect(await w.scenario.settle(carol.ended)).toMatchObject({ by: 'remote' })
    await over(w)
  })

  it('RFC 3891 §3: an INVITE with Replaces takes the place of a side', async () => {
    const w = await world()
    const alice = await dial(w, 'alice', 'bob')
    const bob = w.taken.bob![0]!
    const replaces = `${alice.callId};to-tag=${alice.remoteTag};from-tag=${alice.localTag}`
    const taking = w.phones['dave-dddd']!.invite('sip:bob@10.0.0.1:5060', {
      sdp: sdp('dave-dddd'),
      headers: [['Replaces', replaces]],
    })
    const dave = await w.scenario.settle(taking)
    await w.scenario.pass(200)
    expect([alice.state, bob.state, dave.state]).toEqual(['ended', 'active', 'active'])
    expect([port(bob.remoteSdp), port(dave.remoteSdp)]).toEqual([portOf('dave-dddd'), portOf('bob')])
    expect(w.events).toContainEqual({ kind: 'replaced', side: 'a', reason: 'replaces' })
    await w.scenario.settle(dave.bye())
    expect(await w.scenario.settle(bob.ended)).toMatchObject({ by: 'remote' })
    w.anchors.splice(1)
    w.bridges.splice(1)
    await over(w)
  })

  it('who asked may hang up at once, and the other side waits for the target', async () => {
    const w = await world({ transfers: 'execute' }, ['carol-cc'])
    const alice = await dial(w, 'alice', 'bob')
    const bob = w.taken.bob![0]!
    const asking = alice.transfer('sip:carol-cc@10.0.0.4:5060').catch((error: unknown) => error)
    await w.scenario.pass(200)
    await w.scenario.settle(alice.bye())
    await w.scenario.settle(asking)
    await w.scenario.pass(1000)
    expect(bob.state).toBe('active')
    // Nobody answers: then the other side is told as well.
    expect(await w.scenario.settle(bob.ended, 300_000)).toMatchObject({ by: 'remote' })
    expect(w.events).toContainEqual({ kind: 'transfer-failed', by: 'a', status: 408 })
    await w.scenario.pass(600_000)
    await over(w)
  })

  it('a target that never answers: the two go on with each other', async () => {
    const w = await world({ transfers: 'execute', ringTimeoutMs: 10_000 }, ['carol-cc'])
    const alice = await dial(w, 'alice', 'bob')
    const outcome = await w.scenario.settle(alice.transfer('sip:carol-cc@10.0.0.4:5060'))
    expect(outcome).toEqual({ result: 'failed', status: 408 })
    expect([alice.state, w.taken.bob![0]!.state]).toEqual(['active', 'active'])
    expect((await w.scenario.settle(alice.reinvite({ sdp: sdp('alice', 2) }))).status).toBe(200)
    await w.scenario.settle(alice.bye())
    await over(w)
  })

  it('a target that is busy, and a side that does not agree to the media of the target', async () => {
    const w = await world()
    w.phones['carol-cc']!.use((request) => request.reply(486))
    const alice = await dial(w, 'alice', 'bob')
    expect(await w.scenario.settle(alice.transfer('sip:carol-cc@10.0.0.4:5060'))).toEqual({
      result: 'failed',
      status: 486,
    })
    const second = await world()
    const other = await dial(second, 'alice', 'bob')
    refusing.add(second.taken.bob![0]!)
    expect(await second.scenario.settle(other.transfer('sip:carol-cc@10.0.0.4:5060'))).toEqual({
      result: 'failed',
      status: 488,
    })
    await second.scenario.pass(500)
    expect(second.taken['carol-cc']![0]!.state).toBe('ended')
    expect([other.state, second.taken.bob![0]!.state]).toEqual(['active', 'active'])
    await w.scenario.settle(alice.bye())
    await second.scenario.settle(other.bye())
    await over(w)
    await over(second)
  })

  it('the side that stays hangs up while the target rings: everybody is let go', async () => {
    const w = await world({ transfers: 'execute' }, ['carol-cc'])
    const alice = await dial(w, 'alice', 'bob')
    const asking = alice.transfer('sip:carol-cc@10.0.0.4:5060').catch((error: unknown) => error)
    await w.scenario.pass(500)
    await w.scenario.settle(w.taken.bob![0]!.bye())
    await w.scenario.settle(asking)
    expect(alice.state).toBe('ended')
    expect(w.scenario.ladder).toContain('hub>carol-cc CANCEL')
    await over(w)
  })

  it('a REFER to oneself, to the other side, or that makes both sides the same call is refused', async () => {
    const w = await world()
    const alice = await dial(w, 'alice', 'bob')
    const bob = w.taken.bob![0]!
    for (const target of ['sip:alice@10.0.0.2:5060', 'sip:bob@10.0.0.3:5060'])
      expect(await w.scenario.settle(alice.transfer(target))).toEqual({ result: 'refused', status: 403 })
    // Replaces that names the very call, and the other side of the very bridge.
    const naming = (call: Call) => {
      const replaces = encodeURIComponent(`${call.callId};to-tag=${call.remoteTag};from-tag=${call.localTag}`)
      return [['Refer-To', `<sip:x@10.0.0.1?Replaces=${replaces}>`]] as const
    }
    for (const named of [alice, bob])
      expect((await w.scenario.settle(alice.request('REFER', { headers: naming(named) }))).status).toBe(403)
    expect([alice.state, bob.state]).toEqual(['active', 'active'])
    await w.scenario.settle(alice.bye())
    await over(w)
  })

  it('a second REFER while one is under way is 491; by default every one is 405', async () => {
    const w = await world({ transfers: 'execute', ringTimeoutMs: 5_000 }, ['carol-cc'])
    const alice = await dial(w, 'alice', 'bob')
    const first = alice.transfer('sip:carol-cc@10.0.0.4:5060')
    await w.scenario.pass(200)
    const second = await w.scenario.settle(w.taken.bob![0]!.transfer('sip:dave-dddd@10.0.0.5:5060'))
    expect(second).toEqual({ result: 'refused', status: 491 })
    await w.scenario.settle(first)
    await w.scenario.settle(alice.bye())
    await over(w)
    const plain = await world({})
    const call = await dial(plain, 'alice', 'bob')
    expect(await plain.scenario.settle(call.transfer('sip:dave-dddd@10.0.0.5:5060'))).toEqual({
      result: 'refused',
      status: 405,
    })
    await plain.scenario.settle(call.bye())
    await over(plain)
  })

  it('RFC 3515: passed on instead, the other phone does it itself and its reports come back', async () => {
    const w = await world({ transfers: 'pass' })
    const alice = await dial(w, 'alice', 'bob')
    const made: Call[] = []
    w.taken.bob![0]!.on('transfer', (transfer) => {
      void transfer.follow({ sdp: sdp('bob') }).then((call) => made.push(call))
    })
    const heard: number[] = []
    const outcome = await w.scenario.settle(
      alice.transfer('sip:carol-cc@10.0.0.4:5060', { onProgress: (status) => heard.push(status) }),
    )
    expect([outcome, heard]).toEqual([{ result: 'accepted', status: 200 }, [100, 180]])
    expect(w.taken['carol-cc']).toHaveLength(1)
    await w.scenario.settle(alice.bye())
    await w.scenario.settle(made[0]!.bye())
    await over(w)
  })

  it('the target hears who talks to it, whatever was said to whom was called first, and no host where that is hidden', async () => {
    const w = await world({
      transfers: 'execute',
      to: 'sip:team@10.0.0.1',
      from: 'sip:desk@10.0.0.1',
      hideTopology: true,
    })
    const alice = await dial(w, 'alice', 'bob')
    await w.scenario.settle(alice.transfer('sip:carol-cc@10.0.0.4:5060'))
    const [carol] = w.taken['carol-cc']!
    expect(carol!.local.uri.toString()).toBe('sip:carol-cc@10.0.0.4:5060')
    // Bob stays: he was called as the team, and stands for nobody else.
    expect(carol!.remote.uri.toString()).toBe('sip:team@10.0.0.1')
    await w.scenario.settle(carol!.bye())
    const other = await world({ transfers: 'execute', from: 'sip:desk@10.0.0.1' })
    const call = await dial(other, 'alice', 'bob')
    await other.scenario.settle(other.taken.bob![0]!.transfer('sip:carol-cc@10.0.0.4:5060'))
    expect(other.taken['carol-cc']![0]!.remote.uri.toString()).toBe('sip:desk@10.0.0.1')
    await other.scenario.settle(call.bye())
    await over(w)
    await over(other)
  })

  it('by default a bridge passes neither REFER nor NOTIFY', async () => {
    const w = await world({})
    const alice = await dial(w, 'alice', 'bob')
    const headers = [
      ['Event', 'refer'],
      ['Subscription-State', 'active'],
    ] as const
    expect((await w.scenario.settle(alice.request('NOTIFY', { headers }))).status).toBe(405)
    expect(w.scenario.ladder).not.toContain('hub>bob NOTIFY')
    await w.scenario.settle(alice.bye())
    await over(w)
  })

  it('its user decides where a REFER leads', async () => {
    const asked: unknown[] = []
    const w = await world({
      transfers: async ({ by, target }) => {
        asked.push([by, target.toString()])
        return { uri: 'sip:dave-dddd@10.0.0.5:5060' }
      },
    })
    const alice = await dial(w, 'alice', 'bob')
    expect(await w.scenario.settle(alice.transfer('sip:600@10.0.0.1'))).toEqual({ result: 'accepted', status: 200 })
    expect(asked).toEqual([['a', 'sip:600@10.0.0.1']])
    await w.scenario.pass(200)
    await w.scenario.settle(w.taken['dave-dddd']![0]!.bye())
    await over(w)
  })

  it('a peer that changes its Contact to ours cannot make the bridge talk to itself for ever', async () => {
    const w = await world()
    const alice = await dial(w, 'alice', 'bob')
    const headers = [['Contact', '<sip:bob@10.0.0.1:5060>']] as const
    // The phone's own Contact goes out as well; the first one counts.
    await w.scenario.settle(alice.reinvite({ sdp: sdp('alice', 2), headers })).catch(() => {})
    await w.scenario.pass(1000)
    const before = w.scenario.ladder.length
    await w.scenario.settle(w.taken.bob![0]!.reinvite({ sdp: sdp('bob', 2) })).catch(() => {})
    await w.scenario.pass(40_000)
    expect(w.scenario.ladder.length - before).toBeLessThan(60)
    await w.scenario.settle(alice.bye())
    await over(w)
  })
})
