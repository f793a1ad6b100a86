import { describe, expect, it } from 'vitest'
import { SeededRandom } from '../testing/memory-network'
import { PortPool, pairsIn } from './port-pool'

function pool(portMin: number, portMax: number, quarantineMs = 0): PortPool {
  return new PortPool(portMin, portMax, quarantineMs, new SeededRandom(1))
}

function drain(from: PortPool, nowMs = 0): number[] {
  const ports: number[] = []
  for (let port = from.take(nowMs); port !== undefined; port = from.take(nowMs)) ports.push(port)
  return ports
}

describe('port pool', () => {
  it('RFC 3550 §11: hands out even ports whose odd neighbour is in the range too', () => {
    expect(drain(pool(20_001, 20_006)).sort()).toEqual([20_002, 20_004])
    expect(drain(pool(20_000, 20_002))).toEqual([20_000])
    expect(drain(pool(65_534, 65_535))).toEqual([65_534])
    expect(drain(pool(20_001, 20_002))).toEqual([])
  })

  it('hands out each pair once, in an order that is not that of the range', () => {
    const ports = drain(pool(20_000, 20_999))
    expect(new Set(ports).size).toBe(500)
    expect(ports).not.toEqual([...ports].sort((x, y) => x - y))
  })

  it('rests a pair before it may be used again', () => {
    const one = pool(20_000, 20_001, 5_000)
    expect(one.take(0)).toBe(20_000)
    one.giveBack(20_000, 100)
    expect(one).toMatchObject({ portsFree: 2, portsResting: 2 })
    expect(one.take(5_099)).toBeUndefined()
    expect(one.take(5_100)).toBe(20_000)
    expect(one).toMatchObject({ portsFree: 0, portsResting: 0 })
  })

  it('takes a pair back once only, and no pair that it never had', () => {
    const one = pool(20_000, 20_003)
    const port = one.take(0)!
    one.giveBack(port, 0)
    one.giveBack(port, 0)
    one.giveBack(40_000, 0)
    one.giveBack(port + 1, 0)
    one.giveBack(-4, 0)
    expect(one.portsFree).toBe(4)
    expect(drain(one, 1).length).toBe(2)
  })

  it('keeps its count over many rounds', () => {
    const one = pool(20_000, 20_099, 10)
    for (let round = 0; round < 1_000; round++) {
      const taken = [one.take(round * 4), one.take(round * 4), one.take(round * 4)]
      for (const port of taken) if (port !== undefined) one.giveBack(port, round * 4)
    }
    expect(one.portsFree).toBe(100)
    expect(drain(one, 1e9).length).toBe(50)
  })

  it('lets what a pool before it held or let rest, rest from now on, and writes its book on', () => {
    const state = new Uint8Array(pairsIn(20_000, 20_009))
    const former = new PortPool(20_000, 20_009, 5_000, new SeededRandom(1), { state, nowMs: 0 })
    const [held, returned] = [former.take(0), former.take(0)]
    former.giveBack(returned ?? 0, 4_000)
    const pool = new PortPool(20_000, 20_009, 5_000, new SeededRandom(2), { state, nowMs: 10_000 })
    expect(pool.portsFree).toBe(10)
    expect(pool.portsResting).toBe(4)
    const taken = [pool.take(14_999), pool.take(14_999), pool.take(14_999)]
    expect(pool.take(14_999)).toBeUndefined()
    expect(taken).not.toContain(held)
    expect(taken).not.toContain(returned)
    expect([pool.take(15_000), pool.take(15_000)].sort()).toEqual([held, returned].sort())
  })
})
