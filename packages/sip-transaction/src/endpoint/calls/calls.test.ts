import { describe, expect, it } from 'vitest'
import { CallFailedError, SipTransactionError } from '../../errors'
import { Scenario } from '../fixtures/scenario'
import type { IncomingRequest } from '../requests/incoming-request'
import type { SipStack } from '../stack'
import type { Call } from './call'

const offer = 'v=0\r\no=- 1 1 IN IP4 10.0.0.1\r\ns=-\r\nc=IN IP4 10.0.0.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n'
const answer = 'v=0\r\no=- 2 1 IN IP4 10.0.0.2\r\ns=-\r\nc=IN IP4 10.0.0.2\r\nt=0 0\r\nm=audio 5000 RTP/AVP 0\r\n'

interface Pair {
  readonly scenario: Scenario
  readonly alice: SipStack
  readonly bob: SipStack
  /** Bob's side of the call, once its ACK has come. */
  readonly bobCall: () => Call
  readonly invites: IncomingRequest[]
}

/** Alice and Bob; Bob rings and, when `answersAfterMs` is given, answers. */
async function pair(answersAfterMs?: number, listen: 'udp' | 'tcp' = 'udp'): Promise<Pair> {
  const scenario = new Scenario()
  const alice = await scenario.stack('alice', { listen: [`${listen}://10.0.0.1:5060`] })
  const bob = await scenario.stack('bob', { listen: [`${listen}://10.0.0.2:5060`] })
  const calls: Call[] = []
  const invites: IncomingRequest[] = []
  bob.method('INVITE', (request) => {
    invites.push(request)
    request.reply(180)
    if (answersAfterMs === undefined) return
    scenario.clock.schedule(scenario.clock.monotonicMs() + answersAfterMs, () => {
      if (!request.isAnswered)
        request
          .accept({ sdp: answer })
          .then((call) => calls.push(call))
          .catch(() => {})
    })
  })
  return { scenario, alice, bob, invites, bobCall: () => calls[0]! }
}

const target = 'sip:bob@10.0.0.2:5060'

async function drained(scenario: Scenario): Promise<void> {
  await scenario.pass(70_000)
  expect(scenario.gauges()).toEqual(scenario.gauges().map(() => 0))
}

