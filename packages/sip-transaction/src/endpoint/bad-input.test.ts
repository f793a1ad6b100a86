/** What a hostile or broken peer sends on purpose: nobody else is hurt, nothing is kept, nobody is answered who did not ask. */
import { describe, expect, it } from 'vitest'
import type { Call } from './calls/call'
import { headerOf, Phone, serverAddress } from './fixtures/phone'
import { Scenario } from './fixtures/scenario'

const sdp = 'v=0\r\no=- 1 1 IN IP4 10.0.0.9\r\ns=-\r\nc=IN IP4 10.0.0.9\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n'

async function world() {
  const scenario = new Scenario()
  const stack = await scenario.stack('server')
  const calls: Call[] = []
  const keep = (call: Call) => void calls.push(call)
  stack.method('INVITE', (request) => request.accept({ sdp }).then(keep, () => {}))
  const alice = new Phone(await scenario.raw('alice'), 'alice')
  const mallory = new Phone(await scenario.raw('mallory'), 'mallory')
  const nothingLeft = async () => {
    await scenario.pass(200_000)
    expect(scenario.gauges()).toEqual(scenario.gauges().map(() => 0))
  }
  return { scenario, stack, calls, alice, mallory, nothingLeft }
}

/** A call of Alice's that is up. */
async function inCall() {
  const w = await world()
  w.alice.send('INVITE', {}, sdp)
  await w.scenario.pass(10)
  const inside = { To: headerOf(w.alice.last('SIP/2.0 200'), 'To') ?? '' }
  w.alice.send('ACK', inside)
  await w.scenario.pass(10)
  expect(w.calls).toHaveLength(1)
  /** What Mallory writes when she knows the call as well as Alice does, but for what `changes` says. */
  const forged = (changes: Record<string, string>) => ({
    From: `<sip:alice@${serverAddress}>;tag=alice`,
    'Call-ID': 'call-of-alice',
    ...inside,
    ...changes,
  })
  return { ...w, inside, forged }
}

describe('responses for nobody', () => {
  it('RFC 3261 §18.1.2: a response for no transaction is counted, and neither answered nor kept', async () => {
    const { scenario, stack, mallory, nothingLeft } = await world()
    for (const status of ['100 Trying', '180 Ringing', '200 OK', '486 Busy Here'])
      for (const method of ['INVITE', 'OPTIONS', 'BYE', 'CANCEL'])
        mallory.raw.send(serverAddress, [
          `SIP/2.0 ${status}`,
          `Via: SIP/2.0/UDP ${serverAddress}:5060;branch=z9hG4bKguess`,
          'From: <sip:a@b>;tag=1',
          'To: <sip:a@b>;tag=2',
          'Call-ID: nobody',
          `CSeq: 1 ${method}`,
          'Content-Length: 0',
        ])
    await scenario.pass(10)
    expect(mallory.raw.received).toEqual([])
    expect(stack.stats().counters.dropped['stray-response']).toBe(16)
    await nothingLeft()
  })

  it('RFC 3261 §17.1.3: the right branch with another method in CSeq is no answer either', async () => {
    const { scenario, stack, mallory } = await world()
    const asking = stack.request({ method: 'OPTIONS', uri: `sip:${mallory.raw.address}` })
    await scenario.pass(10)
    const request = mallory.last('OPTIONS')
    mallory.reply(request, '200 OK', { CSeq: '1 INVITE' })
    mallory.reply(request, '403 Forbidden')
    expect((await scenario.settle(asking)).status).toBe(403)
  })
})

