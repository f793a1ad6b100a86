import { describe, expect, it } from 'vitest'
import { headerOf, Phone, serverAddress } from '../fixtures/phone'
import { Scenario } from '../fixtures/scenario'
import type { SipStackOptions } from '../options'
import { SipStack } from '../stack'
import type { Call } from './call'

const sdp = (who: string) =>
  `v=0\r\no=${who} 1 1 IN IP4 10.0.0.9\r\ns=-\r\nc=IN IP4 10.0.0.9\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n`

const target = 'sip:bob@10.0.0.2:5060'

interface World {
  readonly scenario: Scenario
  readonly call: Call
  readonly bobCall: Call
}

/** A call of Alice to Bob that is up. */
async function connected(alice: Partial<SipStackOptions> = {}, bob: Partial<SipStackOptions> = {}): Promise<World> {
  const scenario = new Scenario()
  const a = await scenario.stack('alice', alice)
  const b = await scenario.stack('bob', bob)
  const calls: Call[] = []
  b.method('INVITE', async (request) => void calls.push(await request.accept({ sdp: sdp('bob') })))
  const call = await scenario.settle(a.invite(target, { sdp: sdp('alice') }))
  await scenario.pass(100)
  return { scenario, call, bobCall: calls[0]! }
}

const count = (scenario: Scenario, line: string) => scenario.ladder.filter((each) => each === line).length

describe('a session timer between two stacks', () => {
  it('RFC 4028 §7.4: is on by itself; the caller refreshes by UPDATE at half of the interval, for ever', async () => {
    const { scenario, call, bobCall } = await connected()
    expect(call.sessionTimer).toEqual({ seconds: 1_800, isLocal: true })
    expect(bobCall.sessionTimer).toEqual({ seconds: 1_800, isLocal: false })
    await scenario.pass(899_000)
    expect(count(scenario, 'alice>bob UPDATE')).toBe(0)
    await scenario.pass(2_000)
    expect(count(scenario, 'alice>bob UPDATE')).toBe(1)
    await scenario.pass(9_000_000)
    expect(count(scenario, 'alice>bob UPDATE')).toBe(11)
    expect(count(scenario, 'bob>alice 200 UPDATE')).toBe(11)
    expect([call.state, bobCall.state]).toEqual(['active', 'active'])
    await scenario.settle(bobCall.bye())
    await scenario.pass(100_000)
    expect(scenario.clock.pending).toBe(0)
  })

  it('RFC 4028 §9: the callee refreshes when it says so, and is watched by the caller', async () => {
    const { scenario, call, bobCall } = await connected(
      {},
      { sessionTimers: { refresher: 'uas', expiresSeconds: 600 } },
    )
    expect(call.sessionTimer).toEqual({ seconds: 600, isLocal: false })
    expect(bobCall.sessionTimer).toEqual({ seconds: 600, isLocal: true })
    await scenario.pass(301_000)
    expect(count(scenario, 'bob>alice UPDATE')).toBe(1)
    expect(bobCall.sessionTimer).toEqual({ seconds: 600, isLocal: true })
  })

  it('RFC 4028 §10: whoever hears nothing more ends the call with BYE and a reason, on both sides', async () => {
    const { scenario, call, bobCall } = await connected({}, {})
    scenario.network.partition(['10.0.0.1'], ['10.0.0.2'])
    await scenario.pass(1_700_000)
    expect(await scenario.settle(call.ended)).toMatchObject({ by: 'timeout' })
    expect(bobCall.state).toBe('active')
    await scenario.pass(100_000)
    expect(await scenario.settle(bobCall.ended)).toMatchObject({
      by: 'timeout',
      reason: expect.stringContaining('Session timer expired'),
    })
    expect(scenario.ladder).toContain('bob>alice BYE')
    await scenario.pass(100_000)
    expect(scenario.gauges()).toEqual(scenario.gauges().map(() => 0))
    expect(scenario.clock.pending).toBe(0)
  })

  it('RFC 4028 §7.3: a 422 makes the caller ask again with the Min-SE that it names', async () => {
    const { scenario, call } = await connected(
      { sessionTimers: { expiresSeconds: 120 } },
      { sessionTimers: { minSeconds: 300 } },
    )
    expect(scenario.ladder.slice(0, 4)).toEqual([
      'alice>bob INVITE',
      'bob>alice 422 INVITE',
      'alice>bob ACK',
      'alice>bob INVITE',
    ])
    expect(call.sessionTimer).toEqual({ seconds: 300, isLocal: true })
  })

  it('is not asked for when only accepted, and off when it is off', async () => {
    const passive = await connected({ sessionTimers: { offer: false } }, { sessionTimers: { offer: false } })
    expect(passive.call.sessionTimer).toBeUndefined()
    const off = await connected({ sessionTimers: false })
    expect([off.call.sessionTimer, off.bobCall.sessionTimer]).toEqual([undefined, undefined])
    await off.scenario.pass(10_000_000)
    expect(off.call.state).toBe('active')
    const half = await connected({ sessionTimers: { offer: false } })
    expect(half.call.sessionTimer).toEqual({ seconds: 1_800, isLocal: true })
  })

  it('RFC 4028 §7.4: a re-INVITE agrees anew and keeps the roles', async () => {
    const { scenario, call, bobCall } = await connected()
    bobCall.onRequest((request) => request.reply(200, { body: sdp('bob-held') }))
    call.onRequest((request) => request.reply(200, { body: sdp('alice-held') }))
    await scenario.pass(800_000)
    expect((await scenario.settle(bobCall.reinvite({ sdp: sdp('bob-holds') }))).status).toBe(200)
    expect([call.sessionTimer?.isLocal, bobCall.sessionTimer?.isLocal]).toEqual([true, false])
    await scenario.pass(200_000)
    expect(count(scenario, 'alice>bob UPDATE')).toBe(0)
    await scenario.pass(701_000)
    expect(count(scenario, 'alice>bob UPDATE')).toBe(1)
  })

  it('refuses intervals that make no sense', async () => {
    for (const sessionTimers of [
      { minSeconds: 10 },
      { expiresSeconds: 60 },
      { minSeconds: 3_600 },
      { expiresSeconds: 90.5 },
    ])
      await expect(SipStack.create({ listen: [], sessionTimers })).rejects.toMatchObject({
        code: 'SESSION_TIMERS_INVALID',
      })
  })
})

