import { describe, expect, it } from 'vitest'
import type { LoadProbe } from '../ports'
import { headerOf, Phone } from './fixtures/phone'
import { Scenario } from './fixtures/scenario'
import type { SipStackOptions } from './options'

const offer = ';oc;oc-algo="loss"'

function probe(delay: number): LoadProbe & { delay: number } {
  const one = { delay, delayMs: () => one.delay, close: () => {} }
  return one
}

async function server(options: Partial<SipStackOptions> = {}) {
  const scenario = new Scenario()
  const stack = await scenario.stack('server', options)
  const phone = new Phone(await scenario.raw('phone'), 'phone')
  return { scenario, stack, phone }
}

describe('a server under overload control', () => {
  it('RFC 7339 §5.2: tells clients that offer it, in every answer, and nobody else', async () => {
    const load = probe(0)
    const { scenario, phone } = await server({ protection: { overload: { probe: load } } })
    const ask = async (id: string, params: string) => {
      const Via = `SIP/2.0/UDP ${phone.raw.address};branch=z9hG4bK${id};rport${params}`
      phone.send('OPTIONS', { Via, 'Call-ID': id })
      await scenario.pass(10)
      return headerOf(phone.last('SIP/2.0 200'), 'Via')
    }
    expect(await ask('quiet', offer)).toMatch(/;oc=0;oc-algo="loss";.*oc-validity=0;oc-seq=\d+\.\d{3}/)
    load.delay = 1_000
    for (let time = 0; time < 3; time += 1) {
      await scenario.pass(250)
      await ask(`load${time}`, '')
    }
    const told = await ask('busy', offer)
    expect(told).toMatch(/;rport=5060;oc=30;oc-algo="loss";received=10\.0\.1\.1|;oc=30;oc-algo="loss"/)
    expect(told).toMatch(/;oc-validity=1000;oc-seq=/)
    expect(told).toMatch(/;rport=5060/)
    expect(await ask('other', '')).not.toContain('oc')
    expect(await ask('rate', ';oc;oc-algo="rate"')).toContain(';oc;oc-algo="rate"')
  })

  it('RFC 7339 §5.2: is silent when told so', async () => {
    const { scenario, phone } = await server({ protection: { overload: { feedback: false } } })
    phone.send('OPTIONS', { Via: `SIP/2.0/UDP ${phone.raw.address};branch=z9hG4bK1${offer}` })
    await scenario.pass(10)
    expect(headerOf(phone.last('SIP/2.0 200'), 'Via')).toBe(`SIP/2.0/UDP ${phone.raw.address};branch=z9hG4bK1${offer}`)
  })

  it('answers a client that offers it with a Via that can be read', async () => {
    const { scenario, phone, stack } = await server()
    for (const params of [offer, `${offer};rport`, `;received=9.9.9.9${offer}`, `;rport;x="a;oc=7"${offer}`])
      phone.send('OPTIONS', { Via: `SIP/2.0/UDP nobody.example;branch=z9hG4bK${params.length}${params}` })
    await scenario.pass(10)
    expect(phone.statuses('OPTIONS').sort()).toEqual([200, 482, 482, 482])
    expect(stack.stats().counters.rejectedMalformed).toBe(0)
  })
})

