import { describe, expect, it } from 'vitest'
import { headerOf, Phone } from '../fixtures/phone'
import { Scenario } from '../fixtures/scenario'
import type { IncomingRequest } from '../requests/incoming-request'
import type { Call } from './call'
import type { EarlyDialog } from './early-dialog'

const sdp = (who: string) =>
  `v=0\r\no=${who} 1 1 IN IP4 10.0.0.9\r\ns=-\r\nc=IN IP4 10.0.0.9\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n`

const text = (bytes: Uint8Array | undefined) => (bytes === undefined ? undefined : Buffer.from(bytes).toString())

const target = 'sip:bob@10.0.0.2:5060'

interface Early {
  readonly scenario: Scenario
  readonly calling: Promise<Call>
  readonly invite: IncomingRequest
  /** Alice's early dialog. */
  readonly early: EarlyDialog
}

/** A call that rings, its offer answered in a reliable 183. */
async function ringing(): Promise<Early> {
  const scenario = new Scenario()
  const alice = await scenario.stack('alice')
  const bob = await scenario.stack('bob')
  const invites: IncomingRequest[] = []
  const earlies: (EarlyDialog | undefined)[] = []
  bob.method('INVITE', (request) => void invites.push(request))
  const calling = alice.invite(target, { sdp: sdp('alice'), onProvisional: (_response, early) => earlies.push(early) })
  await scenario.pass(100)
  invites[0]!.reply(183, { reliable: true, body: sdp('bob') })
  await scenario.pass(100)
  return { scenario, calling, invite: invites[0]!, early: earlies[0]! }
}

/** A call that is up. */
async function connected(): Promise<{ scenario: Scenario; call: Call; bobCall: Call }> {
  const { scenario, calling, invite } = await ringing()
  const accepting = invite.accept()
  return { scenario, call: await scenario.settle(calling), bobCall: await scenario.settle(accepting) }
}

describe('UPDATE before the answer', () => {
  it('finds the early dialog within the handler, right after the response that makes it', async () => {
    const scenario = new Scenario()
    const alice = await scenario.stack('alice')
    const bob = await scenario.stack('bob')
    const states: (string | undefined)[] = []
    bob.method('INVITE', (request) => {
      states.push(request.early?.state)
      request.reply(180)
      states.push(request.early?.state)
      request.early?.onRequest((inside) => inside.reply(200, { body: sdp('bob-2') }))
      request.reply(486)
    })
    const calling = alice.invite(target, { sdp: sdp('alice') })
    await expect(scenario.settle(calling)).rejects.toMatchObject({ status: 486 })
    await scenario.pass(100)
    expect([states, bob.stats().dialogs]).toEqual([[undefined, 'early'], 0])
  })

  it('RFC 3311 §5.1 and §5.2: changes the session both ways, and the call goes on with it', async () => {
    const { scenario, calling, invite, early } = await ringing()
    invite.early?.onRequest((request) => request.reply(200, { body: sdp('bob-2') }))
    early.onRequest((request) => request.reply(200, { body: sdp('alice-3') }))
    const first = await scenario.settle(early.update({ sdp: sdp('alice-2') }))
    expect([first.status, text(early.remoteSdp), text(invite.early?.remoteSdp)]).toEqual([
      200,
      sdp('bob-2'),
      sdp('alice-2'),
    ])
    const second = await scenario.settle(invite.early!.update({ sdp: sdp('bob-3') }))
    expect([second.status, text(early.remoteSdp)]).toEqual([200, sdp('bob-3')])
    expect(early.state).toBe('early')
    const accepting = invite.accept({ sdp: sdp('bob-3') })
    const call = await scenario.settle(calling)
    const bobCall = await scenario.settle(accepting)
    expect([text(call.remoteSdp), text(bobCall.remoteSdp)]).toEqual([sdp('bob-3'), sdp('alice-3')])
    expect([early.state, invite.early]).toEqual(['ended', undefined])
    // The handlers of the early dialog serve the call.
    expect((await scenario.settle(call.update({ sdp: sdp('alice-4') }))).status).toBe(200)
    await scenario.settle(call.bye())
    await scenario.pass(100_000)
    expect(scenario.gauges()).toEqual(scenario.gauges().map(() => 0))
  })

  it('RFC 3311 §5.1: offers nothing while the offer of the INVITE is open', async () => {
    const scenario = new Scenario()
    const alice = await scenario.stack('alice')
    const bob = await scenario.stack('bob')
    const earlies: (EarlyDialog | undefined)[] = []
    const invites: IncomingRequest[] = []
    bob.method('INVITE', (request) => {
      invites.push(request)
      request.reply(180)
    })
    const onProvisional = (_response: unknown, early: EarlyDialog | undefined) => earlies.push(early)
    const calling = alice.invite(target, { sdp: sdp('alice'), onProvisional }).catch((error: unknown) => error)
    await scenario.pass(100)
    await expect(scenario.settle(earlies[0]!.update({ sdp: sdp('x'), glare: 'report' }))).rejects.toMatchObject({
      code: 'GLARE',
    })
    await expect(scenario.settle(invites[0]!.early!.update({ sdp: sdp('x') }))).rejects.toMatchObject({ code: 'GLARE' })
    expect((await scenario.settle(earlies[0]!.update())).status).toBe(200)
    invites[0]!.reply(486)
    expect(await scenario.settle(calling)).toMatchObject({ status: 486 })
    await expect(scenario.settle(earlies[0]!.update())).rejects.toMatchObject({ code: 'CALL_ENDED' })
  })
})

