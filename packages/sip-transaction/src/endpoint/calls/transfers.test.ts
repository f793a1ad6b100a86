import { describe, expect, it } from 'vitest'
import { CallFailedError } from '../../errors'
import { Scenario } from '../fixtures/scenario'
import type { SipStack } from '../stack'
import type { Call } from './call'
import type { IncomingTransfer } from './incoming-transfer'

const sdp = (who: string) =>
  `v=0\r\no=${who} 1 1 IN IP4 10.0.0.9\r\ns=-\r\nc=IN IP4 10.0.0.9\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n`

interface World {
  readonly scenario: Scenario
  readonly alice: SipStack
  readonly bob: SipStack
  readonly carol: SipStack
  /** Calls that Bob and Carol answered, in order. */
  readonly taken: Call[]
}

/** Alice at 10.0.0.1, Bob at .2, Carol at .3; both answer at once, unless Carol is to do something else. */
async function world(carolAnswers: number | 'never' = 200): Promise<World> {
  const scenario = new Scenario()
  const options = { callMethods: ['REFER', 'INFO', 'MESSAGE'] }
  const alice = await scenario.stack('alice', options)
  const bob = await scenario.stack('bob', options)
  const carol = await scenario.stack('carol', { ...options, infoPackages: ['weather'] })
  const taken: Call[] = []
  bob.method('INVITE', async (request) => void taken.push(await request.accept({ sdp: sdp('bob') })))
  carol.method('INVITE', async (request) => {
    request.reply(180)
    if (carolAnswers === 200) taken.push(await request.accept({ sdp: sdp('carol') }))
    else if (carolAnswers !== 'never') request.reply(carolAnswers)
  })
  return { scenario, alice, bob, carol, taken }
}

async function call(w: World, who: 'bob' | 'carol', from = w.alice): Promise<Call> {
  const host = who === 'bob' ? 2 : 3
  const made = await w.scenario.settle(from.invite(`sip:${who}@10.0.0.${host}:5060`, { sdp: sdp('caller') }))
  await w.scenario.pass(50)
  return made
}

async function over(w: World, ...calls: (Call | undefined)[]): Promise<void> {
  for (const each of calls) if (each !== undefined) await w.scenario.settle(each.bye())
  await w.scenario.pass(100_000)
  expect(w.scenario.gauges()).toEqual(w.scenario.gauges().map(() => 0))
  expect(w.scenario.clock.pending).toBe(0)
}

/** Bob follows what he is asked; his new calls. */
function follows(bobCall: Call): {
  readonly made: Call[]
  readonly transfers: IncomingTransfer[]
  readonly errors: unknown[]
} {
  const made: Call[] = []
  const transfers: IncomingTransfer[] = []
  const errors: unknown[] = []
  bobCall.on('transfer', (transfer) => {
    transfers.push(transfer)
    transfer.follow({ sdp: sdp('bob') }).then(
      (each) => made.push(each),
      (error) => errors.push(error),
    )
  })
  return { made, transfers, errors }
}

