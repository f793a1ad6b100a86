import { describe, expect, it } from 'vitest'
import { defaultLocateLimits } from '../limits'
import { DnsCache } from './cache'

const limits = { ...defaultLocateLimits, dnsCacheAnswersMax: 3, dnsCacheRecordsMax: 10 }
const found = (count: number, ttlSeconds?: number) => ({
  kind: 'found' as const,
  records: Array.from({ length: count }, (_, index) => index),
  ...(ttlSeconds === undefined ? {} : { ttlSeconds }),
})

describe('DnsCache', () => {
  it('RFC 1035 §3.2.1: keeps an answer for its time to live, and not longer', () => {
    const cache = new DnsCache(limits)
    cache.set('a x', found(1, 10), 1000)
    expect(cache.get('a x', 10_999)).toBeDefined()
    expect(cache.get('a x', 11_000)).toBeUndefined()
    expect(cache.size).toBe(0)
    expect(cache.records).toBe(0)
  })

  it('holds the time to live between a floor and a ceiling, and has a default where none is told', () => {
    const cache = new DnsCache(limits)
    const keptMs = (answer: Parameters<DnsCache['set']>[1]) => {
      cache.set('q', answer, 0)
      let ms = 0
      while (cache.get('q', ms) !== undefined) ms += 500
      return ms
    }
    expect(keptMs(found(1, 0))).toBe(limits.dnsTtlMsMin)
    expect(keptMs(found(1, 4_000_000_000))).toBe(limits.dnsTtlMsMax)
    expect(keptMs(found(1, Number.NaN))).toBe(limits.dnsTtlMsDefault)
    expect(keptMs(found(1))).toBe(limits.dnsTtlMsDefault)
    expect(keptMs({ kind: 'not-found' })).toBe(limits.dnsNegativeTtlMs)
    expect(keptMs({ kind: 'not-found', ttlSeconds: 86_400 })).toBe(limits.dnsNegativeTtlMs)
    expect(keptMs({ kind: 'not-found', ttlSeconds: 5 })).toBe(5000)
    expect(keptMs({ kind: 'failed' })).toBe(limits.dnsFailureTtlMs)
    expect(keptMs({ kind: 'timeout' })).toBe(limits.dnsFailureTtlMs)
  })

  it('is bounded: forgets what has been unused longest, by answers and by records', () => {
    const cache = new DnsCache(limits)
    for (const key of ['a', 'b', 'c']) cache.set(key, found(1, 60), 0)
    expect(cache.get('a', 1)).toBeDefined()
    cache.set('d', found(1, 60), 1)
    expect(cache.get('b', 1)).toBeUndefined()
    expect(cache.get('a', 1)).toBeDefined()
    cache.set('e', found(9, 60), 1)
    expect(cache.records).toBeLessThanOrEqual(10)
    expect(cache.get('e', 1)).toBeDefined()
    cache.set('f', found(11, 60), 1)
    expect(cache.records).toBeLessThanOrEqual(10)
    expect(cache.get('f', 1)).toBeUndefined()
  })

  it('counts an answer that is replaced once', () => {
    const cache = new DnsCache(limits)
    for (let round = 0; round < 100; round += 1) cache.set('a', found(5, 60), 0)
    expect([cache.size, cache.records]).toEqual([1, 5])
    cache.clear()
    expect([cache.size, cache.records]).toEqual([0, 0])
  })
})
