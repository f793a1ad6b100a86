import { describe, expect, it } from 'vitest'
import { headerOf, Phone } from '../fixtures/phone'
import { Scenario } from '../fixtures/scenario'
import type { SipStackOptions } from '../options'
import type { IncomingRequest } from '../requests/incoming-request'
import type { SipStack } from '../stack'
import type { Call } from './call'

const sdp = (who: string) =>
  `v=0\r\no=${who} 1 1 IN IP4 10.0.0.9\r\ns=-\r\nc=IN IP4 10.0.0.9\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n`

const text = (bytes: Uint8Array | undefined) => (bytes === undefined ? undefined : Buffer.from(bytes).toString())

const target = 'sip:bob@10.0.0.2:5060'

interface Pair {
  readonly scenario: Scenario
  readonly alice: SipStack
  readonly bob: SipStack
  readonly invites: IncomingRequest[]
}

async function pair(options: Partial<SipStackOptions> = {}): Promise<Pair> {
  const scenario = new Scenario()
  const alice = await scenario.stack('alice')
  const bob = await scenario.stack('bob', options)
  const invites: IncomingRequest[] = []
  bob.method('INVITE', (request) => void invites.push(request))
  return { scenario, alice, bob, invites }
}

async function drained(scenario: Scenario, ...calls: (Call | undefined)[]): Promise<void> {
  for (const call of calls) if (call !== undefined) await scenario.settle(call.bye())
  await scenario.pass(100_000)
  expect(scenario.gauges()).toEqual(scenario.gauges().map(() => 0))
  expect(scenario.clock.pending).toBe(0)
}

