/** What a sprayer of packets wins in each mode of learning (CVE-2025-53399); the table of THREATS.md says the same. */
import { describe, expect, it } from 'vitest'
import { handoverIntervalMs } from '../limits'
import { EndpointLearning, type LearningMode, type LearningPolicy, verdicts } from './latching'

const { DROP, ACCEPT, CONFIRMED } = verdicts
const WINDOW_MS = 3_000
const PEER = '198.51.100.7'
/** Where the peer's NAT sends from. */
const NAT = { address: '198.51.100.99', port: 61_000 }
const OTHER = '203.0.113.9'

function learning(policy: Partial<LearningPolicy>, rankMax = 3): EndpointLearning {
  const machine = new EndpointLearning(WINDOW_MS, rankMax)
  machine.adopt(policy)
  machine.signal(PEER, 4_000, '', 0)
  return machine
}

/** Sprays every even port from a foreign address and from the peer's own. */
function spray(machine: EndpointLearning, nowMs: number, from = OTHER): void {
  for (let port = 3_990; port < 4_016; port += 2) {
    if (from === PEER && port === 4_000) continue
    machine.receive(from, port, nowMs)
  }
}

/** Where media for the peer goes at the end, when the sprayer and the peer (as signalled) send as told. */
function endOf(mode: LearningMode, sprayAtMs: number, from = OTHER, rankMax = 3): string {
  const machine = learning({ mode }, rankMax)
  if (sprayAtMs < 100) spray(machine, sprayAtMs, from)
  machine.receive(PEER, 4_000, 100)
  if (sprayAtMs >= 100) spray(machine, sprayAtMs, from)
  machine.receive(PEER, 4_000, WINDOW_MS + 10_000)
  machine.expire(WINDOW_MS + 10_001)
  return machine.address === PEER && machine.port === 4_000 ? 'peer' : 'sprayer'
}

/** The same where the peer is behind a NAT, so that nothing it sends is as signalled. */
function endBehindNat(mode: LearningMode, sprayAtMs: number): string {
  const machine = learning({ mode })
  if (sprayAtMs < 100) machine.receive(OTHER, 4_444, sprayAtMs)
  machine.receive(NAT.address, NAT.port, 100)
  if (sprayAtMs >= 100) machine.receive(OTHER, 4_444, sprayAtMs)
  machine.expire(WINDOW_MS + 1)
  return machine.address === NAT.address ? 'peer' : machine.address === OTHER ? 'sprayer' : 'signalled'
}

describe('CVE-2025-53399: what a sprayer wins', () => {
  it.each([
    ['heuristic', 1, 'peer'],
    ['heuristic', 200, 'peer'],
    ['heuristic', WINDOW_MS + 1, 'peer'],
    ['immediate', 1, 'sprayer'],
    ['immediate', 200, 'peer'],
    ['immediate', WINDOW_MS + 1, 'peer'],
    ['delayed', 1, 'peer'],
    ['delayed', 200, 'peer'],
    ['delayed', WINDOW_MS + 1, 'peer'],
    ['off', 1, 'peer'],
    ['off', 200, 'peer'],
    ['off', WINDOW_MS + 1, 'peer'],
  ] as const)('of a peer that is where it said, mode %s, spraying at %i ms: %s', (mode, atMs, winner) => {
    expect(endOf(mode, atMs)).toBe(winner)
    // The same address and another port, as another user behind one NAT has it: no other answer.
    expect(endOf(mode, atMs, PEER)).toBe(winner)
    // By RTCP a foreign address is never learned, so the first packet is nothing to be first with.
    expect(endOf(mode, atMs, OTHER, 1)).toBe('peer')
  })

  it.each([
    ['heuristic', 1, 'sprayer'],
    ['heuristic', 200, 'peer'],
    ['heuristic', WINDOW_MS + 1, 'peer'],
    ['immediate', 1, 'sprayer'],
    ['immediate', 200, 'peer'],
    ['immediate', WINDOW_MS + 1, 'peer'],
    ['delayed', 1, 'peer'],
    ['delayed', 200, 'sprayer'],
    ['delayed', WINDOW_MS + 1, 'peer'],
    ['off', 1, 'signalled'],
    ['off', 200, 'signalled'],
    ['off', WINDOW_MS + 1, 'signalled'],
  ] as const)('of a peer behind a NAT that signalling does not know, mode %s, at %i ms: %s', (mode, atMs, winner) => {
    expect(endBehindNat(mode, atMs)).toBe(winner)
  })

  it.each(['heuristic', 'immediate', 'delayed', 'off'] as const)(
    'in mode %s a late first packet of a foreign address teaches nothing',
    (mode) => {
      const machine = learning({ mode })
      expect(machine.receive(OTHER, 4_000, WINDOW_MS + 1)).toBe(DROP)
      expect(machine).toMatchObject({ isConfirmed: false, address: PEER, port: 4_000 })
    },
  )
})

