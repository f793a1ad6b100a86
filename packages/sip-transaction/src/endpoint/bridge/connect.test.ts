import { describe, expect, it } from 'vitest'
import { CallFailedError } from '../../errors'
import type { Call } from '../calls/call'
import { Scenario } from '../fixtures/scenario'
import type { IncomingRequest } from '../requests/incoming-request'
import type { SipStack } from '../stack'
import type { BridgeOptions } from './bridge-options'
import type { ConnectOptions } from './bridge-start'

const sdp = (who: string) =>
  `v=0\r\no=${who} 1 1 IN IP4 10.0.0.9\r\ns=-\r\nc=IN IP4 10.0.0.9\r\nt=0 0\r\nm=audio ${4000 + who.length * 10} RTP/AVP 0\r\n`
const port = (body: Uint8Array | undefined) => /m=audio (\d+)/.exec(Buffer.from(body ?? []).toString())?.[1]
const portOf = (who: string) => port(Buffer.from(sdp(who)))

interface World {
  readonly scenario: Scenario
  readonly hub: SipStack
  readonly alice: SipStack
  readonly invites: IncomingRequest[]
  readonly calls: Record<string, Call>
}

const aliceUri = 'sip:alice@10.0.0.2:5060'
const bobUri = 'sip:bob@10.0.0.3:5060'

/** A hub that connects; Alice and Bob answer at once, or with what is given for Bob. */
async function world(bobAnswers: number | 'never' = 200): Promise<World> {
  const scenario = new Scenario()
  const hub = await scenario.stack('hub')
  const alice = await scenario.stack('alice')
  const bob = await scenario.stack('bob')
  const calls: Record<string, Call> = {}
  const invites: IncomingRequest[] = []
  for (const [name, phone] of [
    ['alice', alice],
    ['bob', bob],
  ] as const) {
    phone.method('INVITE', async (request) => {
      invites.push(request)
      request.reply(180)
      if (name === 'bob' && bobAnswers === 'never') return
      if (name === 'bob' && bobAnswers !== 200) {
        request.reply(bobAnswers as number)
        return
      }
      const call = await request.accept({ sdp: sdp(name) })
      call.onRequest((inside) => inside.reply(200, { body: sdp(name).replace('1 1 IN', '1 2 IN') }))
      calls[name] = call
    })
  }
  return { scenario, hub, alice, invites, calls }
}

async function over(w: World): Promise<void> {
  await w.scenario.pass(100_000)
  expect(w.scenario.gauges()).toEqual(w.scenario.gauges().map(() => 0))
  expect(w.scenario.clock.pending).toBe(0)
}