describe('a transfer that the peer is asked for', () => {
  it('RFC 3515 §2.4: blind: the peer calls the target, reports 100, 180 and 200, and Referred-By says who asked', async () => {
    const w = await world()
    const alice = await call(w, 'bob')
    const followed = follows(w.taken[0]!)
    const heard: number[] = []
    const outcome = await w.scenario.settle(
      alice.transfer('sip:carol@10.0.0.3:5060', { onProgress: (status) => heard.push(status) }),
    )
    expect(outcome).toEqual({ result: 'accepted', status: 200 })
    expect(heard).toEqual([100, 180])
    expect(followed.transfers[0]?.referredBy?.uri.toString()).toBe('sip:10.0.0.1')
    await w.scenario.pass(100)
    expect(followed.made).toHaveLength(1)
    expect(w.taken[1]?.remote.uri.toString()).toContain('bob@')
    await over(w, alice, followed.made[0])
  })

  it('RFC 3891: attended: the new call takes the place of the one that the target has with us', async () => {
    const w = await world()
    const toBob = await call(w, 'bob')
    const toCarol = await call(w, 'carol')
    const followed = follows(w.taken[0]!)
    const outcome = await w.scenario.settle(toBob.transferTo(toCarol))
    expect(outcome).toEqual({ result: 'accepted', status: 200 })
    await w.scenario.pass(200)
    expect(await w.scenario.settle(toCarol.ended)).toMatchObject({
      by: 'remote',
      reason: expect.stringContaining('Replaced'),
    })
    expect(followed.transfers[0]?.replaces?.callId).toBe(toCarol.callId)
    expect([w.taken[1]?.state, w.taken[2]?.state]).toEqual(['ended', 'active'])
    await over(w, toBob, followed.made[0])
  })

  it.each([
    [486, { result: 'failed', status: 486 }],
    [603, { result: 'failed', status: 603 }],
  ] as const)('a target that answers %i: the call goes on', async (status, expected) => {
    const w = await world(status)
    const alice = await call(w, 'bob')
    const followed = follows(w.taken[0]!)
    expect(await w.scenario.settle(alice.transfer('sip:carol@10.0.0.3:5060'))).toEqual(expected)
    await w.scenario.pass(100)
    expect(followed.errors[0]).toBeInstanceOf(CallFailedError)
    expect(alice.state).toBe('active')
    await over(w, alice)
  })

  it('a target that never answers: the wait ends, the call goes on', async () => {
    const w = await world('never')
    const alice = await call(w, 'bob')
    follows(w.taken[0]!)
    const waiting = alice.transfer('sip:carol@10.0.0.3:5060', { timeoutMs: 20_000 }).catch((error: unknown) => error)
    expect(await w.scenario.settle(waiting)).toMatchObject({ code: 'TIMEOUT' })
    expect(alice.state).toBe('active')
    await w.scenario.settle(alice.bye())
    // The callee's own time for an answer.
    await w.scenario.pass(700_000)
    await over(w)
  })

  it('RFC 4488 §4: without reports the peer says nothing more, and the transfer is over when it is taken', async () => {
    const w = await world()
    const alice = await call(w, 'bob')
    const followed = follows(w.taken[0]!)
    const outcome = await w.scenario.settle(alice.transfer('sip:carol@10.0.0.3:5060', { reports: false }))
    expect(outcome).toEqual({ result: 'accepted', status: 202 })
    await w.scenario.pass(1000)
    expect(w.scenario.ladder).not.toContain('bob>alice NOTIFY')
    await over(w, alice, followed.made[0])
  })

  it('a REFER to oneself is refused, whichever end it names', async () => {
    const w = await world()
    const alice = await call(w, 'bob')
    follows(w.taken[0]!)
    for (const target of ['sip:bob@10.0.0.2:5060', 'sip:10.0.0.1:5060']) {
      expect(await w.scenario.settle(alice.transfer(target))).toEqual({ result: 'refused', status: 403 })
    }
    expect(w.bob.stats().calls).toBe(1)
    await over(w, alice)
  })

  it('RFC 3515 §2.4.2: what cannot be followed is refused without asking: nobody listens, no or two targets, another method', async () => {
    const w = await world()
    const alice = await call(w, 'bob')
    expect(await w.scenario.settle(alice.transfer('sip:carol@10.0.0.3'))).toEqual({ result: 'refused', status: 405 })
    const followed = follows(w.taken[0]!)
    const refer = async (...values: string[]) =>
      (
        await w.scenario.settle(
          alice.request('REFER', { headers: values.map((value) => ['Refer-To', value] as const) }),
        )
      ).status
    expect(await refer()).toBe(400)
    expect(await refer('<sip:a@b>', '<sip:c@d>')).toBe(400)
    expect(await refer('<sip:a@b;method=BYE>')).toBe(501)
    expect(await refer('<http://example.com/>')).toBe(416)
    expect(followed.transfers).toEqual([])
    await over(w, alice)
  })

  it('its listener may refuse it, or carry it out in its own way', async () => {
    const w = await world()
    const alice = await call(w, 'bob')
    const stop = w.taken[0]!.on('transfer', (transfer) => transfer.refuse())
    expect(await w.scenario.settle(alice.transfer('sip:x@10.0.0.3'))).toEqual({ result: 'refused', status: 603 })
    stop()
    w.taken[0]!.on('transfer', (transfer) => {
      transfer.accept()
      transfer.report(180)
      transfer.report(404)
      expect(() => transfer.refuse()).toThrow(expect.objectContaining({ code: 'ALREADY_ANSWERED' }))
    })
    expect(await w.scenario.settle(alice.transfer('sip:x@10.0.0.3'))).toEqual({ result: 'failed', status: 404 })
    await over(w, alice)
  })

  it('the peer hangs up instead of telling the outcome', async () => {
    const w = await world()
    const alice = await call(w, 'bob')
    w.taken[0]!.on('transfer', (transfer) => transfer.accept())
    const waiting = alice.transfer('sip:x@10.0.0.3').catch((error: unknown) => error)
    await w.scenario.pass(100)
    await w.scenario.settle(w.taken[0]!.bye())
    expect(await w.scenario.settle(waiting)).toMatchObject({ code: 'CALL_ENDED' })
    await over(w)
  })

  it('a transfer to the very call that is transferred makes no sense', async () => {
    const w = await world()
    const alice = await call(w, 'bob')
    await expect(alice.transferTo(alice)).rejects.toMatchObject({ code: 'SAME_CALL' })
    await expect(alice.transfer('nobody')).rejects.toMatchObject({ code: 'TARGET_INVALID' })
    await over(w, alice)
  })

  it('RFC 6665 §4.2.1: a NOTIFY of no transfer is 481, and the call goes on', async () => {
    const w = await world()
    const alice = await call(w, 'bob')
    follows(w.taken[0]!)
    await w.scenario.settle(alice.transfer('sip:carol@10.0.0.3:5060'))
    const headers = [
      ['Event', 'refer'],
      ['Subscription-State', 'active'],
    ] as const
    expect((await w.scenario.settle(w.taken[0]!.request('NOTIFY', { headers }))).status).toBe(481)
    expect(w.taken[0]!.state).toBe('active')
    await over(w, alice, ...w.taken)
  })
})