describe('a call', () => {
  it('RFC 3261 §13: rings, is answered, acknowledged, and ended by the caller', async () => {
    const { scenario, alice, bobCall } = await pair(1000)
    const progress: number[] = []
    const call = await scenario.settle(
      alice.invite(target, { sdp: offer, onProvisional: (response) => progress.push(response.status) }),
    )
    expect(progress).toEqual([180])
    expect(Buffer.from(call.remoteSdp!).toString()).toBe(answer)
    await scenario.pass(100)
    expect(Buffer.from(bobCall().remoteSdp!).toString()).toBe(offer)
    expect(call.remoteTag).toBe(bobCall().localTag)
    await scenario.settle(call.bye({ reason: 'had enough' }))
    expect(await bobCall().ended).toMatchObject({ by: 'remote', reason: expect.stringContaining('had enough') })
    expect(await call.ended).toEqual({ by: 'local', reason: 'had enough' })
    expect(scenario.ladder).toEqual([
      'alice>bob INVITE',
      'bob>alice 180 INVITE',
      'bob>alice 200 INVITE',
      'alice>bob ACK',
      'alice>bob BYE',
      'bob>alice 200 BYE',
    ])
    await drained(scenario)
    expect(scenario.clock.pending).toBe(0)
  })

  it('RFC 3261 §15: is ended by the callee, over TCP too', async () => {
    const { scenario, alice, bobCall } = await pair(100, 'tcp')
    const call = await scenario.settle(alice.invite('sip:bob@10.0.0.2:5060;transport=tcp', { sdp: offer }))
    await scenario.pass(100)
    await scenario.settle(bobCall().bye())
    expect(await call.ended).toEqual({ by: 'remote' })
    await drained(scenario)
  })

  it('RFC 3261 §13.3.1.4: repeats a lost 200 until it is acknowledged', async () => {
    const { scenario, alice, bobCall } = await pair(100)
    scenario.lose(3, (line, text) => line.startsWith('SIP/2.0 200') && text.includes('INVITE'))
    await scenario.settle(alice.invite(target, { sdp: offer }))
    await scenario.pass(100)
    expect(bobCall().state).toBe('active')
    expect(scenario.ladder.filter((line) => line.includes('200 INVITE'))).toEqual([
      'x bob>alice 200 INVITE',
      'x bob>alice 200 INVITE',
      'x bob>alice 200 INVITE',
      'bob>alice 200 INVITE',
    ])
  })

  it('RFC 3261 §13.2.2.4: repeats the same ACK for every repeated 200', async () => {
    const { scenario, alice, bobCall } = await pair(100)
    scenario.lose(2, (line) => line.startsWith('ACK '))
    await scenario.settle(alice.invite(target, { sdp: offer }))
    await scenario.pass(3000)
    expect(bobCall().state).toBe('active')
    expect(scenario.ladder.filter((line) => line.includes('ACK'))).toEqual([
      'x alice>bob ACK',
      'x alice>bob ACK',
      'alice>bob ACK',
    ])
  })

  it('RFC 3261 §13.3.1.4: ends with BYE when no ACK ever comes, on a reliable transport too', async () => {
    for (const transport of ['udp', 'tcp'] as const) {
      const { scenario, alice, invites } = await pair(undefined, transport)
      scenario.lose(100, (line) => line.startsWith('ACK '))
      const calling = alice.invite(`sip:bob@10.0.0.2:5060;transport=${transport}`, { sdp: offer })
      await scenario.pass(100)
      const accepting = invites[0]!.accept({ sdp: answer })
      const call = await scenario.settle(calling)
      await expect(scenario.settle(accepting)).rejects.toMatchObject({ code: 'ACK_MISSING' })
      expect(await scenario.settle(call.ended)).toMatchObject({ by: 'remote' })
      await drained(scenario)
    }
  })

  it('RFC 3261 §9.1: is cancelled after 180', async () => {
    const { scenario, alice, invites } = await pair()
    const controller = new AbortController()
    const calling = alice.invite(target, { sdp: offer, signal: controller.signal })
    calling.catch(() => {})
    await scenario.pass(100)
    controller.abort()
    await expect(calling).rejects.toMatchObject({ code: 'ABORTED' })
    await scenario.pass(100)
    expect(invites[0]!.signal.aborted).toBe(true)
    invites[0]!.reply(200)
    expect(scenario.ladder).toEqual([
      'alice>bob INVITE',
      'bob>alice 180 INVITE',
      'alice>bob CANCEL',
      'bob>alice 200 CANCEL',
      'bob>alice 487 INVITE',
      'alice>bob ACK',
    ])
    await drained(scenario)
  })

  it('RFC 3261 §9.1: holds the CANCEL back until a provisional response came', async () => {
    const { scenario, alice } = await pair()
    scenario.lose(1, (line) => line.startsWith('INVITE'))
    const controller = new AbortController()
    const calling = alice.invite(target, { sdp: offer, signal: controller.signal })
    calling.catch(() => {})
    controller.abort()
    await scenario.pass(100)
    expect(scenario.ladder).toEqual(['x alice>bob INVITE'])
    await scenario.pass(1000)
    expect(scenario.ladder.slice(1)).toEqual([
      'alice>bob INVITE',
      'bob>alice 180 INVITE',
      'alice>bob CANCEL',
      'bob>alice 200 CANCEL',
      'bob>alice 487 INVITE',
      'alice>bob ACK',
    ])
    await drained(scenario)
  })

  it('RFC 3261 §15: a 200 that crosses a CANCEL is acknowledged and ended with BYE', async () => {
    const { scenario, alice, invites } = await pair()
    scenario.network.setConditions({ delayMinMs: 50, delayMaxMs: 50 })
    const controller = new AbortController()
    const calling = alice.invite(target, { sdp: offer, signal: controller.signal })
    calling.catch(() => {})
    await scenario.pass(200)
    const accepting = invites[0]!.accept({ sdp: answer })
    controller.abort()
    await expect(calling).rejects.toMatchObject({ code: 'ABORTED' })
    const bobCall = await scenario.settle(accepting)
    expect(await scenario.settle(bobCall.ended)).toMatchObject({ by: 'remote' })
    expect(scenario.ladder).toContain('alice>bob ACK')
    expect(scenario.ladder).toContain('alice>bob BYE')
    await drained(scenario)
  })

  it('rejects with the status of the failure', async () => {
    const { scenario, alice, bob } = await pair()
    bob.method('OPTIONS', (request) => request.reply(200))
    const carol = await scenario.stack('carol')
    carol.method('INVITE', (request) => request.reply(486, { reason: 'Busy now' }))
    const failure = await scenario.settle(alice.invite('sip:carol@10.0.0.3').catch((error: unknown) => error))
    expect(failure).toBeInstanceOf(CallFailedError)
    expect(failure).toMatchObject({ status: 486, response: { reason: 'Busy now' } })
    await drained(scenario)
  })

  it('RFC 3261 §17.1.1.2: times out when nobody is there', async () => {
    const { scenario, alice } = await pair()
    const failure = await scenario.settle(alice.invite('sip:nobody@10.0.0.77').catch((error: unknown) => error))
    expect(failure).toBeInstanceOf(SipTransactionError)
    expect(['TIMEOUT', 'TRANSPORT_FAILED']).toContain((failure as SipTransactionError).code)
    await drained(scenario)
  })

  it('RFC 3261 §15.1.2: a BYE of the caller before the answer ends the INVITE with 487', async () => {
    const { scenario, bob, invites } = await pair()
    const raw = await scenario.raw('raw')
    const from = `From: <sip:raw@${raw.address}>;tag=r1`
    const common = ['Max-Forwards: 70', from, 'Call-ID: early-bye', `Contact: <sip:raw@${raw.address}>`]
    const via = (branch: string) => `Via: SIP/2.0/UDP ${raw.address}:5060;branch=z9hG4bK${branch}`
    raw.send('10.0.0.2', [
      `INVITE ${target} SIP/2.0`,
      via('i'),
      ...common,
      `To: <${target}>`,
      'CSeq: 1 INVITE',
      'Content-Length: 0',
    ])
    await scenario.pass(100)
    expect(bob.stats()).toMatchObject({ dialogs: 1, ringing: 1 })
    const to = /^To: .*$/m.exec(raw.received[0]!)![0].trim()
    raw.send('10.0.0.2', [`BYE ${target} SIP/2.0`, via('b'), ...common, to, 'CSeq: 2 BYE', 'Content-Length: 0'])
    await scenario.pass(100)
    expect(raw.received.map((text) => text.slice(8, 11)).sort()).toEqual(['180', '200', '487'])
    expect(invites[0]!.signal.aborted).toBe(true)
    await drained(scenario)
  })
})

