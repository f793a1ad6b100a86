import { describe, expect, it } from 'vitest'
import { SourceRateLimit } from './source-rate-limit'

const rate = { requestsPerSecond: 10, burst: 3, sourcesMax: 100 }

function taken(limit: SourceRateLimit, address: string, nowMs: number, times: number): number {
  let count = 0
  for (let time = 0; time < times; time += 1) if (limit.take(address, nowMs)) count += 1
  return count
}

describe('SourceRateLimit', () => {
  it('lets a burst through, then what the rate allows', () => {
    const limit = new SourceRateLimit(rate)
    expect(taken(limit, '192.0.2.1', 0, 10)).toBe(3)
    expect(taken(limit, '192.0.2.1', 100, 10)).toBe(1)
    expect(taken(limit, '192.0.2.1', 350, 10)).toBe(2)
    expect(taken(limit, '192.0.2.1', 60_000, 10)).toBe(3)
  })

  it('counts each IPv4 address for itself, and an IPv6 /64 network as one', () => {
    const limit = new SourceRateLimit(rate)
    expect(taken(limit, '192.0.2.1', 0, 10)).toBe(3)
    expect(taken(limit, '192.0.2.2', 0, 10)).toBe(3)
    expect(taken(limit, '2001:db8::1', 0, 2)).toBe(2)
    expect(taken(limit, '2001:db8::ffff:1:2:3', 0, 10)).toBe(1)
    expect(taken(limit, '2001:db8:0:1::1', 0, 10)).toBe(3)
  })

  it('gives back no more than a full bucket', () => {
    const limit = new SourceRateLimit(rate)
    expect(taken(limit, '192.0.2.1', 0, 3)).toBe(3)
    limit.giveBack('192.0.2.1')
    expect(taken(limit, '192.0.2.1', 0, 10)).toBe(1)
    for (let time = 0; time < 10; time += 1) limit.giveBack('192.0.2.1')
    limit.giveBack('192.0.2.9')
    expect(taken(limit, '192.0.2.1', 0, 10)).toBe(3)
    expect(limit.size).toBe(1)
  })

  it('remembers no more sources than its cap, and forgets the one unheard longest', () => {
    const limit = new SourceRateLimit({ requestsPerSecond: 0.001, burst: 1, sourcesMax: 100 })
    for (let source = 0; source < 10_000; source += 1) {
      // Heard again and again, so never the oldest.
      if (source % 50 === 0) limit.take('198.51.100.1', source)
      limit.take(`10.0.${source >> 8}.${source & 255}`, source)
      expect(limit.size).toBeLessThanOrEqual(100)
    }
    expect(limit.take('198.51.100.1', 10_000)).toBe(false)
    expect(limit.take('10.0.0.1', 10_000)).toBe(true)
  })

  it('shrinks by itself: a source whose bucket is full again is forgotten while others come, or by expire', () => {
    const limit = new SourceRateLimit(rate)
    for (let source = 0; source < 90; source += 1) limit.take(`192.0.2.${source}`, source)
    expect(limit.deadline()).toBe(300)
    for (let time = 0; time < 60; time += 1) limit.take('198.51.100.1', 1_000)
    expect(limit.size).toBe(1)
    limit.take('192.0.2.7', 1_000)
    limit.expire(1_299)
    expect(limit.size).toBe(2)
    limit.expire(1_300)
    expect([limit.size, limit.deadline()]).toEqual([0, Number.POSITIVE_INFINITY])
  })
})