describe('third party call control', () => {
  it.each(['I', 'IV'] as const)(
    'RFC 3725 §4: flow %s connects two phones, with the media of each other',
    async (flow) => {
      const w = await world()
      const rang: number[] = []
      const bridge = await w.scenario.settle(
        w.hub.connect(aliceUri, bobUri, { flow, from: '<sip:desk@hub>', onRinging: (status) => rang.push(status) }),
      )
      await w.scenario.pass(500)
      expect(bridge.state).toBe('active')
      expect(rang).toEqual([180])
      expect([port(w.calls.alice!.remoteSdp), port(w.calls.bob!.remoteSdp)]).toEqual([portOf('bob'), portOf('alice')])
      const [first, second] = w.invites
      expect(first!.body.length === 0).toBe(flow === 'I')
      expect(port(first!.body)).toBeUndefined()
      expect(second!.body.length > 0).toBe(flow === 'I')
      await w.scenario.settle(w.calls.bob!.bye())
      expect(await w.scenario.settle(w.calls.alice!.ended)).toMatchObject({ by: 'remote' })
      expect(await w.scenario.settle(bridge.ended)).toMatchObject({ disposition: 'ANSWERED', by: 'b' })
      await over(w)
    },
  )

  it.each(['I', 'IV'] as const)('flow %s: the second phone is busy: the first one is let go', async (flow) => {
    const w = await world(486)
    const bridge = await w.scenario.settle(w.hub.connect(aliceUri, bobUri, { flow }))
    expect(await w.scenario.settle(bridge.ended)).toMatchObject({ disposition: 'BUSY', status: 486 })
    expect(await w.scenario.settle(w.calls.alice!.ended)).toMatchObject({ by: 'remote' })
    await over(w)
  })

  it('the first phone hangs up while the second one rings', async () => {
    const w = await world('never')
    const bridge = await w.scenario.settle(w.hub.connect(aliceUri, bobUri))
    await w.scenario.pass(1000)
    await w.scenario.settle(w.calls.alice!.bye())
    expect(await w.scenario.settle(bridge.ended)).toMatchObject({ disposition: 'CANCELLED' })
    expect(w.scenario.ladder).toContain('hub>bob CANCEL')
    await over(w)
  })

  it('the first phone refuses, or its caller gives up', async () => {
    const w = await world('never')
    const refused = w.hub.connect('sip:nobody@10.0.0.3:5060', aliceUri, { ringTimeoutMs: 3_000 })
    expect(await w.scenario.settle(refused.catch((error: unknown) => error))).toMatchObject({ code: 'TIMEOUT' })
    const controller = new AbortController()
    const waiting = w.hub.connect(bobUri, aliceUri, { signal: controller.signal }).catch((error: unknown) => error)
    await w.scenario.pass(500)
    controller.abort()
    expect(await w.scenario.settle(waiting)).toMatchObject({ code: 'ABORTED' })
    const busy = await world(486)
    const failed = busy.hub.connect(bobUri, aliceUri).catch((error: unknown) => error)
    expect(await busy.scenario.settle(failed)).toBeInstanceOf(CallFailedError)
    await over(w)
    await over(busy)
  })

  it('a call that is up is connected with a place, and is a call again when nobody is there', async () => {
    const w = await world(486)
    const waiting: Call[] = []
    w.hub.method('INVITE', async (request) => void waiting.push(await request.accept({ sdp: sdp('attendant') })))
    const alice = await w.scenario.settle(w.alice.invite('sip:desk@10.0.0.1:5060', { sdp: sdp('alice') }))
    alice.onRequest((request) => request.reply(200, { body: sdp('alice').replace('1 1 IN', '1 2 IN') }))
    const failed = await w.scenario.settle(w.hub.connect(waiting[0]!, bobUri))
    expect(await w.scenario.settle(failed.ended)).toMatchObject({ disposition: 'BUSY' })
    expect([waiting[0]!.state, alice.state]).toEqual(['active', 'active'])
    const heard: string[] = []
    waiting[0]!.on('dtmf', ({ digit }) => heard.push(digit))
    await w.scenario.settle(alice.sendDtmf('5'))
    expect(heard).toEqual(['5'])
    await w.scenario.settle(alice.bye())
    await over(w)
  })

  it('two calls that are up are connected; the same call twice, the two ends of one, and one that is bridged are refused', async () => {
    const w = await world()
    const options: ConnectOptions = {}
    const [toAlice, toBob] = await w.scenario.settle(
      Promise.all([w.hub.invite(aliceUri, { sdp: sdp('hub') }), w.hub.invite(bobUri, { sdp: sdp('hub') })]),
    )
    await expect(w.hub.connect(toAlice, toAlice, options)).rejects.toMatchObject({ code: 'SAME_CALL' })
    await expect(w.hub.connect(toAlice, w.calls.alice!, options)).rejects.toMatchObject({ code: 'SAME_CALL' })
    const bridge = await w.scenario.settle(w.hub.connect(toAlice, toBob, options))
    await w.scenario.pass(500)
    expect(bridge.state).toBe('active')
    expect([port(w.calls.alice!.remoteSdp), port(w.calls.bob!.remoteSdp)]).toEqual([portOf('bob'), portOf('alice')])
    await expect(w.hub.connect(toAlice, bobUri)).rejects.toMatchObject({ code: 'ALREADY_BRIDGED' })
    const done = bridge.hangup('enough')
    await w.scenario.settle(done)
    expect(await w.scenario.settle(toAlice.ended)).toMatchObject({ by: 'local' })
    await expect(w.hub.connect(toAlice, bobUri)).rejects.toMatchObject({ code: 'CALL_ENDED' })
    await over(w)
  })
})

