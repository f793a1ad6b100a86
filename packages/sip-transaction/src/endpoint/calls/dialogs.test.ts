import { describe, expect, it } from 'vitest'
import { headerOf, Phone, serverAddress } from '../fixtures/phone'
import { Scenario } from '../fixtures/scenario'
import type { SipStack } from '../stack'
import type { Call } from './call'

const sdp = (who: string) =>
  `v=0\r\no=${who} 1 1 IN IP4 10.0.0.9\r\ns=-\r\nc=IN IP4 10.0.0.9\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n`

interface World {
  readonly scenario: Scenario
  readonly stack: SipStack
  readonly phone: Phone
  readonly calling: Promise<Call>
  /** The INVITE that the phone got, and its To without a tag. */
  readonly invite: string
  readonly to: string
}

/** The stack calls a phone written by hand. */
async function calling(): Promise<World> {
  const scenario = new Scenario()
  const stack = await scenario.stack('server')
  const phone = new Phone(await scenario.raw('bob'), 'bob')
  const call = stack.invite(`sip:bob@${phone.raw.address}`, { sdp: sdp('server') })
  call.catch(() => {})
  await scenario.pass(10)
  const invite = phone.last('INVITE')
  return { scenario, stack, phone, calling: call, invite, to: headerOf(invite, 'To') ?? '' }
}

async function drained({ scenario }: Pick<World, 'scenario'>): Promise<void> {
  await scenario.pass(100_000)
  expect(scenario.gauges()).toEqual(scenario.gauges().map(() => 0))
  expect(scenario.clock.pending).toBe(0)
}

const tagOf = (request: string) => /;tag=([^;]+)/.exec(headerOf(request, 'To') ?? '')?.[1]