describe('a client under overload control', () => {
  /** A client, and a next hop that answers 200 with these Via parameters. */
  async function client(answer: () => string, isOffering = true) {
    const scenario = new Scenario()
    const stack = await scenario.stack('client', { protection: { overload: { offer: isOffering } } })
    const raw = await scenario.raw('hop')
    const ask = async (method = 'OPTIONS', headers: [string, string][] = []) => {
      const before = raw.received.length
      const asking = stack.request({ method, uri: `sip:${raw.address}`, headers }).then(
        ({ status }) => status,
        (error: { code: string }) => error.code,
      )
      await scenario.pass(5)
      for (const request of raw.received.slice(before)) {
        const Via = `${headerOf(request, 'Via')}`.replace(offer, answer())
        raw.send('10.0.0.1', [
          'SIP/2.0 200 OK',
          `Via: ${Via}`,
          ...['From', 'Call-ID', 'CSeq'].map((name) => `${name}: ${headerOf(request, name)}`),
          `To: ${headerOf(request, 'To')};tag=hop`,
        ])
      }
      await scenario.pass(5)
      return asking
    }
    return { scenario, stack, raw, ask }
  }

  let sequence = 0
  const all = (oc: number, validityMs = 10_000) => {
    sequence += 1
    return `;oc=${oc};oc-algo="loss";oc-validity=${validityMs};oc-seq=${sequence}.0`
  }

  it('RFC 7339 §5.1: offers it in Via by choice', async () => {
    const offering = await client(() => '')
    expect(await offering.ask()).toBe(200)
    expect(headerOf(offering.raw.received[0]!, 'Via')).toContain(offer)
    const silent = await client(() => '', false)
    expect(await silent.ask()).toBe(200)
    expect(headerOf(silent.raw.received[0]!, 'Via')).not.toContain('oc')
  })

  it('RFC 7339 §5.3: keeps requests back for as long as the next hop asks, but for emergencies', async () => {
    const { scenario, stack, raw, ask } = await client(() => all(100, 1_000))
    expect(await ask()).toBe(200)
    const sent = raw.received.length
    expect([await ask(), await ask('MESSAGE')]).toEqual(['THROTTLED', 'THROTTLED'])
    expect([raw.received.length, stack.stats().counters.throttled]).toEqual([sent, 2])
    expect(await ask('MESSAGE', [['Resource-Priority', 'esnet.0']])).toBe(200)
    await scenario.pass(1_100)
    expect(await ask()).toBe(200)
    await scenario.pass(100_000)
    expect(scenario.gauges()).toEqual(scenario.gauges().map(() => 0))
  })

  it('RFC 7339 §5.3: keeps back about as many as asked for', async () => {
    const { ask } = await client(() => all(50))
    let kept = 0
    await ask()
    for (let request = 0; request < 200; request += 1) if ((await ask()) === 'THROTTLED') kept += 1
    expect(kept).toBeGreaterThan(70)
    expect(kept).toBeLessThan(130)
  })

  it('tries another server first, as after a 503', async () => {
    const scenario = new Scenario()
    const stack = await scenario.stack('client', {
      protection: { overload: { offer: true } },
      dns: {
        resolver: {
          naptr: async () => ({ kind: 'not-found' }),
          srv: async () => ({ kind: 'not-found' }),
          a: async () => ({ kind: 'found', records: ['10.0.1.1', '10.0.1.2'] }),
          aaaa: async () => ({ kind: 'not-found' }),
        },
      },
    })
    const [one, two] = [await scenario.raw('one'), await scenario.raw('two')]
    const answer = (raw: typeof one, params: string) => {
      const request = raw.received.at(-1) ?? ''
      raw.send('10.0.0.1', [
        'SIP/2.0 200 OK',
        `Via: ${headerOf(request, 'Via')?.replace(offer, params)}`,
        ...['From', 'To', 'Call-ID', 'CSeq'].map((name) => `${name}: ${headerOf(request, name)}`),
      ])
    }
    const first = stack.request({ method: 'OPTIONS', uri: 'sip:example.com' })
    await scenario.pass(5)
    answer(one, all(100))
    expect((await scenario.settle(first)).status).toBe(200)
    const second = stack.request({ method: 'OPTIONS', uri: 'sip:example.com' })
    await scenario.pass(5)
    expect([one.received.length, two.received.length]).toEqual([1, 1])
    answer(two, '')
    expect((await scenario.settle(second)).status).toBe(200)
  })

  it('takes no word from a response of somebody who was not asked', async () => {
    const { scenario, raw, ask } = await client(() => '')
    expect(await ask()).toBe(200)
    const Via = `SIP/2.0/UDP 10.0.0.1:5060;branch=z9hG4bKguess${all(100)}`
    raw.send('10.0.0.1', [
      'SIP/2.0 200 OK',
      `Via: ${Via}`,
      'From: <sip:a@b>;tag=1',
      'To: <sip:a@b>;tag=2',
      'Call-ID: 1',
      'CSeq: 1 OPTIONS',
    ])
    await scenario.pass(5)
    expect(await ask()).toBe(200)
  })
})