describe('UPDATE in a call', () => {
  it('RFC 3311 §5.2: two that cross get 491 each, and both are made after their random waits', async () => {
    const { scenario, call, bobCall } = await connected()
    scenario.network.setConditions({ delayMinMs: 50, delayMaxMs: 50 })
    call.onRequest((request) => request.reply(200, { body: sdp('alice-answers') }))
    bobCall.onRequest((request) => request.reply(200, { body: sdp('bob-answers') }))
    const reported = await scenario.settle(
      Promise.all([
        call.update({ sdp: sdp('alice'), glare: 'report' }),
        bobCall.update({ sdp: sdp('bob'), glare: 'report' }),
      ]),
    )
    expect(reported.map((response) => response.status)).toEqual([491, 491])
    const both = await scenario.settle(
      Promise.all([call.update({ sdp: sdp('alice') }), bobCall.update({ sdp: sdp('bob') })]),
    )
    expect(both.map((response) => response.status)).toEqual([200, 200])
    const mixed = await scenario.settle(
      Promise.all([
        call.reinvite({ sdp: sdp('alice'), glare: 'report' }),
        bobCall.update({ sdp: sdp('bob'), glare: 'report' }),
      ]),
    )
    expect(mixed.map((response) => response.status)).toEqual([491, 491])
    await scenario.pass(10_000)
    expect([call.state, bobCall.state]).toEqual(['active', 'active'])
  })

  it('RFC 3311 §5.2: 500 with Retry-After before the answer to the last one, and 488 when nobody handles it', async () => {
    const { scenario, call, bobCall } = await connected()
    expect((await scenario.settle(call.update({ sdp: sdp('x') }))).status).toBe(488)
    const waiting: IncomingRequest[] = []
    bobCall.onRequest((request) => void waiting.push(request))
    const slow = call.update({ sdp: sdp('alice') })
    await scenario.pass(100)
    await expect(scenario.settle(call.update({ sdp: sdp('alice') }))).rejects.toMatchObject({ code: 'GLARE' })
    const second = await scenario.settle(call.update())
    expect([second.status, second.retryAfter !== undefined]).toEqual([500, true])
    waiting[0]!.reply(200, { body: sdp('bob') })
    expect((await scenario.settle(slow)).status).toBe(200)
    expect((await scenario.settle(call.update())).status).toBe(200)
  })

  it('RFC 3311 §5.2: refreshes the target of either side', async () => {
    const scenario = new Scenario()
    const stack = await scenario.stack('server')
    const phone = new Phone(await scenario.raw('bob'), 'bob')
    const calling = stack.invite(`sip:bob@${phone.raw.address}`, { sdp: sdp('server') })
    await scenario.pass(10)
    const invite = phone.last('INVITE')
    phone.reply(invite, '200 OK', {}, sdp('bob'))
    const call = await scenario.settle(calling)
    const inCall = {
      From: `${headerOf(invite, 'To')};tag=bob`,
      To: headerOf(invite, 'From') ?? '',
      'Call-ID': headerOf(invite, 'Call-ID') ?? '',
    }
    phone.send('UPDATE', { ...inCall, CSeq: '1 UPDATE', Contact: `<sip:moved@${phone.raw.address}>` })
    await scenario.pass(10)
    const update = call.update()
    await scenario.pass(10)
    expect(phone.last('UPDATE')).toMatch(/^UPDATE sip:moved@/)
    phone.reply(phone.last('UPDATE'), '200 OK', { Contact: `<sip:again@${phone.raw.address}>` })
    await scenario.settle(update)
    call.bye()
    await scenario.pass(10)
    expect(phone.last('BYE')).toMatch(/^BYE sip:again@/)
  })
})