describe('the dialogs of one INVITE', () => {
  it('RFC 3261 §13.2.2.4: of several forks that answer one makes the call, each is ACKed, the others get BYE', async () => {
    const w = await calling()
    const { phone, invite, to } = w
    const way = { 'Record-Route': `<sip:${phone.raw.address};lr;fork=b>` }
    phone.reply(invite, '180 Ringing', { To: `${to};tag=a` })
    phone.reply(invite, '180 Ringing', { To: `${to};tag=b`, ...way })
    await w.scenario.pass(10)
    expect(w.stack.stats().dialogs).toBe(2)
    phone.reply(invite, '200 OK', { To: `${to};tag=b`, ...way }, sdp('b'))
    const call = await w.scenario.settle(w.calling)
    phone.reply(invite, '200 OK', { To: `${to};tag=a` }, sdp('a'))
    phone.reply(invite, '200 OK', { To: `${to};tag=c` }, sdp('c'))
    await w.scenario.pass(10)
    expect(call.remoteTag).toBe('b')
    expect(phone.requests('ACK').map(tagOf).sort()).toEqual(['a', 'b', 'c'])
    expect(phone.requests('BYE').map(tagOf).sort()).toEqual(['a', 'c'])
    const ack = phone.requests('ACK').find((each) => tagOf(each) === 'b') ?? ''
    expect(headerOf(ack, 'Route')).toContain('fork=b')
    expect(headerOf(phone.requests('ACK').find((each) => tagOf(each) === 'a') ?? '', 'Route')).toBeUndefined()
    // Repetitions get their ACK again, and no second BYE.
    const before = phone.raw.received.length
    for (const tag of ['a', 'b', 'c']) phone.reply(invite, '200 OK', { To: `${to};tag=${tag}`, ...way }, sdp(tag))
    await w.scenario.pass(10)
    const again = phone.raw.received.slice(before).map((text) => text.split(' ')[0])
    expect(again.filter((method) => method === 'ACK')).toHaveLength(3)
    expect(phone.requests('BYE')).toHaveLength(2)
    for (const bye of phone.requests('BYE')) phone.reply(bye, '200 OK')
    call.bye()
    await w.scenario.pass(10)
    phone.reply(phone.last('BYE'), '200 OK')
    await drained(w)
  })

  it('RFC 3261 §13.2.2.4: a 2xx that comes again once the call is over gets the same ACK, that of a fork ACK and BYE', async () => {
    const w = await calling()
    const { phone, invite, to } = w
    const way = { Contact: `<sip:bob@${phone.raw.address}>` }
    phone.reply(invite, '200 OK', { To: `${to};tag=a`, ...way }, sdp('a'))
    const call = await w.scenario.settle(w.calling)
    await w.scenario.pass(10)
    const ack = phone.last('ACK')
    call.bye()
    await w.scenario.pass(10)
    phone.reply(phone.last('BYE'), '200 OK')
    await w.scenario.pass(10)
    const before = phone.raw.received.length
    phone.reply(invite, '200 OK', { To: `${to};tag=a`, ...way }, sdp('a'))
    await w.scenario.pass(10)
    expect(phone.raw.received.slice(before)).toEqual([ack])
    phone.reply(invite, '200 OK', { To: `${to};tag=b`, ...way }, sdp('b'))
    await w.scenario.pass(10)
    expect(phone.raw.received.slice(before + 1).map((text) => [text.split(' ')[0], tagOf(text)])).toEqual([
      ['ACK', 'b'],
      ['BYE', 'b'],
    ])
    phone.reply(phone.last('BYE'), '200 OK')
    await w.scenario.pass(40_000)
    const after = phone.raw.received.length
    phone.reply(invite, '200 OK', { To: `${to};tag=a`, ...way }, sdp('a'))
    await w.scenario.pass(100)
    expect(phone.raw.received.length).toBe(after)
    await drained(w)
  })

  it('RFC 3261 §13.2.2.4: a 2xx after a failure of the same INVITE is ACKed and ended with BYE, once', async () => {
    const w = await calling()
    const { phone, invite, to } = w
    phone.reply(invite, '486 Busy Here', { To: `${to};tag=a` })
    await expect(w.scenario.settle(w.calling)).rejects.toMatchObject({ status: 486 })
    for (let times = 0; times < 3; times += 1) {
      phone.reply(invite, '200 OK', { To: `${to};tag=late` }, sdp('b'))
      await w.scenario.pass(400)
    }
    const ackOfLate = phone.raw.received.filter((text) => text.startsWith('ACK ') && tagOf(text) === 'late')
    expect(ackOfLate).toHaveLength(3)
    expect(phone.requests('BYE').map(tagOf)).toEqual(['late'])
    phone.reply(phone.last('BYE'), '200 OK')
    await w.scenario.pass(40_000)
    const before = phone.raw.received.length
    phone.reply(invite, '200 OK', { To: `${to};tag=much-later` }, sdp('b'))
    await w.scenario.pass(100)
    expect(phone.raw.received.length).toBe(before)
    await drained(w)
  })

  it('a 2xx to an INVITE that nobody sent makes us send nothing', async () => {
    const w = await calling()
    const { phone, invite } = w
    const before = phone.raw.received.length
    phone.reply(
      invite.replace(/^Call-ID: .*$/m, 'Call-ID: forged\r').replace(/branch=\w+/, 'branch=z9hG4bKforged'),
      '200 OK',
    )
    await w.scenario.pass(100)
    expect(phone.raw.received.length).toBe(before)
    expect(w.stack.stats().counters.dropped['stray-response']).toBe(1)
    phone.reply(invite, '404 Not Found')
    await drained(w)
  })

  it('RFC 3261 §12.1.2: early dialogs of forks end with the failure of the INVITE', async () => {
    const w = await calling()
    for (const tag of ['a', 'b', 'c']) w.phone.reply(w.invite, '183 Session Progress', { To: `${w.to};tag=${tag}` })
    await w.scenario.pass(10)
    expect(w.stack.stats().dialogs).toBe(3)
    w.phone.reply(w.invite, '603 Decline', { To: `${w.to};tag=b` })
    await expect(w.scenario.settle(w.calling)).rejects.toMatchObject({ status: 603 })
    expect(w.stack.stats().dialogs).toBe(0)
    await drained(w)
  })
})

/** The call is up; `inCall` names its dialog as the phone writes it. */
async function connected(): Promise<World & { call: Call; inCall: Record<string, string> }> {
  const w = await calling()
  w.phone.reply(w.invite, '200 OK', {}, sdp('bob'))
  const call = await w.scenario.settle(w.calling)
  const inCall = {
    From: `${w.to};tag=bob`,
    To: headerOf(w.invite, 'From') ?? '',
    'Call-ID': headerOf(w.invite, 'Call-ID') ?? '',
  }
  return { ...w, call, inCall }
}