describe('what a bridge lets pass', () => {
  async function bridged(options: BridgeOptions, bobAnswers: number | 'never' = 200) {
    const w = await world(bobAnswers)
    w.hub.method('INVITE', async (request) => void (await request.bridge(bobUri, options)))
    const headers = [
      ['Subject', 'lunch'],
      ['X-Account', '7'],
      ['X-Secret', 's'],
      ['P-Asserted-Identity', '<sip:alice@example.com>'],
      ['Record-Route', '<sip:10.0.0.77;lr>'],
    ] as const
    const calling = w.alice.invite('sip:bob@10.0.0.1:5060', {
      sdp: sdp('alice'),
      from: '"Alice" <sip:alice@10.0.0.2>',
      headers: headers.filter(([name]) => name !== 'Record-Route'),
    })
    const outcome = await w.scenario.settle(calling.catch((error: CallFailedError) => error))
    return { ...w, outcome }
  }

  it('headers by the policy of each direction, and nothing without one', async () => {
    const plain = await bridged({})
    expect(['Subject', 'X-Account', 'X-Secret'].map((name) => plain.invites[0]!.message.get(name))).toEqual([
      undefined,
      undefined,
      undefined,
    ])
    const policy = { pass: ['Subject', 'x-*'], drop: ['X-Secret'], set: [['X-Hub', 'yes']] } as const
    const w = await bridged({ headerPolicy: { toB: policy } })
    const { message } = w.invites[0]!
    const names = ['Subject', 'X-Account', 'X-Secret', 'P-Asserted-Identity', 'X-Hub']
    expect(names.map((name) => message.get(name))).toEqual(['lunch', '7', undefined, undefined, 'yes'])
    const all = await bridged({ headerPolicy: { toB: { pass: ['*'] } } })
    const passed = all.invites[0]!.message
    expect(passed.get('P-Asserted-Identity')).toContain('alice@example.com')
    expect(passed.vias).toHaveLength(1)
    expect(passed.contacts).toHaveLength(1)
    expect(passed.getAll('Call-ID')).toHaveLength(1)
    for (const each of [plain, w, all]) {
      await each.scenario.settle((each.outcome as Call).bye())
      await over(each)
    }
  })

  it('RFC 7092 §3: no host of one side is named to the other where topology is hidden', async () => {
    const w = await bridged({ hideTopology: true })
    const invite = w.invites[0]!.message.toString()
    expect(w.invites[0]!.from.uri.toString()).toBe('sip:alice@10.0.0.1')
    expect(w.invites[0]!.from.displayName).toBe('Alice')
    expect(invite).not.toContain('10.0.0.2')
    expect(invite).toMatch(/o=- 1 1 IN IP4 10\.0\.0\.1\r/)
    expect(Buffer.from((w.outcome as Call).remoteSdp!).toString()).toMatch(/o=- 1 1 IN IP4 10\.0\.0\.1\r/)
    await w.scenario.settle((w.outcome as Call).bye())
    await over(w)
  })

  it('failures as they are, or as its user maps them', async () => {
    const asIs = await bridged({}, 404)
    expect(asIs.outcome).toMatchObject({ status: 404 })
    const seen: unknown[] = []
    const mapped = await bridged(
      {
        onFailure: ({ status, proposed, response }) => {
          seen.push([status, proposed, response?.status])
          return { status: 480, reason: 'Try later', headers: [['Retry-After', 60]] }
        },
      },
      503,
    )
    const { response } = mapped.outcome as CallFailedError
    expect([response?.status, response?.reason, response?.get('Retry-After')]).toEqual([480, 'Try later', '60'])
    expect(seen).toEqual([[503, 500, 503]])
    for (const each of [asIs, mapped]) await over(each)
  })

  it('RFC 3264 §8.4: hold and its end are told, for the music', async () => {
    const events: string[] = []
    const w = await bridged({
      onEvent: (event) => events.push('by' in event ? `${event.kind} ${event.by}` : event.kind),
    })
    const call = w.outcome as Call
    await w.scenario.pass(100)
    await w.scenario.settle(call.holdPeer())
    await w.scenario.settle(call.resumePeer())
    await w.scenario.settle(call.bye())
    expect(events).toEqual(['ringing', 'answered', 'reinvite a', 'hold a', 'reinvite a', 'resume a', 'ended'])
    await over(w)
  })
})