describe('Replaces', () => {
  const replaces = (w: World, made: Call, more = '') =>
    w.scenario
      .settle(
        w.alice.invite('sip:bob@10.0.0.2:5060', {
          sdp: sdp('alice'),
          headers: [['Replaces', `${made.callId};to-tag=${made.remoteTag};from-tag=${made.localTag}${more}`]],
        }),
      )
      .then(
        (each) => each,
        (error: unknown) => (error instanceof CallFailedError ? error.status : 0),
      )

  it('RFC 3891 §3: no dialog 481, a confirmed one with early-only 486, two headers 400, a match is replaced', async () => {
    const w = await world()
    const first = await call(w, 'bob')
    expect(await replaces(w, { ...first, callId: 'other', localTag: 'x', remoteTag: 'y' } as Call)).toBe(481)
    expect(await replaces(w, first, ';early-only')).toBe(486)
    const twice = w.alice.invite('sip:bob@10.0.0.2:5060', {
      sdp: sdp('alice'),
      headers: [
        ['Replaces', `${first.callId};to-tag=${first.remoteTag};from-tag=${first.localTag}`],
        ['Replaces', 'x;to-tag=1;from-tag=2'],
      ],
    })
    expect(await w.scenario.settle(twice.catch((error: CallFailedError) => error.status))).toBe(400)
    expect(first.state).toBe('active')
    const second = await replaces(w, first)
    await w.scenario.pass(100)
    expect(first.state).toBe('ended')
    await over(w, second as Call)
  })

  it('RFC 3891 §3: of calls that still ring those that we make are replaced, and those that ring here are not', async () => {
    const w = await world('never')
    w.alice.method('INVITE', async (request) => void w.taken.push(await request.accept({ sdp: sdp('alice') })))
    let early: { callId: string; localTag: string; remoteTag: string } | undefined
    const calling = w.alice
      .invite('sip:carol@10.0.0.3:5060', {
        sdp: sdp('alice'),
        onProvisional: (_, dialog) => {
          early = dialog
        },
      })
      .catch((error: CallFailedError) => error.status)
    await w.scenario.pass(100)
    const { callId, localTag, remoteTag } = early!
    const pickUp = (host: number, toTag: string, fromTag: string) =>
      w.scenario.settle(
        w.bob
          .invite(`sip:x@10.0.0.${host}:5060`, {
            sdp: sdp('bob'),
            headers: [['Replaces', `${callId};to-tag=${toTag};from-tag=${fromTag};early-only`]],
          })
          .catch((error: CallFailedError) => error.status),
      )
    expect(await pickUp(3, remoteTag, localTag)).toBe(481)
    const picked = await pickUp(1, localTag, remoteTag)
    expect(await w.scenario.settle(calling)).toBe(487)
    expect(w.scenario.ladder).toContain('alice>carol CANCEL')
    await over(w, picked as Call)
  })

  it('a call that its callee refuses replaces nothing', async () => {
    const w = await world(486)
    const invites: string[] = []
    w.carol.use(async (request, next) => {
      invites.push(request.method)
      await next()
    })
    const first = await call(w, 'bob')
    const refused = w.alice.invite('sip:carol@10.0.0.3:5060', {
      sdp: sdp('alice'),
      headers: [['Replaces', `${first.callId};to-tag=${first.remoteTag};from-tag=${first.localTag}`]],
    })
    expect(await w.scenario.settle(refused.catch((error: CallFailedError) => error.status))).toBe(481)
    expect(invites).toEqual([])
    expect(first.state).toBe('active')
    await over(w, first)
  })
})