describe('forged requests for a call', () => {
  it('RFC 3261 §12.2.2: a BYE with a wrong tag or Call-ID is answered 481, and the call goes on', async () => {
    const { scenario, stack, mallory, forged, calls } = await inCall()
    const wrong = [
      { From: `<sip:alice@${serverAddress}>;tag=mallory` },
      { To: `<sip:bob@${serverAddress}>;tag=guess` },
      { To: `<sip:bob@${serverAddress}>` },
      { 'Call-ID': 'call-of-alic' },
    ]
    for (const changes of wrong) mallory.send('BYE', forged({ CSeq: '2 BYE', ...changes }))
    await scenario.pass(10)
    expect(mallory.statuses('BYE')).toEqual([481, 481, 481, 481])
    expect([calls[0]?.state, stack.stats().dialogs]).toEqual(['active', 1])
  })

  it('RFC 3261 §9.2: a CANCEL from another host is answered 481, and the INVITE goes on', async () => {
    const scenario = new Scenario()
    const stack = await scenario.stack('server')
    stack.method('INVITE', (request) => request.reply(180))
    const alice = new Phone(await scenario.raw('alice'), 'alice')
    const mallory = new Phone(await scenario.raw('mallory'), 'mallory')
    const Via = `SIP/2.0/UDP ${alice.raw.address}:5060;branch=z9hG4bKknown`
    alice.send('INVITE', { Via }, sdp)
    await scenario.pass(10)
    const known = { Via, 'Call-ID': 'call-of-alice', From: `<sip:alice@${serverAddress}>;tag=alice` }
    mallory.send('CANCEL', known)
    await scenario.pass(1_000)
    // Her Via names Alice, but nothing she sends makes anything go there.
    expect([mallory.statuses('CANCEL'), alice.statuses('CANCEL'), alice.statuses('INVITE')]).toEqual([[481], [], [180]])
    alice.send('CANCEL', { Via })
    await scenario.pass(10)
    expect([alice.statuses('CANCEL'), alice.statuses('INVITE')]).toEqual([[200], [180, 487]])
  })

  it('RFC 3261 §13.2.2.4: an ACK with a wrong tag does not confirm a call', async () => {
    const { scenario, alice, mallory, calls, stack } = await world()
    alice.send('INVITE', {}, sdp)
    await scenario.pass(10)
    const To = `${headerOf(alice.last('SIP/2.0 200'), 'To')}x`
    mallory.send('ACK', { From: `<sip:alice@${serverAddress}>;tag=alice`, 'Call-ID': 'call-of-alice', To })
    await scenario.pass(600)
    expect([calls.length, stack.stats().counters.dropped['stray-ack']]).toEqual([0, 1])
    expect(alice.statuses('INVITE')).toEqual([200, 200])
  })
})

describe('requests out of order', () => {
  it('RFC 3261 §12.2.2: a CSeq lower than the last is answered 500; gaps are no fault', async () => {
    const { scenario, alice, inside, calls, nothingLeft } = await inCall()
    alice.send('INFO', { ...inside, CSeq: '7 INFO' })
    await scenario.pass(10)
    for (const method of ['INFO', 'INVITE', 'BYE']) alice.send(method, { ...inside, CSeq: `3 ${method}` })
    await scenario.pass(10)
    expect([alice.statuses('INFO'), alice.statuses('INVITE').at(-1), alice.statuses('BYE')]).toEqual([
      [405, 500],
      500,
      [500],
    ])
    expect(calls[0]?.state).toBe('active')
    alice.send('ACK', { ...inside, CSeq: '3 ACK' })
    alice.send('BYE', { ...inside, CSeq: '8 BYE' })
    await scenario.pass(10)
    expect(alice.statuses('BYE')).toEqual([500, 200])
    await nothingLeft()
  })

  it('RFC 3261 §8.1.1.5: a CSeq of 2^31 or more, or of another method than the request, is refused', async () => {
    const { scenario, alice, inside } = await inCall()
    alice.send('INFO', { ...inside, CSeq: '4294967296 INFO' })
    alice.send('INFO', { ...inside, CSeq: '2 BYE' })
    await scenario.pass(10)
    const statuses = alice.raw.received.filter((text) => text.startsWith('SIP/2.0 4')).map((text) => text.slice(8, 11))
    expect(statuses).toEqual(['400', '400'])
  })
})