describe('requests and responses in a dialog', () => {
  it('RFC 3261 §12.2.2: a BYE, UPDATE or INVITE with a wrong tag or Call-ID is answered 481 and changes nothing', async () => {
    const w = await connected()
    const forged = [
      { From: `${w.to};tag=mallory` },
      { From: w.to },
      { To: `<sip:x@${serverAddress}>;tag=guessed` },
      { 'Call-ID': 'guessed' },
    ]
    for (const [index, change] of forged.entries()) {
      for (const method of ['BYE', 'UPDATE', 'INVITE'])
        w.phone.send(method, { ...w.inCall, ...change, CSeq: `${index + 1} ${method}` })
    }
    await w.scenario.pass(100)
    for (const method of ['BYE', 'UPDATE', 'INVITE']) expect(w.phone.statuses(method)).toEqual([481, 481, 481, 481])
    expect(w.call.state).toBe('active')
  })

  it('RFC 3261 §12.2.2: a lower CSeq is answered 500, gaps are fine', async () => {
    const w = await connected()
    w.call.onRequest((request) => request.reply(200))
    for (const seq of [10, 12, 11, 12, 4_000]) {
      w.phone.send('INFO', { ...w.inCall, CSeq: `${seq} INFO` })
      await w.scenario.pass(10)
    }
    expect(w.phone.statuses('INFO')).toEqual([200, 200, 500, 500, 200])
    w.phone.send('BYE', { ...w.inCall, CSeq: '20 BYE' })
    await w.scenario.pass(10)
    expect([w.phone.statuses('BYE'), w.call.state]).toEqual([[500], 'active'])
  })

  it('RFC 3261 §12: a 2xx to a re-INVITE with another To tag is of another dialog: ACKed and ended there', async () => {
    const w = await connected()
    const changing = w.call.reinvite({ sdp: sdp('server-2') })
    await w.scenario.pass(10)
    const invite = w.phone.last('INVITE')
    w.phone.reply(invite, '200 OK', { To: `${w.to};tag=other` }, sdp('other'))
    await w.scenario.pass(10)
    expect([tagOf(w.phone.last('ACK')), tagOf(w.phone.last('BYE'))]).toEqual(['other', 'other'])
    w.phone.reply(w.phone.last('BYE'), '200 OK')
    w.phone.reply(invite, '200 OK', {}, sdp('bob-2'))
    expect((await w.scenario.settle(changing)).status).toBe(200)
    expect(Buffer.from(w.call.remoteSdp!).toString()).toBe(sdp('bob-2'))
    expect(tagOf(w.phone.last('ACK'))).toBe('bob')
    const second = w.call.reinvite({ sdp: sdp('server-3') }).catch((error: unknown) => error)
    await w.scenario.pass(10)
    w.phone.reply(w.phone.last('INVITE'), '200 OK', { To: `${w.to};tag=third` }, sdp('third'))
    expect(await w.scenario.settle(second)).toMatchObject({ code: 'TIMEOUT' })
    expect(w.call.state).toBe('active')
  })

  it('RFC 3261 §13.2.2.4: a 2xx to a re-INVITE is acknowledged even when the call is over and forgotten', async () => {
    const w = await connected()
    const changing = w.call.reinvite({ sdp: sdp('server-2') }).catch((error: unknown) => error)
    await w.scenario.pass(10)
    const invite = w.phone.last('INVITE')
    w.phone.send('BYE', { ...w.inCall, CSeq: '1 BYE' })
    await w.scenario.pass(10)
    expect(w.stack.stats().dialogs).toBe(0)
    w.phone.reply(invite, '200 OK', {}, sdp('bob'))
    expect(await w.scenario.settle(changing)).toMatchObject({ code: 'CALL_ENDED' })
    expect(headerOf(w.phone.last('ACK'), 'CSeq')).toBe('2 ACK')
    await drained(w)
  })

  it.each([
    ['INFO', 481, 'ended'],
    ['INFO', 408, 'ended'],
    ['INFO', 404, 'active'],
    ['INFO', 500, 'active'],
    ['UPDATE', 410, 'ended'],
    ['UPDATE', 488, 'active'],
    ['UPDATE', 491, 'active'],
  ] as const)('RFC 5057 §5.1: %s answered %i leaves the call %s', async (method, status, state) => {
    const w = await connected()
    const asking = w.call.request(method)
    await w.scenario.pass(10)
    w.phone.reply(w.phone.last(method), `${status} Whatever`)
    expect((await w.scenario.settle(asking)).status).toBe(status)
    expect(w.call.state).toBe(state)
    expect(w.phone.requests('BYE')).toHaveLength(state === 'ended' ? 1 : 0)
  })

  it('RFC 3326: Reason is read from BYE, several of them, and one that cannot be read does no harm', async () => {
    const w = await connected()
    w.phone.send('BYE', { ...w.inCall, CSeq: '1 BYE', Reason: 'Q.850 ;cause=16 ;text="Normal", SIP ;cause=200' })
    const end = await w.scenario.settle(w.call.ended)
    expect(end.reasons?.map(({ protocol, cause }) => [protocol, cause])).toEqual([
      ['Q.850', 16],
      ['SIP', 200],
    ])
    const second = await connected()
    second.phone.send('BYE', { ...second.inCall, CSeq: '1 BYE', Reason: ';;"' })
    expect(await second.scenario.settle(second.call.ended)).toMatchObject({ by: 'remote', reason: ';;"' })
  })
})