describe('what is said inside a call', () => {
  it('digits by INFO, and those that the media brought (RFC 4733 §2)', async () => {
    const w = await world()
    const alice = await call(w, 'bob')
    const heard: string[] = []
    await expect(w.scenario.settle(alice.sendDtmf('1'))).rejects.toMatchObject({ code: 'DTMF_REFUSED' })
    w.taken[0]!.on('dtmf', ({ digit, durationMs }) => heard.push(`${digit}/${durationMs}`))
    await w.scenario.settle(alice.sendDtmf('1#a!', { durationMs: 200 }))
    w.taken[0]!.hearDtmf('7')
    expect(heard).toEqual(['1/200', '#/200', 'A/200', '!/200', '7/160'])
    const sent: string[] = []
    await alice.sendDtmf('42', { media: (digit) => void sent.push(digit) })
    expect(sent).toEqual(['4', '2'])
    await expect(alice.sendDtmf('x')).rejects.toMatchObject({ code: 'DTMF_INVALID' })
    await over(w, alice)
  })

  it('RFC 6086 §4.2: an INFO of a package that was offered is taken, another gets 469 with the list', async () => {
    const w = await world()
    const alice = await call(w, 'carol')
    const heard: (string | undefined)[] = []
    w.taken[0]!.on('info', (info) => heard.push(info.package))
    expect((await w.scenario.settle(alice.info('weather', { body: 'rain', contentType: 'text/plain' }))).status).toBe(
      200,
    )
    const refused = await w.scenario.settle(alice.info('stocks'))
    expect([refused.status, refused.get('Recv-Info')]).toEqual([469, 'weather'])
    expect(heard).toEqual(['weather'])
    await over(w, alice)
  })

  it('RFC 3428 §7: MESSAGE inside the call', async () => {
    const w = await world()
    const alice = await call(w, 'bob')
    w.taken[0]!.onRequest((request) => request.reply(200, { body: request.body, contentType: 'text/plain' }))
    const answer = await w.scenario.settle(alice.message('grüß dich'))
    expect(Buffer.from(answer.body).toString()).toBe('grüß dich')
    await over(w, alice)
  })

  it('RFC 3264 §8.4: hold and its end', async () => {
    const w = await world()
    const alice = await call(w, 'bob')
    w.taken[0]!.onRequest((request) => request.reply(200, { body: sdp('bob') }))
    expect((await w.scenario.settle(alice.holdPeer())).status).toBe(200)
    expect([alice.hold, w.taken[0]!.hold]).toEqual([
      { local: true, remote: false },
      { local: false, remote: true },
    ])
    expect((await w.scenario.settle(alice.resumePeer())).status).toBe(200)
    expect(alice.hold).toEqual({ local: false, remote: false })
    await over(w, alice)
  })
})