interface PhoneWorld {
  readonly scenario: Scenario
  readonly phone: Phone
  readonly call: Call
}

/** A call of the stack to a phone written by hand, answered with those headers. */
async function answeredBy(headers: Record<string, string | undefined>): Promise<PhoneWorld> {
  const scenario = new Scenario()
  const stack = await scenario.stack('server')
  const phone = new Phone(await scenario.raw('bob'), 'bob')
  const calling = stack.invite(`sip:bob@${phone.raw.address}`, { sdp: sdp('server') })
  await scenario.pass(10)
  phone.reply(phone.last('INVITE'), '200 OK', headers, sdp('bob'))
  return { scenario, phone, call: await scenario.settle(calling) }
}

describe('a session timer with phones of all kinds', () => {
  it('RFC 4028 §7.2: no Session-Expires in the answer means no timer', async () => {
    const { scenario, phone, call } = await answeredBy({})
    await scenario.pass(10_000_000)
    expect(call.sessionTimer).toBeUndefined()
    expect(phone.raw.received.map((text) => text.split(' ')[0])).toEqual(['INVITE', 'ACK'])
  })

  it('RFC 4028 §7.4: a phone that does not allow UPDATE gets a re-INVITE with the same offer', async () => {
    const { scenario, phone, call } = await answeredBy({
      'Session-Expires': '600;refresher=uac',
      Allow: 'INVITE, ACK, BYE',
    })
    await scenario.pass(301_000)
    const refresh = phone.last('INVITE')
    expect(headerOf(refresh, 'CSeq')).toBe('2 INVITE')
    expect(refresh.slice(refresh.indexOf('\r\n\r\n') + 4)).toBe(sdp('server'))
    expect(headerOf(refresh, 'Session-Expires')).toBe('600;refresher=uac')
    phone.reply(refresh, '200 OK', { 'Session-Expires': '600;refresher=uac' }, sdp('bob'))
    await scenario.pass(100)
    expect(headerOf(phone.last('ACK'), 'CSeq')).toBe('2 ACK')
    await scenario.pass(300_000)
    expect(headerOf(phone.last('INVITE'), 'CSeq')).toBe('3 INVITE')
    expect(call.state).toBe('active')
  })

  it('RFC 4028 §7.3 and §7.4: UPDATE that is not known becomes a re-INVITE, 422 is followed, 500 tried again', async () => {
    const { scenario, phone, call } = await answeredBy({
      'Session-Expires': '600;refresher=uac',
      Allow: 'INVITE, UPDATE',
    })
    await scenario.pass(300_100)
    phone.reply(phone.last('UPDATE'), '422 Session Interval Too Small', { 'Min-SE': '900' })
    await scenario.pass(100)
    expect(headerOf(phone.last('UPDATE'), 'Session-Expires')).toBe('900;refresher=uac')
    expect(headerOf(phone.last('UPDATE'), 'Min-SE')).toBe('900')
    phone.reply(phone.last('UPDATE'), '500 Server Internal Error')
    await scenario.pass(40_000)
    expect(phone.requests('UPDATE')).toHaveLength(3)
    phone.reply(phone.last('UPDATE'), '405 Method Not Allowed')
    await scenario.pass(100)
    expect(headerOf(phone.last('INVITE'), 'CSeq')).toBe('5 INVITE')
    phone.reply(phone.last('INVITE'), '200 OK', { 'Session-Expires': '900;refresher=uac' }, sdp('bob'))
    await scenario.pass(100)
    expect(call.sessionTimer).toEqual({ seconds: 900, isLocal: true })
  })

  it('RFC 4028 §8.2: takes what a proxy has made of it, but never an interval that would keep it busy', async () => {
    const { scenario, phone, call } = await answeredBy({ 'Session-Expires': '1;refresher=uac', Require: 'timer' })
    expect(call.sessionTimer).toEqual({ seconds: 90, isLocal: true })
    await scenario.pass(44_000)
    expect(phone.requests('INVITE')).toHaveLength(1)
    const malformed = await answeredBy({ 'Session-Expires': 'soon;refresher=uac' })
    expect(malformed.call.sessionTimer).toBeUndefined()
  })

  it('RFC 4028 §9: 422 with Min-SE for an interval below 90 s, on the INVITE and inside the call', async () => {
    const scenario = new Scenario()
    const stack = await scenario.stack('server')
    stack.method('INVITE', (request) => request.reply(200, { body: sdp('server') }))
    const phone = new Phone(await scenario.raw('alice'), 'alice')
    phone.send('INVITE', { Supported: 'timer', 'Session-Expires': '30' }, sdp('alice'))
    await scenario.pass(10)
    expect(phone.statuses('INVITE')).toEqual([422])
    expect(headerOf(phone.last('SIP/2.0 422'), 'Min-SE')).toBe('90')
    phone.send('INVITE', { 'Call-ID': 'two', Supported: 'timer', 'Session-Expires': '120;refresher=uac' }, sdp('alice'))
    await scenario.pass(10)
    const answer = phone.last('SIP/2.0 200')
    expect([headerOf(answer, 'Session-Expires'), headerOf(answer, 'Require')]).toEqual(['120;refresher=uac', 'timer'])
    const inCall = { 'Call-ID': 'two', To: headerOf(answer, 'To') ?? '' }
    phone.send('ACK', inCall)
    phone.send('UPDATE', { ...inCall, CSeq: '2 UPDATE', Supported: 'timer', 'Session-Expires': '30' })
    await scenario.pass(10)
    expect(phone.statuses('UPDATE')).toEqual([422])
    expect(stack.stats().calls).toBe(1)
    await scenario.pass(87_000)
    expect(stack.stats().calls).toBe(1)
    await scenario.pass(2_000)
    expect(stack.stats().calls).toBe(0)
    expect(headerOf(phone.last('BYE'), 'Reason')).toContain('cause=408')
  })

  it('RFC 4028 §7.4: a re-INVITE that changes nothing is answered by the stack when no handler cares', async () => {
    const scenario = new Scenario()
    const stack = await scenario.stack('server')
    stack.method('INVITE', (request) => request.reply(200, { body: sdp('server') }))
    const phone = new Phone(await scenario.raw('alice'), 'alice')
    phone.send('INVITE', { Supported: 'timer', 'Session-Expires': '120;refresher=uac' }, sdp('alice'))
    await scenario.pass(10)
    const inCall = { To: headerOf(phone.last('SIP/2.0 200'), 'To') ?? '' }
    phone.send('ACK', inCall)
    for (let cseq = 2; cseq < 8; cseq += 1) {
      await scenario.pass(60_000)
      const refresh = { ...inCall, CSeq: `${cseq} INVITE`, Supported: 'timer', 'Session-Expires': '120;refresher=uac' }
      phone.send('INVITE', refresh, sdp('alice'))
      await scenario.pass(10)
      phone.send('ACK', { ...inCall, CSeq: `${cseq} ACK` })
    }
    expect(new Set(phone.statuses('INVITE'))).toEqual(new Set([200]))
    expect(stack.stats().calls).toBe(1)
    phone.send('INVITE', { ...inCall, CSeq: '9 INVITE', To: `<sip:bob@${serverAddress}>;tag=other` }, sdp('alice'))
    await scenario.pass(10)
    expect(phone.statuses('INVITE').at(-1)).toBe(481)
  })
})