describe('reliable provisional responses between two stacks', () => {
  it('RFC 3262 §3 and §4: several are sent one after the other, each acknowledged, before the 200', async () => {
    const { scenario, alice, invites } = await pair()
    const heard: string[] = []
    const calling = alice.invite(target, {
      sdp: sdp('alice'),
      onProvisional: (response) =>
        heard.push(`${response.status} ${response.rseq === undefined ? 'plain' : 'reliable'}`),
    })
    await scenario.pass(100)
    invites[0]!.reply(180, { reliable: true })
    invites[0]!.reply(183, { reliable: true, body: sdp('bob') })
    invites[0]!.reply(182)
    const accepting = invites[0]!.accept()
    const call = await scenario.settle(calling)
    await scenario.settle(accepting)
    expect(heard).toEqual(['180 reliable', '182 plain', '183 reliable'])
    expect(scenario.ladder).toEqual([
      'alice>bob INVITE',
      'bob>alice 180 INVITE',
      'bob>alice 182 INVITE',
      'alice>bob PRACK',
      'bob>alice 200 PRACK',
      'bob>alice 183 INVITE',
      'alice>bob PRACK',
      'bob>alice 200 PRACK',
      'bob>alice 200 INVITE',
      'alice>bob ACK',
    ])
    expect(text(call.remoteSdp)).toBe(sdp('bob'))
    await drained(scenario, call)
  })

  it('RFC 3262 §3: repeats a lost response, and PRACK or its answer when they are lost, and tells the user once', async () => {
    const { scenario, alice, invites } = await pair()
    const heard: number[] = []
    scenario.lose(2, (line) => line.startsWith('SIP/2.0 183'))
    scenario.lose(2, (line) => line.startsWith('PRACK '))
    scenario.lose(1, (line, message) => line.startsWith('SIP/2.0 200') && message.includes('PRACK'))
    const calling = alice.invite(target, {
      sdp: sdp('alice'),
      onProvisional: (response) => heard.push(response.status),
    })
    await scenario.pass(100)
    invites[0]!.reply(183, { reliable: true, body: sdp('bob') })
    await scenario.pass(10_000)
    const accepting = invites[0]!.accept({ sdp: sdp('bob') })
    const call = await scenario.settle(calling)
    await scenario.settle(accepting)
    expect(heard).toEqual([183])
    expect(scenario.ladder.filter((line) => line.endsWith('200 PRACK')).length).toBeGreaterThanOrEqual(2)
    await drained(scenario, call)
  })

  it('RFC 3262 §3: without a PRACK the INVITE is answered 504 after 64*T1, also when it was accepted', async () => {
    for (const isAccepted of [false, true]) {
      const { scenario, alice, invites } = await pair()
      scenario.lose(1_000, (line) => line.startsWith('PRACK '))
      const calling = alice.invite(target, { sdp: sdp('alice') }).catch((error: unknown) => error)
      await scenario.pass(100)
      invites[0]!.reply(183, { reliable: true, body: sdp('bob') })
      const accepting = isAccepted ? invites[0]!.accept().catch((error: unknown) => error) : undefined
      await scenario.pass(31_000)
      expect(scenario.ladder.filter((line) => line.includes('200 INVITE'))).toEqual([])
      expect(invites[0]!.signal.aborted).toBe(false)
      await scenario.pass(2_000)
      expect(await scenario.settle(calling)).toMatchObject({ name: expect.stringMatching(/Error$/) })
      expect(invites[0]!.signal.aborted).toBe(true)
      expect(scenario.ladder).toContain('bob>alice 504 INVITE')
      if (accepting !== undefined) expect(await scenario.settle(accepting)).toMatchObject({ code: 'PRACK_MISSING' })
      await drained(scenario)
    }
  })

  it('RFC 3261 §9.2: a CANCEL reaches an INVITE whose 200 still waits for a PRACK', async () => {
    const { scenario, alice, invites } = await pair()
    scenario.lose(1_000, (line) => line.startsWith('PRACK '))
    const controller = new AbortController()
    const calling = alice
      .invite(target, { sdp: sdp('alice'), signal: controller.signal })
      .catch((error: unknown) => error)
    await scenario.pass(100)
    invites[0]!.reply(183, { reliable: true, body: sdp('bob') })
    const accepting = invites[0]!.accept().catch((error: unknown) => error)
    await scenario.pass(1_000)
    controller.abort('Q.850 ;cause=16 ;text="Changed my mind"')
    expect(await scenario.settle(calling)).toMatchObject({ code: 'ABORTED' })
    expect(await scenario.settle(accepting)).toMatchObject({ code: 'CANCELLED' })
    expect(scenario.ladder).toContain('bob>alice 487 INVITE')
    expect(invites[0]!.cancelReasons.map(({ protocol, cause, text: words }) => [protocol, cause, words])).toEqual([
      ['Q.850', 16, 'Changed my mind'],
    ])
    await drained(scenario)
  })

  it('RFC 3262 §5: an offer in a reliable response is answered in the PRACK', async () => {
    const { scenario, alice, invites } = await pair()
    const offers: (string | undefined)[] = []
    const calling = alice.invite(target, {
      answer: (offer) => {
        offers.push(text(offer))
        return sdp('alice')
      },
    })
    await scenario.pass(100)
    invites[0]!.reply(183, { reliable: true, body: sdp('bob') })
    await scenario.pass(100)
    expect(text(invites[0]!.early?.remoteSdp)).toBe(sdp('alice'))
    const accepting = invites[0]!.accept()
    const call = await scenario.settle(calling)
    const bobCall = await scenario.settle(accepting)
    expect(offers).toEqual([sdp('bob')])
    expect([text(call.remoteSdp), text(bobCall.remoteSdp)]).toEqual([sdp('bob'), sdp('alice')])
    expect((await scenario.settle(call.update({ sdp: sdp('alice') }))).status).toBe(488)
    await drained(scenario, call)
  })

  it('RFC 3262 §5, RFC 3326: when nobody answers the offer, the INVITE is cancelled with a reason', async () => {
    const { scenario, alice, invites } = await pair()
    const calling = alice
      .invite(target, { answer: () => Promise.reject(new Error('no codec')) })
      .catch((error: unknown) => error)
    await scenario.pass(100)
    invites[0]!.reply(183, { reliable: true, body: sdp('bob') })
    expect(await scenario.settle(calling)).toMatchObject({ status: 487 })
    expect(invites[0]!.cancelReasons[0]?.text).toBe('no answer to the offer')
    await drained(scenario)
  })

  it('are used for all to a caller that supports them when the stack says always, and never when it says never', async () => {
    const always = await pair({ reliableProvisional: 'always' })
    const calling = always.alice.invite(target, { sdp: sdp('alice') })
    await always.scenario.pass(100)
    always.invites[0]!.reply(180)
    await always.scenario.pass(100)
    expect(always.scenario.ladder).toContain('alice>bob PRACK')
    always.invites[0]!.reply(486)
    await expect(always.scenario.settle(calling)).rejects.toMatchObject({ status: 486 })
    const never = await pair({ reliableProvisional: 'never' })
    const refused = never.alice.invite(target, { sdp: sdp('alice'), reliable: 'required' })
    await expect(never.scenario.settle(refused)).rejects.toMatchObject({ status: 420 })
    const plain = never.alice.invite(target, { sdp: sdp('alice') })
    await never.scenario.pass(100)
    never.invites[0]!.reply(180, { reliable: true })
    await never.scenario.pass(100)
    expect(never.scenario.ladder).not.toContain('alice>bob PRACK')
    never.invites[0]!.reply(486)
    await expect(never.scenario.settle(plain)).rejects.toMatchObject({ status: 486 })
    await drained(never.scenario)
  })

  it('survive a bad network: whatever is lost, repeated or late, calls are made and nothing is left', async () => {
    for (let seed = 1; seed <= 6; seed += 1) {
      const scenario = new Scenario(seed)
      const alice = await scenario.stack('alice')
      const bob = await scenario.stack('bob')
      bob.method('INVITE', (request) => {
        request.reply(180, { reliable: true })
        request.reply(183, { reliable: true, body: sdp('bob') })
        request.accept({ sdp: sdp('bob') }).catch(() => {})
      })
      const conditions = { lossRate: 0.2, duplicateRate: 0.2, reorderRate: 0.2, delayMinMs: 5, delayMaxMs: 120 }
      scenario.network.setConditions(conditions)
      const call = await scenario.settle(alice.invite(target, { sdp: sdp('alice'), reliable: 'required' }))
      expect(text(call.remoteSdp), `seed ${seed}`).toBe(sdp('bob'))
      await drained(scenario, call)
    }
  })
})

