import { describe, expect, it } from 'vitest'
import type { LoadProbe } from '../../ports'
import { headerOf, Phone, serverAddress } from '../fixtures/phone'
import { Scenario } from '../fixtures/scenario'
import type { SipStackOptions, StackEvents } from '../options'
import { SipStack } from '../stack'

const sdp = 'v=0\r\no=- 1 1 IN IP4 10.0.0.9\r\ns=-\r\nc=IN IP4 10.0.0.9\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n'

/** A probe that says what a test wants. */
function hand(): LoadProbe & { delay: number; isClosed: boolean } {
  const probe = {
    delay: 0,
    isClosed: false,
    delayMs: () => probe.delay,
    close: () => {
      probe.isClosed = true
    },
  }
  return probe
}

async function world(options: Partial<SipStackOptions>, phones = 1) {
  const scenario = new Scenario()
  const stack = await scenario.stack('server', options)
  const dropped: StackEvents['dropped'][] = []
  stack.on('dropped', (event) => dropped.push(event))
  const all: Phone[] = []
  for (let phone = 0; phone < phones; phone += 1) all.push(new Phone(await scenario.raw(`p${phone}`), `p${phone}`))
  return { scenario, stack, dropped, phone: all[0]!, phones: all }
}

/** Headers of a request of its own. */
const call = (id: number | string) => ({ 'Call-ID': `call-${id}`, From: `<sip:a@example.com>;tag=t${id}` })

describe('scanners', () => {
  it('are answered like anybody else by default', async () => {
    const { scenario, phone, stack } = await world({})
    phone.send('OPTIONS', { 'User-Agent': 'friendly-scanner' })
    await scenario.pass(10)
    expect(phone.statuses('OPTIONS')).toEqual([200])
    expect(stack.stats().counters.dropped.scanner).toBe(0)
  })

  it('are dropped in silence by choice, counted and reported, malformed or not', async () => {
    const { scenario, phone, stack, dropped } = await world({ protection: { scanners: 'drop' } })
    for (const method of ['OPTIONS', 'REGISTER', 'INVITE'])
      phone.send(method, { ...call(method), 'User-Agent': 'friendly-scanner' })
    phone.send('OPTIONS', { ...call('bad'), 'User-Agent': 'sundayddr', 'Max-Forwards': 'x' })
    phone.send('OPTIONS', { ...call('honest'), 'User-Agent': 'Phone 1.0' })
    await scenario.pass(10)
    expect(phone.raw.received).toHaveLength(1)
    expect(stack.stats().counters.dropped.scanner).toBe(4)
    expect(dropped.map(({ reason, detail }) => `${reason} ${detail}`)).toEqual([
      'scanner friendly-scanner',
      'scanner friendly-scanner',
      'scanner friendly-scanner',
      'scanner sundayddr',
    ])
    expect(stack.stats().transactions).toBe(1)
  })

  it('are told by a predicate of the user as well', async () => {
    const isScanner = ({ uri }: { uri: { toString(): string } }) => (/100@/.test(uri.toString()) ? 'probe' : undefined)
    const { scenario, phone, dropped } = await world({ protection: { scanners: { isScanner } } })
    phone.raw.send(serverAddress, [
      'OPTIONS sip:100@10.0.0.1 SIP/2.0',
      `Via: SIP/2.0/UDP ${phone.raw.address};branch=z9hG4bK1`,
      'From: <sip:a@b>;tag=1',
      'To: <sip:a@b>',
      'Call-ID: 1',
      'CSeq: 1 OPTIONS',
    ])
    phone.send('OPTIONS')
    await scenario.pass(10)
    expect(phone.statuses('OPTIONS')).toEqual([200])
    expect(dropped.map(({ detail }) => detail)).toEqual(['probe'])
  })
})