describe('changing a call', () => {
  it('RFC 3261 §14: a re-INVITE is answered by the handler and acknowledged', async () => {
    const { scenario, alice, bobCall } = await pair(100)
    const call = await scenario.settle(alice.invite(target, { sdp: offer }))
    await scenario.pass(100)
    bobCall().onRequest((request) => {
      if (request.method === 'INVITE') request.reply(200, { body: answer })
    })
    const response = await scenario.settle(call.reinvite({ sdp: `${offer}a=sendonly\r\n` }))
    expect(response.status).toBe(200)
    await scenario.pass(1000)
    expect(Buffer.from(bobCall().remoteSdp!).toString()).toContain('sendonly')
    expect(scenario.ladder.slice(4)).toEqual(['alice>bob INVITE', 'bob>alice 200 INVITE', 'alice>bob ACK'])
    await scenario.settle(call.bye())
    await drained(scenario)
  })

  it('RFC 3261 §14.2: a re-INVITE that nobody handles gets 488 and the call goes on', async () => {
    const { scenario, alice, bobCall } = await pair(100)
    const call = await scenario.settle(alice.invite(target, { sdp: offer }))
    await scenario.pass(100)
    const response = await scenario.settle(call.reinvite({ sdp: `${offer}a=sendonly\r\n` }))
    expect(response.status).toBe(488)
    expect([call.state, bobCall().state]).toEqual(['active', 'active'])
  })

  it('RFC 3261 §14.1: two re-INVITEs that cross get 491 each', async () => {
    const { scenario, alice, bobCall } = await pair(100)
    scenario.network.setConditions({ delayMinMs: 50, delayMaxMs: 50 })
    const call = await scenario.settle(alice.invite(target, { sdp: offer }))
    await scenario.pass(200)
    const both = await scenario.settle(
      Promise.all([
        call.reinvite({ sdp: offer, glare: 'report' }),
        bobCall().reinvite({ sdp: answer, glare: 'report' }),
      ]),
    )
    expect(both.map((response) => response.status)).toEqual([491, 491])
    await expect(
      scenario.settle(Promise.all([call.reinvite({ sdp: offer }), call.reinvite({ sdp: offer })])),
    ).rejects.toMatchObject({ code: 'GLARE' })
    await scenario.pass(1000)
    expect([call.state, bobCall().state]).toEqual(['active', 'active'])
  })

  it('RFC 3261 §14.1: two re-INVITEs that cross are both made in the end, the Call-ID owner last', async () => {
    const { scenario, alice, bobCall } = await pair(100)
    scenario.network.setConditions({ delayMinMs: 50, delayMaxMs: 50 })
    const call = await scenario.settle(alice.invite(target, { sdp: offer }))
    await scenario.pass(200)
    const done: string[] = []
    call.onRequest((request) => request.reply(200, { body: offer }))
    bobCall().onRequest((request) => request.reply(200, { body: answer }))
    const both = await scenario.settle(
      Promise.all([
        call.reinvite({ sdp: offer }).finally(() => done.push('alice')),
        bobCall()
          .reinvite({ sdp: answer })
          .finally(() => done.push('bob')),
      ]),
    )
    expect(both.map((response) => response.status)).toEqual([200, 200])
    expect(done).toEqual(['bob', 'alice'])
    expect(scenario.ladder.filter((line) => line.includes('491'))).toHaveLength(2)
    await scenario.settle(call.bye())
    await drained(scenario)
  })

  it('the wait after glare ends with its signal, and with the stack', async () => {
    const { scenario, alice, bobCall } = await pair(100)
    const call = await scenario.settle(alice.invite(target, { sdp: offer }))
    await scenario.pass(100)
    bobCall().onRequest((request) => request.reply(491))
    const controller = new AbortController()
    const aborted = call.reinvite({ sdp: offer, signal: controller.signal }).catch((error: unknown) => error)
    await scenario.pass(100)
    controller.abort()
    expect(await scenario.settle(aborted)).toMatchObject({ code: 'ABORTED' })
    const often = await scenario.settle(call.reinvite({ sdp: offer }))
    expect(often.status).toBe(491)
    expect(scenario.ladder.filter((line) => line === 'bob>alice 491 INVITE')).toHaveLength(6)
  })

  it('passes INFO to the handler, and refuses what nobody handles', async () => {
    const { scenario, alice, bobCall } = await pair(100)
    const call = await scenario.settle(alice.invite(target, { sdp: offer }))
    await scenario.pass(100)
    expect((await scenario.settle(call.request('INFO'))).status).toBe(405)
    expect((await scenario.settle(call.request('FROBNICATE'))).status).toBe(501)
    bobCall().onRequest((request) =>
      request.reply(200, { body: Buffer.from(request.body).toString().toUpperCase(), contentType: 'text/plain' }),
    )
    const response = await scenario.settle(call.request('INFO', { body: 'dtmf', contentType: 'text/plain' }))
    expect(Buffer.from(response.body).toString()).toBe('DTMF')
  })

  it('RFC 3264: a late offer is answered in the ACK', async () => {
    const { scenario, alice, bobCall } = await pair(100)
    const offers: string[] = []
    await scenario.settle(
      alice.invite(target, {
        answer: (sdp) => {
          offers.push(Buffer.from(sdp).toString())
          return offer
        },
      }),
    )
    await scenario.pass(200)
    expect(offers).toEqual([answer])
    expect(Buffer.from(bobCall().remoteSdp!).toString()).toBe(offer)
  })

  it('RFC 3261 §12.2.1.2: ends when the peer does not know the dialog any more', async () => {
    const { scenario, alice, bobCall } = await pair(100)
    const call = await scenario.settle(alice.invite(target, { sdp: offer }))
    await scenario.pass(100)
    scenario.network.partition(['10.0.0.1'], ['10.0.0.2'])
    await expect(scenario.settle(call.request('INFO'))).rejects.toMatchObject({ code: 'TIMEOUT' })
    expect(await call.ended).toMatchObject({ by: 'timeout' })
    scenario.network.heal()
    const response = await scenario.settle(bobCall().request('INFO'))
    expect(response.status).toBe(481)
    expect(await bobCall().ended).toMatchObject({ by: 'remote' })
    await drained(scenario)
  })

  it('RFC 3261 §12.2.2: a request in a dialog that nobody knows gets 481, and its ACK is dropped', async () => {
    const { scenario, alice, bob } = await pair()
    const response = await scenario.settle(
      alice.request({ method: 'INFO', uri: target, to: `<${target}>;tag=unknown` }),
    )
    expect(response.status).toBe(481)
    expect(bob.stats().counters.requestsIn).toBe(1)
    await drained(scenario)
  })
})