/** A stack that is called by a phone written by hand. */
async function called(): Promise<{ scenario: Scenario; phone: Phone; invites: IncomingRequest[] }> {
  const scenario = new Scenario()
  const stack = await scenario.stack('server')
  const invites: IncomingRequest[] = []
  stack.method('INVITE', (request) => void invites.push(request))
  const phone = new Phone(await scenario.raw('alice'), 'alice')
  return { scenario, phone, invites }
}

describe('a callee and a phone that acknowledges as it likes', () => {
  it('RFC 3262 §3: is reliable by itself where the caller requires it, and takes only the PRACK that fits', async () => {
    const { scenario, phone, invites } = await called()
    phone.send('INVITE', { Require: '100rel' }, sdp('alice'))
    await scenario.pass(10)
    invites[0]!.reply(180)
    await scenario.pass(10)
    const ringing = phone.last('SIP/2.0 180')
    const rseq = Number(headerOf(ringing, 'RSeq'))
    expect(headerOf(ringing, 'Require')).toBe('100rel')
    expect(rseq).toBeGreaterThanOrEqual(1)
    expect(rseq).toBeLessThan(2 ** 31)
    const early = { To: headerOf(ringing, 'To') ?? '' }
    const wrong = [`${rseq + 1} 1 INVITE`, `${rseq} 2 INVITE`, `${rseq} 1 UPDATE`]
    for (const [index, rack] of wrong.entries())
      phone.send('PRACK', { ...early, CSeq: `${index + 2} PRACK`, RAck: rack })
    phone.send('PRACK', { ...early, CSeq: '5 PRACK', RAck: 'nonsense' })
    await scenario.pass(10)
    expect(phone.statuses('PRACK')).toEqual([481, 481, 481, 400])
    phone.send('PRACK', { ...early, CSeq: '6 PRACK', RAck: `${rseq} 1 INVITE` })
    phone.send('PRACK', { ...early, CSeq: '7 PRACK', RAck: `${rseq} 1 INVITE` })
    phone.send('PRACK', {
      ...early,
      From: '<sip:mallory@10.0.0.1>;tag=mallory',
      CSeq: '8 PRACK',
      RAck: `${rseq} 1 INVITE`,
    })
    await scenario.pass(60_000)
    expect(phone.statuses('PRACK').slice(4)).toEqual([200, 481, 481])
    expect(phone.statuses('INVITE')).toEqual([180])
    invites[0]!.reply(183, { body: sdp('server') })
    await scenario.pass(10)
    expect(Number(headerOf(phone.last('SIP/2.0 183'), 'RSeq'))).toBe(rseq + 1)
  })

  it('RFC 3262 §5: a PRACK may carry an offer after the answer, which the early dialog answers', async () => {
    const { scenario, phone, invites } = await called()
    phone.send('INVITE', { Supported: '100rel' }, sdp('alice'))
    await scenario.pass(10)
    invites[0]!.reply(183, { reliable: true, body: sdp('server') })
    await scenario.pass(10)
    const progress = phone.last('SIP/2.0 183')
    invites[0]!.early?.onRequest((request) => request.reply(200, { body: sdp('again') }))
    const early = { To: headerOf(progress, 'To') ?? '' }
    const rack = `${headerOf(progress, 'RSeq')} 1 INVITE`
    phone.send('PRACK', { ...early, CSeq: '2 PRACK', RAck: rack }, sdp('alice-again'))
    await scenario.pass(10)
    expect(phone.last('SIP/2.0 200')).toContain('o=again ')
    expect(text(invites[0]!.early?.remoteSdp)).toBe(sdp('alice-again'))
    invites[0]!.accept().catch(() => {})
    await scenario.pass(10)
    expect(phone.statuses('INVITE')).toEqual([183, 200])
  })
})