describe('a limit by source', () => {
  const rateLimit = { requestsPerSecond: 1, burst: 5 }

  it('refuses what is over it with 503 and Retry-After, and no one else; then forgets', async () => {
    const { scenario, phones, stack } = await world({ protection: { rateLimit } }, 2)
    const [greedy, modest] = phones as [Phone, Phone]
    for (let id = 0; id < 8; id += 1) greedy.send('OPTIONS', call(id))
    modest.send('OPTIONS', call('modest'))
    await scenario.pass(10)
    expect(greedy.statuses('OPTIONS')).toEqual([200, 200, 200, 200, 200, 503, 503, 503])
    expect(headerOf(greedy.last('SIP/2.0 503'), 'Retry-After')).toMatch(/^1\d$|^20$/)
    expect(modest.statuses('OPTIONS')).toEqual([200])
    expect(stack.stats().counters.rejectedRateLimit).toBe(3)
    await scenario.pass(6_000)
    greedy.send('OPTIONS', call('later'))
    await scenario.pass(100_000)
    expect(greedy.statuses('OPTIONS').at(-1)).toBe(200)
    expect(scenario.clock.pending).toBe(0)
  })

  it('or drops it, by choice', async () => {
    const { scenario, phone, dropped } = await world({ protection: { rateLimit: { ...rateLimit, action: 'drop' } } })
    for (let id = 0; id < 8; id += 1) phone.send('OPTIONS', call(id))
    await scenario.pass(10)
    expect(phone.statuses('OPTIONS')).toHaveLength(5)
    expect(dropped.map(({ reason }) => reason)).toEqual(['rate-limit', 'rate-limit', 'rate-limit'])
  })

  it('never counts a REGISTER without credentials, whoever and however many share the address', async () => {
    const { scenario, phone, stack } = await world({ protection: { rateLimit } })
    stack.method('REGISTER', (request) => request.reply(401))
    for (let id = 0; id < 1_000; id += 1) phone.send('REGISTER', call(id))
    await scenario.pass(10)
    expect(phone.statuses('REGISTER')).toEqual(Array.from({ length: 1_000 }, () => 401))
  })

  it('gives back what proved to be somebody known, and keeps what did not', async () => {
    const { scenario, phone, stack } = await world({ protection: { rateLimit } })
    stack.method('REGISTER', (request) => request.reply(request.message.get('Authorization') === 'right' ? 200 : 403))
    for (let id = 0; id < 100; id += 1) {
      phone.send('REGISTER', { ...call(id), Authorization: 'right' })
      await scenario.pass(1)
    }
    expect(phone.statuses('REGISTER').every((status) => status === 200)).toBe(true)
    for (let id = 0; id < 10; id += 1) phone.send('REGISTER', { ...call(`w${id}`), Authorization: 'wrong' })
    await scenario.pass(1)
    expect(phone.statuses('REGISTER').filter((status) => status === 403)).toHaveLength(5)
  })

  it('lets calls that are up go on and end', async () => {
    const { scenario, phone, stack } = await world({ protection: { rateLimit } })
    stack.method('INVITE', (request) => void request.accept({ sdp }))
    phone.send('INVITE', {}, sdp)
    await scenario.pass(10)
    const To = headerOf(phone.last('SIP/2.0 200'), 'To')
    phone.send('ACK', { To })
    for (let id = 0; id < 10; id += 1) phone.send('OPTIONS', call(id))
    phone.send('INFO', { To, CSeq: '2 INFO' })
    phone.send('BYE', { To, CSeq: '3 BYE' })
    await scenario.pass(10)
    expect(phone.statuses('OPTIONS').slice(-2)).toEqual([503, 503])
    // Nobody here wants an INFO; it is answered all the same.
    expect([phone.statuses('INFO'), phone.statuses('BYE')]).toEqual([[405], [200]])
  })

  it('a To tag of one’s own making is no way around it', async () => {
    const { scenario, phone } = await world({ protection: { rateLimit } })
    for (let id = 0; id < 8; id += 1) phone.send('OPTIONS', { ...call(id), To: `<sip:b@example.com>;tag=made-up${id}` })
    await scenario.pass(10)
    expect(phone.statuses('OPTIONS').filter((status) => status === 503)).toHaveLength(3)
  })

  it('does not refuse the repetition of a request that has been taken', async () => {
    const { scenario, phone, stack } = await world({ protection: { rateLimit } })
    stack.method('INVITE', () => {})
    const Via = `SIP/2.0/UDP ${phone.raw.address};branch=z9hG4bKsame`
    for (let time = 0; time < 9; time += 1) phone.send('INVITE', { Via }, sdp)
    await scenario.pass(300)
    expect(phone.statuses('INVITE')).toEqual([100])
    expect(stack.stats().counters.dropped['rate-limit']).toBe(4)
  })

  it('spares the networks that it is told of', async () => {
    const { scenario, phone } = await world({ protection: { rateLimit: { ...rateLimit, exempt: ['10.0.1.0/24'] } } })
    for (let id = 0; id < 20; id += 1) phone.send('OPTIONS', call(id))
    await scenario.pass(10)
    expect(phone.statuses('OPTIONS')).toEqual(Array.from({ length: 20 }, () => 200))
  })

  it.each([
    { requestsPerSecond: 0 },
    { burst: 0 },
    { requestsPerSecond: Number.NaN },
    { exempt: ['example.com'] },
    { exempt: ['10.0.0.0/33'] },
    { exempt: ['10.0.0.0/'] },
  ])('is refused when it makes no sense: %j', async (limit) => {
    const making = SipStack.create({ listen: [], protection: { rateLimit: limit } })
    await expect(making).rejects.toMatchObject({ code: 'RATE_LIMIT_INVALID' })
  })
})

