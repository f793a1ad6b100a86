import { describe, expect, it } from 'vitest'
import { defaultLocateLimits } from '../limits'
import { Blocklist } from './blocklist'
import type { Candidate } from './plan'

const at = (address: string, transport = 'UDP', port = 5060) => ({ transport, address, port })
const candidate = (address: string): Candidate => ({ kind: 'address', address: at(address), isTransportNamed: false })
const limits = { ...defaultLocateLimits, blockedServersMax: 3 }

describe('Blocklist', () => {
  it('puts blocked servers last, in their order, until their time is over', () => {
    const list = new Blocklist(limits)
    const candidates = ['10.0.0.1', '10.0.0.2', '10.0.0.3'].map(candidate)
    expect(list.order(candidates, 0)).toBe(candidates)
    list.block(at('10.0.0.1'), 0)
    expect(list.order(candidates, 1).map(({ address }) => address.address)).toEqual([
      '10.0.0.2',
      '10.0.0.3',
      '10.0.0.1',
    ])
    expect(list.order(candidates, limits.blockedServerMs)).toEqual(candidates)
  })

  it('tells transports and ports of an address apart', () => {
    const list = new Blocklist(limits)
    list.block(at('10.0.0.1'), 0)
    expect(list.isBlocked(at('10.0.0.1', 'TCP'), 1)).toBe(false)
    expect(list.isBlocked(at('10.0.0.1', 'UDP', 5061), 1)).toBe(false)
    expect(list.isBlocked(at('10.0.0.1'), 1)).toBe(true)
  })

  it('RFC 3261 §21.5.4: for as long as the server asks, up to a limit; a shorter block shortens none', () => {
    const list = new Blocklist(limits)
    list.block(at('10.0.0.1'), 0, 120_000)
    list.block(at('10.0.0.1'), 0)
    expect(list.isBlocked(at('10.0.0.1'), 119_999)).toBe(true)
    expect(list.isBlocked(at('10.0.0.1'), 120_000)).toBe(false)
    list.block(at('10.0.0.1'), 0, Number.MAX_SAFE_INTEGER)
    expect(list.isBlocked(at('10.0.0.1'), limits.blockedServerMsMax)).toBe(false)
  })

  it('forgets a server that has answered', () => {
    const list = new Blocklist(limits)
    list.block(at('10.0.0.1'), 0)
    list.clear(at('10.0.0.1'))
    expect(list.isBlocked(at('10.0.0.1'), 1)).toBe(false)
    expect(list.size).toBe(0)
  })

  it('is bounded, and lets go of what has expired', () => {
    const list = new Blocklist(limits)
    for (let host = 1; host <= 100; host += 1) list.block(at(`10.0.0.${host}`), 0)
    expect(list.size).toBe(3)
    list.block(at('10.0.1.1'), limits.blockedServerMs)
    expect(list.size).toBe(1)
  })
})