describe('a To tag that changes', () => {
  it('RFC 3261 §12.2.2: a request with another To tag is no part of the call', async () => {
    const { scenario, alice, inside, calls } = await inCall()
    alice.send('INFO', { To: `${inside.To}changed`, CSeq: '2 INFO' })
    alice.send('INVITE', { To: inside.To.replace(/tag=.*/, 'tag=other'), CSeq: '3 INVITE' }, sdp)
    await scenario.pass(10)
    expect([alice.statuses('INFO'), alice.statuses('INVITE').at(-1)]).toEqual([[481], 481])
    expect(calls[0]?.state).toBe('active')
  })

  it('RFC 3261 §12.2.1.2: a response with another To tag answers a request of the call, and the call keeps its own', async () => {
    const { scenario, stack, alice, calls, nothingLeft } = await inCall()
    const [call] = calls as [Call]
    const refreshing = call.reinvite({ sdp }).catch((error: unknown) => error)
    await scenario.pass(10)
    const invite = alice.last('INVITE')
    const tagged = (tag: string) => ({ To: `${headerOf(invite, 'To')?.replace(/;tag=.*/, '')};tag=${tag}` })
    alice.reply(invite, '200 OK', tagged('someone-else'), sdp)
    await scenario.pass(10)
    await scenario.settle(refreshing)
    const ending = call.bye()
    await scenario.pass(10)
    const bye = alice.last('BYE')
    expect(headerOf(bye, 'To')).toContain(';tag=alice')
    alice.reply(bye, '200 OK')
    await scenario.settle(ending)
    expect(stack.stats().dialogs).toBe(0)
    await nothingLeft()
  })

  it('RFC 3261 §13.2.2.4: a second 2xx with another To tag is acknowledged and ended, the first call goes on', async () => {
    const { scenario, stack, alice, nothingLeft } = await world()
    const calling = stack.invite(`sip:alice@${alice.raw.address}`, { sdp })
    await scenario.pass(10)
    const invite = alice.last('INVITE')
    alice.reply(invite, '200 OK', {}, sdp)
    const call = await scenario.settle(calling)
    for (let fork = 0; fork < 20; fork += 1)
      alice.reply(invite, '200 OK', { To: `${headerOf(invite, 'To')};tag=fork${fork}` }, sdp)
    await scenario.pass(10)
    const ended = alice.requests('BYE')
    expect(ended.length).toBe(20)
    expect(ended.every((bye) => headerOf(bye, 'To')?.includes('tag=fork') === true)).toBe(true)
    expect(call.state).toBe('active')
    for (const bye of ended) alice.reply(bye, '200 OK')
    const over = call.bye()
    await scenario.pass(10)
    alice.reply(alice.last('BYE'), '200 OK')
    await scenario.settle(over)
    await nothingLeft()
  })
})

describe('a branch of somebody else', () => {
  it('RFC 3261 §17.2.3, §18.2.2: another sender with the same branch gets an answer of his own, and causes none', async () => {
    const { scenario, alice, mallory } = await world()
    const Via = `SIP/2.0/UDP ${alice.raw.address}:5060;branch=z9hG4bKconstant`
    alice.send('OPTIONS', { Via, Subject: 'mine' })
    await scenario.pass(10)
    expect(alice.raw.received).toHaveLength(1)
    for (let time = 0; time < 3; time += 1)
      mallory.send('OPTIONS', { Via, 'Call-ID': 'of-mallory', From: '<sip:mallory@example.com>;tag=mallory' })
    await scenario.pass(10)
    expect(alice.raw.received).toHaveLength(1)
    expect(mallory.raw.received).toHaveLength(3)
    expect(mallory.raw.received.every((text) => headerOf(text, 'Call-ID') === 'of-mallory')).toBe(true)
    alice.send('OPTIONS', { Via })
    await scenario.pass(10)
    expect(alice.raw.received).toHaveLength(2)
    expect(alice.raw.received[1]).toBe(alice.raw.received[0])
  })

  it('RFC 3261 §17.2.3: nor does an INVITE with a known branch get at its call, or repeat its answer', async () => {
    const { scenario, alice, mallory, calls } = await world()
    const Via = `SIP/2.0/UDP ${alice.raw.address}:5060;branch=z9hG4bKconstant`
    alice.send('INVITE', { Via }, sdp)
    await scenario.pass(10)
    const sent = alice.raw.received.length
    mallory.send('INVITE', { Via, From: `<sip:alice@${serverAddress}>;tag=alice`, 'Call-ID': 'call-of-alice' }, sdp)
    await scenario.pass(10)
    // By its From tag, Call-ID and CSeq it is Alice's INVITE come by another way.
    expect(mallory.statuses('INVITE')).toEqual([482])
    expect([alice.raw.received.length, calls.length]).toEqual([sent, 0])
  })

  it('RFC 3261 §8.2.2.2: a request that came by two ways is answered 482 once, and its ACK absorbed', async () => {
    const { scenario, stack, alice, mallory, nothingLeft } = await world()
    alice.send('INVITE', {}, sdp)
    mallory.send('INVITE', { From: `<sip:alice@${serverAddress}>;tag=alice`, 'Call-ID': 'call-of-alice' }, sdp)
    await scenario.pass(10)
    expect([alice.statuses('INVITE'), mallory.statuses('INVITE')]).toEqual([[200], [482]])
    const dropped = stack.stats().counters.dropped['stray-ack']
    const To = headerOf(mallory.last('SIP/2.0 482'), 'To')
    const Via = headerOf(mallory.last('SIP/2.0 482'), 'Via')
    mallory.send('ACK', { Via, To, From: `<sip:alice@${serverAddress}>;tag=alice`, 'Call-ID': 'call-of-alice' })
    alice.send('ACK', { To: headerOf(alice.last('SIP/2.0 200'), 'To') })
    await scenario.pass(10_000)
    expect(mallory.statuses('INVITE')).toEqual([482])
    expect(stack.stats().counters.dropped['stray-ack']).toBe(dropped)
    alice.send('BYE', { To: headerOf(alice.last('SIP/2.0 200'), 'To'), CSeq: '2 BYE' })
    await nothingLeft()
  })
})