describe('overload', () => {
  it('sheds new calls without any state, and serves what lives; ends as it came', async () => {
    const probe = hand()
    const { scenario, phone, stack } = await world({ protection: { overload: { probe } } })
    let handled = 0
    stack.method('INVITE', (request) => {
      handled += 1
      if (request.callId === 'live') void request.accept({ sdp })
      else request.reply(486)
    })
    const live = { 'Call-ID': 'live' }
    phone.send('INVITE', live, sdp)
    await scenario.pass(10)
    const To = headerOf(phone.last('SIP/2.0 200'), 'To')
    phone.send('ACK', { ...live, To })
    probe.delay = 1_000
    for (let time = 0; time < 5; time += 1) {
      phone.send('OPTIONS', call(`o${time}`))
      await scenario.pass(250)
    }
    const before = stack.stats().transactions
    const handledBefore = handled
    for (let id = 0; id < 20; id += 1) phone.send('INVITE', call(id), sdp)
    await scenario.pass(10)
    expect(stack.stats().reduction).toBe(0.5)
    expect(phone.statuses('INVITE').filter((status) => status === 503)).toHaveLength(20)
    expect([stack.stats().transactions, handled, stack.stats().counters.shed]).toEqual([before, handledBefore, 20])
    // The ACK of a refusal without state is nobody's.
    phone.send('ACK', { ...call(0), To: headerOf(phone.last('SIP/2.0 503'), 'To') })
    phone.send('OPTIONS', call('o'))
    phone.send('INFO', { ...live, To, CSeq: '2 INFO' })
    phone.send('INVITE', { ...live, To, CSeq: '3 INVITE' }, sdp)
    phone.send('BYE', { ...live, To, CSeq: '4 BYE' })
    await scenario.pass(10)
    expect(phone.statuses('OPTIONS').every((status) => status === 200)).toBe(true)
    expect([phone.statuses('INFO'), phone.statuses('BYE')]).toEqual([[405], [200]])
    expect(headerOf(phone.last('SIP/2.0 200'), 'CSeq')).toBe('4 BYE')
    probe.delay = 0
    for (let time = 0; time < 12; time += 1) {
      await scenario.pass(250)
      phone.send('OPTIONS', call(`p${time}`))
    }
    expect(stack.stats().reduction).toBe(0)
    await scenario.pass(100_000)
    expect(scenario.gauges()).toEqual(scenario.gauges().map(() => 0))
  })

  it('answers a refused request the same each time that it comes, and an admitted one never with 503', async () => {
    const probe = hand()
    const { scenario, phone, stack } = await world({ protection: { overload: { probe } } })
    stack.method('INVITE', () => {})
    phone.send('INVITE', { ...call('early'), Via: `SIP/2.0/UDP ${phone.raw.address};branch=z9hG4bKearly` }, sdp)
    await scenario.pass(10)
    probe.delay = 1_000
    for (let time = 0; time < 6; time += 1) {
      phone.send('OPTIONS', { ...call(`o${time}`) })
      await scenario.pass(250)
    }
    const Via = `SIP/2.0/UDP ${phone.raw.address};branch=z9hG4bKlate`
    for (let time = 0; time < 3; time += 1) phone.send('INVITE', { ...call('late'), Via }, sdp)
    phone.send('INVITE', { ...call('early'), Via: `SIP/2.0/UDP ${phone.raw.address};branch=z9hG4bKearly` }, sdp)
    await scenario.pass(10)
    const refusals = phone.raw.received.filter((text) => text.startsWith('SIP/2.0 503'))
    expect(refusals).toHaveLength(3)
    expect(new Set(refusals).size).toBe(1)
    expect(phone.raw.received.filter((text) => /call-early/.test(text)).every((text) => / 100 /.test(text))).toBe(true)
  })

  it('is off when told so', async () => {
    const { scenario, phone, stack } = await world({
      protection: { overload: false },
      limits: { transaction: { transactionsMax: 10 } },
    })
    stack.method('MESSAGE', () => {})
    for (let id = 0; id < 10; id += 1) {
      phone.send('MESSAGE', call(id))
      await scenario.pass(250)
    }
    expect(stack.stats().reduction).toBe(0)
  })

  it('full tables count as overload', async () => {
    const { scenario, phone, stack } = await world({ limits: { stack: { waitingRequestsMax: 10 } } })
    stack.method('MESSAGE', () => {})
    for (let id = 0; id < 10; id += 1) phone.send('MESSAGE', call(id))
    for (let id = 0; id < 8; id += 1) {
      await scenario.pass(250)
      phone.send('OPTIONS', call(`o${id}`))
    }
    expect(stack.stats().reduction).toBe(0.5)
  })

  it('stops measuring when the stack closes', async () => {
    const probe = hand()
    const { scenario, stack } = await world({ protection: { overload: { probe } } })
    await scenario.settle(stack.close())
    expect(probe.isClosed).toBe(true)
  })
})

describe('requests that wait for their handlers', () => {
  it('get 503 with Retry-After when there are too many of them, of whatever method', async () => {
    const { scenario, phone, stack } = await world({
      limits: { stack: { waitingRequestsMax: 3 } },
      protection: { overload: false },
    })
    stack.method('MESSAGE', () => {})
    stack.method('INVITE', () => {})
    for (let id = 0; id < 3; id += 1) phone.send('MESSAGE', call(id))
    phone.send('MESSAGE', call('over'))
    phone.send('INVITE', call('over-too'), sdp)
    await scenario.pass(10)
    expect([phone.statuses('MESSAGE'), phone.statuses('INVITE')]).toEqual([[503], [503]])
    expect(phone.raw.received.every((text) => /^Retry-After: 10\r$/m.test(text))).toBe(true)
    await scenario.pass(100_000)
    expect(scenario.gauges()).toEqual(scenario.gauges().map(() => 0))
  })
})