describe('learning modes', () => {
  it('immediate: the first packet of an acceptable source confirms', () => {
    const machine = learning({ mode: 'immediate' })
    expect(machine.receive(NAT.address, NAT.port, 1)).toBe(ACCEPT | CONFIRMED)
    expect(machine.receive(PEER, 4_000, 2)).toBe(DROP)
    expect(machine.isPinned).toBe(true)
    const rtcp = learning({ mode: 'immediate' }, 1)
    expect(rtcp.receive(OTHER, 4_000, 1)).toBe(DROP)
    expect(rtcp.receive(PEER, 4_444, 2)).toBe(ACCEPT | CONFIRMED)
  })

  it('immediate: once the call is set up a better source may take over, or the present one is confirmed again', () => {
    const machine = learning({ mode: 'immediate' })
    machine.receive(OTHER, 4_444, 1)
    expect(machine.reopen(1_000)).toBe(true)
    expect(machine.receive('203.0.113.10', 4_444, 1_001)).toBe(DROP)
    expect(machine.receive(PEER, 4_000, 1_002)).toBe(ACCEPT | CONFIRMED)
    const present = learning({ mode: 'immediate' })
    present.receive(NAT.address, NAT.port, 1)
    present.reopen(1_000)
    expect(present.receive(NAT.address, NAT.port, 1_001)).toBe(ACCEPT | CONFIRMED)
  })

  it('delayed: nothing is confirmed before the window closes, then the best-ranked, then latest, source', () => {
    const machine = learning({ mode: 'delayed' })
    expect(machine.receive(PEER, 4_002, 1)).toBe(ACCEPT)
    expect(machine.receive(PEER, 4_004, 2)).toBe(ACCEPT)
    expect(machine.receive(OTHER, 4_000, 3)).toBe(DROP)
    expect(machine.receive(PEER, 4_000, 4)).toBe(ACCEPT)
    expect(machine.receive(PEER, 4_004, 5)).toBe(DROP)
    expect(machine.isConfirmed).toBe(false)
    expect(machine.expire(WINDOW_MS)).toBe(true)
    expect(machine).toMatchObject({ address: PEER, port: 4_000, rank: 0, isPinned: true })
  })

  it('off: nobody but the signalled endpoint is heard, and media goes nowhere else', () => {
    const machine = learning({ mode: 'off' })
    expect(machine.receive(PEER, 4_002, 1)).toBe(DROP)
    expect(machine.receive(PEER, 4_000, 90_000)).toBe(ACCEPT | CONFIRMED)
    expect(machine.isPinned).toBe(true)
  })

  it('another mode starts anew at the next signalling, the same one does not', () => {
    const machine = learning({ mode: 'immediate' })
    machine.receive(NAT.address, NAT.port, 1)
    machine.adopt({ mode: 'immediate' })
    expect(machine.signal(PEER, 4_000, '', 10)).toBe(false)
    machine.adopt({ mode: 'off' })
    expect(machine.signal(PEER, 4_000, '', 20)).toBe(true)
    expect(machine).toMatchObject({ address: PEER, port: 4_000, isConfirmed: false, isPinned: false })
  })
})

describe('sources that are not strict', () => {
  it('are accepted once a peer is confirmed, and never change where media goes', () => {
    const machine = learning({ isStrictSource: false })
    expect(machine.receive(OTHER, 4_444, 1)).toBe(ACCEPT)
    expect(machine.receive(PEER, 4_000, 2)).toBe(ACCEPT | CONFIRMED)
    for (let nowMs = 3; nowMs < 20_000; nowMs += 500) expect(machine.receive(OTHER, 4_000, nowMs)).toBe(ACCEPT)
    expect(machine).toMatchObject({ address: PEER, port: 4_000, isPinned: false })
  })

  it('are dropped while learning, as everywhere', () => {
    const machine = learning({ isStrictSource: false })
    machine.receive(PEER, 4_444, 1)
    expect(machine.receive(OTHER, 4_000, 2)).toBe(DROP)
    expect(machine.receive(OTHER, 4_000, WINDOW_MS)).toBe(ACCEPT | CONFIRMED)
    expect(machine).toMatchObject({ address: PEER, port: 4_444 })
  })

  it('are accepted from the start where nothing is learned', () => {
    const machine = learning({ mode: 'off', isStrictSource: false })
    expect(machine.isOpenToOthers()).toBe(true)
    expect(machine.receive(OTHER, 4_444, 1)).toBe(ACCEPT)
    expect(machine).toMatchObject({ address: PEER, port: 4_000, isConfirmed: false })
  })

  it('come back when a pinned peer is no longer strict', () => {
    const machine = learning({})
    machine.receive(PEER, 4_000, 1)
    expect(machine.adopt({ isStrictSource: false })).toBe(true)
    expect(machine.isPinned).toBe(false)
    expect(machine.adopt({ isStrictSource: true })).toBe(false)
    expect(machine.isPinned).toBe(true)
  })
})

describe('handover', () => {
  it('lets a source of the same rank take over, not a worse one', () => {
    const machine = learning({ isHandoverAllowed: true })
    machine.receive(PEER, 4_444, 1)
    machine.expire(WINDOW_MS)
    const laterMs = WINDOW_MS + handoverIntervalMs
    expect(machine.receive(OTHER, 4_000, laterMs)).toBe(DROP)
    expect(machine.receive(PEER, 5_555, laterMs)).toBe(ACCEPT | CONFIRMED)
    expect(machine).toMatchObject({ address: PEER, port: 5_555, rank: 1 })
  })

  it('never leaves a peer that is where it said', () => {
    const machine = learning({ isHandoverAllowed: true })
    machine.receive(PEER, 4_000, 1)
    for (let nowMs = 2; nowMs < 20_000; nowMs += 500) spray(machine, nowMs, nowMs % 2 === 0 ? OTHER : PEER)
    expect(machine).toMatchObject({ address: PEER, port: 4_000 })
  })

  it('does not swing between two sources that both send', () => {
    const machine = learning({ isHandoverAllowed: true })
    machine.receive(OTHER, 4_444, 1)
    machine.expire(WINDOW_MS)
    let taken = 0
    for (let nowMs = WINDOW_MS + 1; nowMs <= WINDOW_MS + 10_000; nowMs += 20) {
      for (const address of [OTHER, NAT.address]) {
        if ((machine.receive(address, 4_444, nowMs) & CONFIRMED) !== 0) taken++
      }
    }
    expect(taken).toBeGreaterThan(0)
    expect(taken).toBeLessThanOrEqual(10_000 / handoverIntervalMs)
  })
})
