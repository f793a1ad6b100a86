import { describe, expect, it } from 'vitest'
import { EndpointLearning, verdicts } from './latching'

const { DROP, ACCEPT, CONFIRMED } = verdicts
const WINDOW_MS = 3_000
const PEER = '198.51.100.7'
const OTHER = '203.0.113.9'

function learning(rankMax = 3): EndpointLearning {
  const machine = new EndpointLearning(WINDOW_MS, rankMax)
  machine.signal(PEER, 4000, '', 0)
  return machine
}

describe('endpoint learning', () => {
  it('knows nobody before signalling', () => {
    const machine = new EndpointLearning(WINDOW_MS, 3)
    expect(machine.state).toBe('unknown')
    expect(machine.receive(PEER, 4000, 0)).toBe(DROP)
    expect(machine.deadline()).toBe(Number.POSITIVE_INFINITY)
  })

  it('sends to the signalled endpoint before anything is heard', () => {
    expect(learning()).toMatchObject({ address: PEER, port: 4000, state: 'learning', rank: undefined })
  })

  it('confirms the signalled endpoint at once', () => {
    const machine = learning()
    expect(machine.receive(PEER, 4000, 10)).toBe(ACCEPT | CONFIRMED)
    expect(machine).toMatchObject({ isConfirmed: true, rank: 0 })
    expect(machine.receive(OTHER, 4000, 11)).toBe(DROP)
    expect(machine.receive(PEER, 4001, 11)).toBe(DROP)
    expect(machine.receive(PEER, 4000, 99_999)).toBe(ACCEPT)
  })

  it.each([
    ['same address', PEER, 4444, 1],
    ['same port', OTHER, 4000, 2],
    ['neither', OTHER, 4444, 3],
  ])('keeps a source with the %s and confirms it when the window closes', (_name, address, port, rank) => {
    const machine = learning()
    expect(machine.receive(address, port, 10)).toBe(ACCEPT)
    expect(machine).toMatchObject({ address, port, rank, isConfirmed: false })
    expect(machine.deadline()).toBe(WINDOW_MS)
    expect(machine.expire(WINDOW_MS - 1)).toBe(false)
    expect(machine.expire(WINDOW_MS)).toBe(true)
    expect(machine.expire(WINDOW_MS)).toBe(false)
    expect(machine.isConfirmed).toBe(true)
  })

  it('lets a better source take over, never a worse or an equal one', () => {
    const machine = learning()
    expect(machine.receive(OTHER, 4444, 1)).toBe(ACCEPT)
    expect(machine.receive('203.0.113.10', 4444, 2)).toBe(DROP)
    expect(machine.receive(OTHER, 4000, 3)).toBe(ACCEPT)
    expect(machine.receive(OTHER, 4444, 4)).toBe(DROP)
    expect(machine.receive(PEER, 5555, 5)).toBe(ACCEPT)
    expect(machine.receive(OTHER, 4000, 6)).toBe(DROP)
    expect(machine.receive(PEER, 5556, 7)).toBe(DROP)
    expect(machine.receive(PEER, 4000, 8)).toBe(ACCEPT | CONFIRMED)
  })

  it('confirms the best source, not the one that happens to come when the window has closed', () => {
    const machine = learning()
    machine.receive(PEER, 5555, 1)
    expect(machine.receive(OTHER, 4444, WINDOW_MS)).toBe(CONFIRMED)
    expect(machine).toMatchObject({ address: PEER, port: 5555 })
  })

  it('lets late starters in from known addresses only', () => {
    const machine = learning()
    expect(machine.receive(OTHER, 4000, WINDOW_MS)).toBe(DROP)
    expect(machine.receive(OTHER, 4444, WINDOW_MS + 60_000)).toBe(DROP)
    expect(machine.receive(PEER, 5555, WINDOW_MS + 60_001)).toBe(ACCEPT | CONFIRMED)
  })

  it('ranks the address that the signalling came from as a known one', () => {
    const machine = new EndpointLearning(WINDOW_MS, 3)
    machine.signal('192.168.1.5', 4000, OTHER, 0)
    expect(machine.receive('203.0.113.10', 4000, 1)).toBe(ACCEPT)
    expect(machine.receive(OTHER, 61_000, 2)).toBe(ACCEPT)
    expect(machine).toMatchObject({ address: OTHER, rank: 1 })
  })

  it('keeps what is confirmed when the same endpoint is signalled again', () => {
    const machine = learning()
    machine.receive(PEER, 5555, 1)
    machine.expire(WINDOW_MS)
    expect(machine.signal(PEER, 4000, '', 10_000)).toBe(false)
    expect(machine.receive(PEER, 4000, 10_001)).toBe(DROP)
    expect(machine.receive(PEER, 5555, 10_001)).toBe(ACCEPT)
  })

  it('learns anew when another endpoint is signalled', () => {
    const machine = learning()
    machine.receive(PEER, 4000, 1)
    expect(machine.signal(OTHER, 6000, '', 10_000)).toBe(true)
    expect(machine).toMatchObject({ isConfirmed: false, address: OTHER, port: 6000 })
    expect(machine.receive(OTHER, 6000, 10_001)).toBe(ACCEPT | CONFIRMED)
    expect(machine.receive(PEER, 4000, 10_002)).toBe(DROP)
  })

  it('counts the window from the last signalling while the question is open', () => {
    const machine = learning()
    machine.touch(20_000)
    expect(machine.receive(OTHER, 4444, 20_001)).toBe(ACCEPT)
    expect(machine.deadline()).toBe(20_000 + WINDOW_MS)
  })

  it('never learns ranks beyond its maximum', () => {
    const machine = learning(1)
    expect(machine.receive(OTHER, 4000, 1)).toBe(DROP)
    expect(machine.receive(OTHER, 4444, 1)).toBe(DROP)
    expect(machine.receive(PEER, 4444, 1)).toBe(ACCEPT)
  })

  it('takes a link-local source with its zone for the signalled address', () => {
    const machine = new EndpointLearning(WINDOW_MS, 3)
    machine.signal('fe80::1', 4000, '', 0)
    expect(machine.receive('fe80::1%eth0', 4000, 1)).toBe(ACCEPT | CONFIRMED)
    expect(machine.address).toBe('fe80::1%eth0')
  })

  it('CVE-2025-53399: a sprayer that comes first, last and all the time wins nothing from a peer that is where it said', () => {
    const machine = learning()
    const sprayed: string[] = []
    const spray = (nowMs: number): void => {
      for (let port = 4000; port < 4016; port += 2) {
        if ((machine.receive(OTHER, port, nowMs) & ACCEPT) !== 0 && machine.isConfirmed) sprayed.push(`${nowMs}`)
      }
    }
    spray(1)
    expect(machine.receive(PEER, 4000, 100)).toBe(ACCEPT | CONFIRMED)
    for (let nowMs = 101; nowMs < 10_000; nowMs += 100) spray(nowMs)
    machine.touch(10_000)
    spray(10_001)
    expect(sprayed).toEqual([])
    expect(machine).toMatchObject({ address: PEER, port: 4000 })
  })
})