describe('close', () => {
  it('lets a live call finish, refuses new ones, then ends what is left', async () => {
    const { scenario, alice, bob, bobCall } = await pair(100)
    const call = await scenario.settle(alice.invite(target, { sdp: offer }))
    await scenario.pass(100)
    const closing = bob.close({ graceMs: 5000 })
    const refused = await scenario.settle(alice.invite(target, { sdp: offer }).catch((error: unknown) => error))
    expect(refused).toMatchObject({ status: 503 })
    expect((refused as CallFailedError).response?.retryAfter?.seconds).toBe(10)
    expect(call.state).toBe('active')
    await scenario.settle(closing)
    expect(await call.ended).toMatchObject({ by: 'remote' })
    expect(await bobCall().ended).toMatchObject({ by: 'local', reason: 'shutting down' })
    await scenario.settle(alice.close())
    expect(scenario.gauges().slice(2, 6)).toEqual([0, 0, 0, 0])
    await scenario.pass(100_000)
    expect(scenario.clock.pending).toBe(0)
  })

  it('cancels what rings and answers 487 to who waits', async () => {
    const { scenario, alice, bob } = await pair()
    const calling = alice.invite(target, { sdp: offer }).catch((error: unknown) => error)
    await scenario.pass(100)
    await scenario.settle(bob.close({ graceMs: 0 }))
    expect(await scenario.settle(calling)).toMatchObject({ status: 487 })
    const second = await pair()
    const cancelled = second.alice.invite(target, { sdp: offer }).catch((error: unknown) => error)
    await second.scenario.pass(100)
    await second.scenario.settle(second.alice.close({ graceMs: 0 }))
    expect(await cancelled).toMatchObject({ code: 'STACK_CLOSED' })
    expect(second.scenario.ladder).toContain('alice>bob CANCEL')
    await second.scenario.pass(1000)
    expect(second.invites[0]!.signal.aborted).toBe(true)
  })
})