/** A stack that calls a phone written by hand. */
async function calls(): Promise<{ scenario: Scenario; phone: Phone; calling: Promise<unknown>; heard: string[] }> {
  const scenario = new Scenario()
  const stack = await scenario.stack('server')
  const phone = new Phone(await scenario.raw('bob'), 'bob')
  const heard: string[] = []
  const calling = stack
    .invite(`sip:bob@${phone.raw.address}`, {
      sdp: sdp('server'),
      onProvisional: (response, early) => heard.push(`${response.status} ${early?.remoteTag}`),
    })
    .catch((error: unknown) => error)
  await scenario.pass(10)
  return { scenario, phone, calling, heard }
}

describe('a caller and a phone that numbers as it likes', () => {
  it('RFC 3262 §4: acknowledges in order, discards repetitions and gaps, and counts each fork for itself', async () => {
    const { scenario, phone, heard } = await calls()
    const invite = phone.last('INVITE')
    const to = headerOf(invite, 'To')
    const progress = (rseq: number, tag: string) =>
      phone.reply(invite, '183 Session Progress', { To: `${to};tag=${tag}`, Require: '100rel', RSeq: `${rseq}` })
    for (const [rseq, tag] of [
      [10, 'a'],
      [10, 'a'],
      [12, 'a'],
      [500, 'b'],
      [11, 'a'],
      [11, 'a'],
    ] as const)
      progress(rseq, tag)
    await scenario.pass(100)
    const pracks = phone.requests('PRACK').map((prack) => [headerOf(prack, 'RAck'), headerOf(prack, 'To')?.slice(-1)])
    expect(pracks).toEqual([
      ['10 1 INVITE', 'a'],
      ['500 1 INVITE', 'b'],
      ['11 1 INVITE', 'a'],
    ])
    expect(heard).toEqual(['183 a', '183 b', '183 a'])
  })

  it('RFC 3262 §4: follows route set and Contact of the response, and what is not reliable gets no PRACK', async () => {
    const { scenario, phone } = await calls()
    const invite = phone.last('INVITE')
    phone.reply(invite, '183 Session Progress', { RSeq: '10' })
    phone.reply(invite, '183 Session Progress', { Require: '100rel' })
    phone.reply(invite, '183 Session Progress', { Require: '100rel', RSeq: '0' })
    phone.reply(invite, '183 Session Progress', { To: headerOf(invite, 'To'), Require: '100rel', RSeq: '1' })
    await scenario.pass(100)
    expect(phone.requests('PRACK')).toEqual([])
    phone.reply(invite, '183 Session Progress', {
      To: `${headerOf(invite, 'To')};tag=second`,
      Require: '100rel',
      RSeq: '1',
      'Record-Route': `<sip:${phone.raw.address};lr>`,
      Contact: '<sip:bob@192.0.2.7>',
    })
    await scenario.pass(100)
    const prack = phone.last('PRACK')
    expect(prack).toMatch(/^PRACK sip:bob@192\.0\.2\.7 SIP/)
    expect(headerOf(prack, 'Route')).toBe(`<sip:${phone.raw.address};lr>`)
  })

  it('RFC 3262 §3: a PRACK that is refused or not answered ends no call', async () => {
    const { scenario, phone, calling } = await calls()
    const invite = phone.last('INVITE')
    phone.reply(invite, '180 Ringing', { Require: '100rel', RSeq: '10' })
    await scenario.pass(10)
    phone.reply(phone.last('PRACK'), '481 Call/Transaction Does Not Exist')
    phone.reply(invite, '180 Ringing', { Require: '100rel', RSeq: '11' })
    await scenario.pass(40_000)
    phone.reply(invite, '200 OK', {}, sdp('bob'))
    const call = (await scenario.settle(calling)) as Call
    await scenario.pass(10_000)
    expect(call.state).toBe('active')
  })
})

describe('an early dialog that is lost', () => {
  it('RFC 3261 §12.2.1.2: the INVITE is refused, and whoever waits for it learns of it', async () => {
    const { scenario, phone, invites } = await called()
    phone.send('INVITE', { Require: '100rel' }, sdp('alice'))
    await scenario.pass(10)
    invites[0]!.reply(183, { body: sdp('server') })
    await scenario.pass(10)
    const progress = phone.last('SIP/2.0 183')
    const early = { To: headerOf(progress, 'To') ?? '' }
    phone.send('PRACK', { ...early, CSeq: '2 PRACK', RAck: `${headerOf(progress, 'RSeq')} 1 INVITE` })
    await scenario.pass(10)
    const updating = invites[0]!.early!.update().catch((error: unknown) => error)
    await scenario.pass(10)
    phone.reply(phone.last('UPDATE'), '481 Call/Transaction Does Not Exist')
    await scenario.settle(updating)
    await scenario.pass(10)
    expect(phone.statuses('INVITE')).toEqual([183, 480])
    expect(invites[0]!.signal.aborted).toBe(true)
    phone.send('ACK', early)
    await scenario.pass(100_000)
    expect(scenario.gauges()).toEqual(scenario.gauges().map(() => 0))
  })
})
