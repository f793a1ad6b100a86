import { parseUri, type Uri } from '@carillon/sip-parser'
import { describe, expect, it } from 'vitest'
import { defaultLocateLimits, type LocateLimits } from '../../limits'
import type { DnsAnswer, DnsResolver, SrvRecord } from '../../ports'
import { FakeClock, SeededRandom } from '../../testing'
import { TransactionLayer } from '../../transaction/layer'
import { Driver } from '../driver'
import { type Located, Locator } from './locator'
import { silentLogger } from './node-ports'

const uri = (text: string): Uri => {
  const parsed = parseUri(text)
  if (!parsed.ok) throw new Error(text)
  return parsed.value
}

const absent = async () => ({ kind: 'not-found' as const })

function world(dns: Partial<DnsResolver>, limits: Partial<LocateLimits> = {}) {
  const clock = new FakeClock()
  const random = new SeededRandom(1)
  const hooks = { request: () => {}, ack: () => {}, strayResponse: () => {}, send: () => {} }
  const driver = new Driver(new TransactionLayer({ random }), clock, silentLogger, hooks)
  const locator = new Locator({
    dns: { naptr: absent, srv: absent, a: absent, aaaa: absent, ...dns },
    limits: { ...defaultLocateLimits, ...limits },
    timeoutMs: 5000,
    abilities: () => ({ transports: ['UDP', 'TCP'], families: [4] }),
    fraction: () => random.fraction(),
    driver,
  })
  const locate = (text: string): Located[] => {
    const heard: Located[] = []
    driver.submit(() => locator.locate(uri(text), false, (located) => heard.push(located)))
    return heard
  }
  return { clock, driver, locator, locate }
}

const addressesOf = (located: Located | undefined) =>
  typeof located === 'object' ? located.map(({ address }) => address.address) : located

describe('Locator', () => {
  it('says at once where an address is, and never asks', () => {
    const w = world({ naptr: () => Promise.reject(new Error('asked')) })
    const [located] = w.locate('sip:a@192.0.2.1:5070;transport=tcp')
    expect(located).toEqual([
      {
        kind: 'address',
        address: { transport: 'TCP', address: '192.0.2.1', port: 5070 },
        serverName: undefined,
        isTransportNamed: true,
      },
    ])
    expect(w.locate('tel:+1')).toEqual(['unsupported'])
    expect(w.locator.questions).toBe(0)
    expect(w.driver.appointments).toBe(0)
  })

  it('says at once what it remembers', async () => {
    const w = world({ a: async () => ({ kind: 'found', records: ['192.0.2.1'], ttlSeconds: 60 }) })
    const first = w.locate('sip:example.com')
    expect(first).toEqual([])
    await w.clock.advance(0)
    expect(addressesOf(first[0])).toEqual(['192.0.2.1'])
    expect(addressesOf(w.locate('sip:example.com')[0])).toEqual(['192.0.2.1'])
  })

  it('a question without an answer is given up in time, its late answer is no use, and the search goes on', async () => {
    let answerLate: (answer: DnsAnswer<SrvRecord>) => void = () => {}
    const w = world({
      srv: (name) => (name.includes('_udp') ? new Promise((resolve) => (answerLate = resolve)) : absent()),
      a: async () => ({ kind: 'found', records: ['192.0.2.1'] }),
    })
    const heard = w.locate('sip:example.com')
    await w.clock.advance(1999)
    expect(heard).toEqual([])
    await w.clock.advance(1)
    expect(addressesOf(heard[0])).toEqual(['192.0.2.1'])
    answerLate({ kind: 'found', records: [{ priority: 1, weight: 1, port: 1, target: 'evil.example' }] })
    await w.clock.advance(10_000)
    expect(heard).toHaveLength(1)
    expect(w.driver.appointments).toBe(0)
    expect(w.locator.questions).toBe(0)
  })

  it('a resolver that throws, rejects or says nothing at all ends nothing but the search', async () => {
    const w = world({
      naptr: () => {
        throw new Error('no')
      },
      srv: () => Promise.reject(new Error('no')),
      a: () => new Promise(() => {}),
    })
    const heard = w.locate('sip:example.com')
    await w.clock.advance(5000)
    expect(heard).toEqual(['lookup-failed'])
    expect(w.locator.questions).toBe(0)
  })

  it('has no more questions under way than its limit, however many names it is given', async () => {
    let asked = 0
    const w = world(
      {
        a: () => {
          asked += 1
          return new Promise(() => {})
        },
      },
      { dnsQuestionsMax: 10 },
    )
    const heard = Array.from({ length: 1000 }, (_, index) => w.locate(`sip:h${index}.example.com:5060`))
    expect(asked).toBe(10)
    expect(heard.filter(([located]) => located === 'lookup-failed')).toHaveLength(990)
    await w.clock.advance(2000)
    expect(heard.every(([located]) => located === 'lookup-failed')).toBe(true)
    expect(w.driver.appointments).toBe(0)
  })

  it('of 10 000 records only the best are kept, and only so many asked for', async () => {
    let asked = 0
    const records = Array.from({ length: 10_000 }, (_, index) => ({
      priority: 10_000 - index,
      weight: 1,
      port: 5060,
      target: `h${index}.example.com`,
    }))
    const w = world({
      srv: async (name) => (name.includes('_udp') ? { kind: 'found', records } : { kind: 'not-found' }),
      a: async (name) => {
        asked += 1
        return { kind: 'found', records: [`10.0.${name.length}.${name.charCodeAt(4)}`] }
      },
    })
    const heard = w.locate('sip:example.com')
    await w.clock.advance(0)
    expect(asked).toBe(defaultLocateLimits.srvTargetsMax)
    expect(addressesOf(heard[0])?.length).toBeGreaterThan(0)
  })

  it('closing gives everything up without a word', async () => {
    const signals: AbortSignal[] = []
    const w = world({
      naptr: (_name, signal) => {
        if (signal !== undefined) signals.push(signal)
        return new Promise(() => {})
      },
    })
    const heard = w.locate('sip:example.com')
    w.locator.close()
    await w.clock.advance(60_000)
    expect(signals[0]?.aborted).toBe(true)
    expect(w.locator.questions).toBe(0)
    expect(heard.length).toBeLessThanOrEqual(1)
  })
})