describe('a Via that points at somebody else', () => {
  const ways = [
    '',
    ';rport',
    ';rport=5060',
    ';received=VICTIM',
    ';received;rport',
    ';received;rport=5060',
    ';maddr=VICTIM',
    ';maddr=VICTIM;ttl=1',
    ';alias;received=VICTIM;rport=5060',
  ]

  it.each(ways)(
    'RFC 3261 §18.2.1, RFC 3581 §4: no answer goes where its request did not come from: "%s"',
    async (way) => {
      const { scenario, alice: victim, mallory, stack } = await world()
      const params = way.replaceAll('VICTIM', victim.raw.address)
      const spoofed = (id: string, changes: Record<string, string | undefined> = {}) => ({
        Via: `SIP/2.0/UDP ${victim.raw.address}:5060;branch=z9hG4bK${id}${params}`,
        'Call-ID': id,
        ...changes,
      })
      // Answered by a handler, by the stack, without state for being malformed, by the layer, and repeated.
      for (let time = 0; time < 2; time += 1) {
        mallory.send('OPTIONS', spoofed('options'))
        mallory.send('INVITE', spoofed('invite'), sdp)
        mallory.send('SUBSCRIBE', spoofed('unhandled'))
        mallory.send('OPTIONS', spoofed('malformed', { 'Max-Forwards': 'x' }))
        mallory.send('CANCEL', spoofed('cancel'))
        mallory.send('BYE', spoofed('bye', { To: '<sip:b@example.com>;tag=none' }))
      }
      await scenario.pass(40_000)
      expect(victim.raw.received).toEqual([])
      for (const method of ['OPTIONS', 'INVITE', 'SUBSCRIBE', 'CANCEL', 'BYE'])
        expect(mallory.statuses(method).length, method).toBeGreaterThan(1)
      expect(stack.stats().counters.sendFailures).toBe(0)
    },
  )

  it('nor does a refusal under overload, or one of a limit by source', async () => {
    const probe = { delayMs: () => 10_000, close: () => {} }
    const protections = [{ overload: { probe } }, { rateLimit: { burst: 1, requestsPerSecond: 0.001 } }]
    for (const protection of protections) {
      const scenario = new Scenario()
      await scenario.stack('server', { protection })
      const victim = new Phone(await scenario.raw('victim'), 'victim')
      const mallory = new Phone(await scenario.raw('mallory'), 'mallory')
      for (let id = 0; id < 20; id += 1) {
        const Via = `SIP/2.0/UDP ${victim.raw.address}:5060;branch=z9hG4bK${id};maddr=${victim.raw.address};received=${victim.raw.address}`
        mallory.send('INVITE', { Via, 'Call-ID': `${id}` }, sdp)
        await scenario.pass(250)
      }
      expect(mallory.statuses('INVITE')).toContain(503)
      expect(victim.raw.received).toEqual([])
    }
  })
})
