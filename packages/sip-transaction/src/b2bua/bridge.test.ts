import { describe, expect, it } from 'vitest'
import { SeededRandom } from '../testing/seeded-random'
import { dispositionOf, failureRank, statusForCaller } from './best-response'
import { BridgeMachine } from './bridge'
import type { BridgeEffect, BridgeInput } from './bridge-types'

const sdp = new Uint8Array([1])
const times = { ringTimeoutMs: 10_000, maxDurationMs: Number.POSITIVE_INFINITY }

class Rig {
  readonly machine = new BridgeMachine(times)
  nowMs = 0

  /** Gives inputs; returns the effects in short. */
  give(...inputs: BridgeInput[]): string[] {
    const out: BridgeEffect[] = []
    for (const input of inputs) this.machine.handle(input, this.nowMs, out)
    return out.map(brief)
  }
}

function brief(effect: BridgeEffect): string {
  switch (effect.kind) {
    case 'anchor':
      return `anchor ${effect.op} ${effect.side} #${effect.token}`
    case 'invite':
    case 'cancel':
    case 'drop':
    case 'adopt':
      return `${effect.kind} ${effect.branch}`
    case 'progress':
    case 'reject':
      return `${effect.kind} ${effect.status}`
    case 'ack':
    case 'bye':
      return `${effect.kind} ${effect.side}`
    case 'modify':
      return `modify ${effect.side}`
    case 'modify-reply':
      return `modify-reply #${effect.request} ${effect.status}`
    case 'event':
      return `event ${effect.event.kind}`
    case 'ended':
      return `ended ${effect.end.disposition}`
    default:
      return effect.kind
  }
}

const start = (branches = 1): BridgeInput => ({ kind: 'start', sdp, branches })
const anchored = (token: number): BridgeInput => ({ kind: 'anchored', token, sdp })

function up(): Rig {
  const rig = new Rig()
  rig.give(start(), anchored(1), { kind: 'accepted', branch: 0, sdp }, anchored(2))
  rig.give({ kind: 'acknowledged', side: 'a', sdp: undefined })
  expect(rig.machine.state).toBe('active')
  return rig
}

describe('BridgeMachine', () => {
  it("RFC 3261 §8.1.3.4: the contacts of a redirection are offered the same, and the redirection is nobody's failure", () => {
    const rig = new Rig()
    rig.give(start(2), anchored(1))
    expect(rig.give({ kind: 'redirected', branch: 0, count: 2 })).toEqual(['invite 2', 'invite 3'])
    expect(
      rig.give({ kind: 'rejected', branch: 2, status: 404 }, { kind: 'rejected', branch: 1, status: 486 }),
    ).toEqual([])
    expect(rig.give({ kind: 'redirected', branch: 3, count: 1 })).toEqual(['invite 4'])
    expect(rig.give({ kind: 'redirected', branch: 3, count: 1 })).toEqual([])
    expect(rig.give({ kind: 'rejected', branch: 4, status: 480 })).toEqual(['reject 486', 'event ended', 'ended BUSY'])
    expect(rig.give({ kind: 'redirected', branch: 4, count: 1 })).toEqual([])
  })

  it('RFC 3261 §9.1: places that ring are cancelled for others, and an answer that crosses that is dropped', () => {
    const rig = new Rig()
    rig.give(start(2), anchored(1), { kind: 'progress', branch: 0, status: 183, sdp }, anchored(2))
    rig.give({ kind: 'rejected', branch: 1, status: 486 })
    rig.nowMs = 9_000
    expect(rig.give({ kind: 'redirected', branch: undefined, count: 1 })).toEqual(['cancel 0', 'invite 2'])
    expect(rig.machine.deadline()).toBe(19_000)
    expect(rig.machine.earlyBranch).toBe(-1)
    expect(rig.give({ kind: 'accepted', branch: 0, sdp })).toEqual(['drop 0'])
    expect(rig.give({ kind: 'progress', branch: 0, status: 180, sdp: undefined })).toEqual([])
    expect(rig.give({ kind: 'progress', branch: 2, status: 183, sdp })).toEqual(['anchor answer b #3'])
    expect(rig.give(anchored(3))).toEqual(['progress 183'])
    expect(rig.give({ kind: 'accepted', branch: 2, sdp })).toEqual(['adopt 2', 'ack b', 'anchor answer b #4'])
    expect(rig.machine.mayRedirect(undefined)).toBe(false)
  })

  it('RFC 3262 §5: whose offer the caller has heard of is not left for another place', () => {
    const rig = new Rig()
    rig.give({ kind: 'start', sdp: undefined, branches: 1 })
    rig.give({ kind: 'progress', branch: 0, status: 183, sdp, isReliable: true })
    expect([rig.machine.mayRedirect(undefined), rig.machine.mayRedirect(0)]).toEqual([false, false])
    expect(rig.give({ kind: 'redirected', branch: undefined, count: 1 })).toEqual([])
  })

  it('goes through a call: offer anchored, targets invited, answer anchored, caller accepted', () => {
    const rig = new Rig()
    expect(rig.give(start(2))).toEqual(['anchor offer a #1'])
    expect(rig.give(anchored(1))).toEqual(['invite 0', 'invite 1'])
    expect(rig.give({ kind: 'progress', branch: 1, status: 180, sdp: undefined })).toEqual([
      'event ringing',
      'progress 180',
    ])
    expect(rig.give({ kind: 'accepted', branch: 1, sdp })).toEqual([
      'adopt 1',
      'cancel 0',
      'ack b',
      'anchor answer b #2',
    ])
    expect(rig.give({ kind: 'accepted', branch: 0, sdp })).toEqual(['drop 0'])
    expect(rig.give(anchored(2))).toEqual(['accept', 'event answered'])
    expect(rig.give({ kind: 'acknowledged', side: 'a', sdp: undefined })).toEqual([])
    expect(rig.give({ kind: 'leg-ended', side: 'b', reason: undefined })).toEqual([
      'bye a',
      'event ended',
      'ended ANSWERED',
    ])
  })

  it('RFC 3264: a 2xx without any answer cannot make a call', () => {
    const rig = new Rig()
    rig.give(start(), anchored(1))
    expect(rig.give({ kind: 'accepted', branch: 0, sdp: undefined })).toEqual([
      'adopt 0',
      'ack b',
      'bye b',
      'reject 502',
      'event ended',
      'ended FAILED',
    ])
  })

  it('takes the answer of an early 183 when the 2xx has none', () => {
    const rig = new Rig()
    rig.give(start(), anchored(1), { kind: 'progress', branch: 0, status: 183, sdp })
    expect(rig.give({ kind: 'accepted', branch: 0, sdp: undefined })).toEqual([
      'adopt 0',
      'ack b',
      'anchor answer b #3',
    ])
  })

  it('plays early media of one branch at a time', () => {
    const rig = new Rig()
    rig.give(start(2), anchored(1))
    expect(rig.give({ kind: 'progress', branch: 0, status: 183, sdp })).toContain('anchor answer b #2')
    expect(rig.give({ kind: 'progress', branch: 1, status: 183, sdp })).toEqual(['progress 183'])
    rig.give({ kind: 'rejected', branch: 0, status: 404 })
    expect(rig.give({ kind: 'progress', branch: 1, status: 183, sdp })).toEqual(['anchor answer b #3'])
  })

  it('a target that leaves while its answer is anchored gives the caller a failure', () => {
    const rig = new Rig()
    rig.give(start(), anchored(1), { kind: 'accepted', branch: 0, sdp })
    expect(rig.give({ kind: 'leg-ended', side: 'b', reason: undefined })).toEqual([
      'reject 480',
      'event ended',
      'ended NO ANSWER',
    ])
    expect(rig.give(anchored(2))).toEqual([])
  })

  it('a caller that cancels while the answer is anchored frees the target', () => {
    const rig = new Rig()
    rig.give(start(), anchored(1), { kind: 'accepted', branch: 0, sdp })
    expect(rig.give({ kind: 'cancelled' })).toEqual(['bye b', 'event ended', 'ended CANCELLED'])
    expect(rig.give(anchored(2), { kind: 'accepted', branch: 0, sdp })).toEqual(['drop 0'])
  })

  it('RFC 3261 §14: one modification at a time; the other gets 491', () => {
    const rig = up()
    const modify = (side: 'a' | 'b', request: number): BridgeInput => ({
      kind: 'modify',
      side,
      request,
      method: 'INVITE',
      sdp,
    })
    expect(rig.give(modify('a', 1))).toEqual(['event reinvite', 'anchor offer a #3'])
    expect(rig.give(modify('b', 2))).toEqual(['modify-reply #2 491'])
    expect(rig.give(anchored(3))).toEqual(['modify b'])
    expect(rig.give({ kind: 'modify-answered', status: 200, sdp })).toEqual(['ack b', 'anchor answer b #4'])
    expect(rig.give(anchored(4))).toEqual(['modify-reply #1 200'])
    expect(rig.give(modify('b', 3))).toEqual(['modify-reply #3 491'])
    rig.give({ kind: 'acknowledged', side: 'a', sdp: undefined })
    expect(rig.give(modify('b', 4))).toEqual(['event reinvite', 'anchor offer b #5'])
  })

  it('a side that leaves during a modification: the other one is answered and hung up', () => {
    const rig = up()
    rig.give({ kind: 'modify', side: 'a', request: 1, method: 'INVITE', sdp }, anchored(3))
    expect(rig.give({ kind: 'leg-ended', side: 'b', reason: undefined })).toEqual([
      'modify-reply #1 487',
      'bye a',
      'event ended',
      'ended ANSWERED',
    ])
  })

  it('RFC 3262 §5: the offer of a target before its answer is answered by the caller, and needs no other one', () => {
    const rig = new Rig()
    rig.give({ kind: 'start', sdp: undefined, branches: 1 })
    expect(rig.give({ kind: 'progress', branch: 0, status: 183, sdp, isReliable: true })).toContain('anchor offer b #1')
    expect(rig.give(anchored(1))).toEqual(['progress 183'])
    expect(rig.machine.isEarlyOffer).toBe(true)
    expect(rig.give({ kind: 'early-answer', sdp })).toEqual(['anchor answer a #2'])
    expect(rig.give(anchored(2))).toEqual(['prack'])
    expect(rig.give({ kind: 'accepted', branch: 0, sdp: undefined })).toEqual([
      'adopt 0',
      'ack b',
      'accept',
      'event answered',
    ])
    expect(rig.give({ kind: 'acknowledged', side: 'a', sdp: undefined })).toEqual([])
    expect(rig.machine.state).toBe('active')
  })

  it('RFC 3311 §5.1: before the answer an UPDATE passes to the target whose media the caller has, and to no other', () => {
    const rig = new Rig()
    rig.give(start(2), anchored(1), { kind: 'progress', branch: 1, status: 183, sdp }, anchored(2))
    const update = (side: 'a' | 'b', request: number, branch?: number): BridgeInput => ({
      kind: 'modify',
      side,
      request,
      method: 'UPDATE',
      sdp,
      ...(branch === undefined ? {} : { branch }),
    })
    expect(rig.give(update('b', 1, 0))).toEqual(['modify-reply #1 491'])
    expect(rig.give(update('a', 2), anchored(3))).toEqual(['anchor offer a #3', 'modify b'])
    expect(rig.give({ kind: 'rejected', branch: 1, status: 404 })).toEqual(['modify-reply #2 487'])
    expect(rig.machine.earlyBranch).toBe(-1)
  })

  it('RFC 5589 §6: who asked for a transfer may leave; the other side waits until it is decided', () => {
    const rig = up()
    expect(rig.give({ kind: 'transfer', side: 'a', target: 'sip:x' })).toEqual(['event transferring'])
    expect(rig.give({ kind: 'leg-ended', side: 'a', reason: undefined })).toEqual([])
    expect(rig.give({ kind: 'replaced', side: 'a', reason: 'transfer' })).toEqual(['event replaced'])
    expect(rig.give({ kind: 'leg-ended', side: 'a', reason: undefined })).toEqual([
      'bye b',
      'event ended',
      'ended ANSWERED',
    ])
    const other = up()
    other.give({ kind: 'transfer', side: 'a', target: 'sip:x' }, { kind: 'leg-ended', side: 'a', reason: undefined })
    expect(other.give({ kind: 'transfer-failed', status: 486 })).toEqual([
      'event transfer-failed',
      'bye b',
      'event ended',
      'ended ANSWERED',
    ])
  })

  it('a side that goes on elsewhere leaves without a word, and the other one is let go', () => {
    expect(up().give({ kind: 'taken', side: 'b' })).toEqual(['bye a', 'event ended', 'ended ANSWERED'])
  })

  it('rings no longer than it may', () => {
    const rig = new Rig()
    rig.give(start(), anchored(1))
    expect(rig.machine.deadline()).toBe(10_000)
    const out: BridgeEffect[] = []
    rig.machine.expire(9_999, out)
    expect(out).toEqual([])
    rig.machine.expire(10_000, out)
    expect(out.map(brief)).toEqual(['cancel 0', 'reject 408', 'event ended', 'ended NO ANSWER'])
    expect(rig.machine.deadline()).toBe(Number.POSITIVE_INFINITY)
  })

  it('whatever comes in whatever order, ends once, answers the caller at most once and leaves no branch behind', () => {
    for (let seed = 1; seed <= 2000; seed += 1) storm(seed)
  })
})

/** Random inputs, then a hang-up; checks what must hold for every call. */
function storm(seed: number): void {
  const random = new SeededRandom(seed)
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random.fraction() * list.length)]!
  const machine = new BridgeMachine({ ringTimeoutMs: 50, maxDurationMs: 200 })
  const all: BridgeEffect[] = []
  let tokens = 0
  let request = 0
  let nowMs = 0
  const body = () => (random.fraction() < 0.8 ? sdp : undefined)
  const give = (input: BridgeInput) => {
    const out: BridgeEffect[] = []
    machine.handle(input, nowMs, out)
    all.push(...out)
  }
  give({ kind: 'start', sdp: body(), branches: 3 })
  const side = () => pick(['a', 'b'] as const)
  const makers: readonly (() => BridgeInput)[] = [
    () => ({ kind: 'anchored', token: ++tokens, sdp }),
    () => ({ kind: 'anchored', token: ++tokens, sdp }),
    () => ({ kind: 'anchor-failed', token: ++tokens }),
    () => ({
      kind: 'progress',
      branch: pick([0, 1, 2]),
      status: pick([180, 183]),
      sdp: body(),
      isReliable: random.fraction() < 0.5,
    }),
    () => ({ kind: 'early-answer', sdp }),
    () => ({ kind: 'transfer', side: side(), target: 'sip:x' }),
    () => ({ kind: 'transfer-failed', status: 486 }),
    () => ({ kind: 'replaced', side: side(), reason: 'transfer' }),
    () => ({ kind: 'accepted', branch: pick([0, 1, 2]), sdp: body() }),
    () => ({ kind: 'rejected', branch: pick([0, 1, 2]), status: pick([404, 486, 503, 603]) }),
    () => ({ kind: 'cancelled' }),
    () => ({ kind: 'acknowledged', side: side(), sdp: body() }),
    () => ({
      kind: 'modify',
      side: side(),
      request: ++request,
      method: pick(['INVITE', 'UPDATE'] as const),
      sdp: body(),
      ...(random.fraction() < 0.3 ? { branch: pick([0, 1, 2]) } : {}),
    }),
    () => ({ kind: 'modify-answered', status: pick([200, 200, 405, 488]), sdp: body() }),
    () => ({ kind: 'modify-abandoned', request: Math.max(1, request - pick([0, 0, 1])) }),
    () => ({ kind: 'leg-ended', side: side(), reason: undefined }),
  ]
  for (let step = 0; step < 25; step += 1) {
    nowMs += random.fraction() * 20
    const out: BridgeEffect[] = []
    if (nowMs >= machine.deadline()) machine.expire(nowMs, out)
    all.push(...out)
    give(pick(makers)())
  }
  give({ kind: 'hangup', reason: undefined })
  const count = (test: (effect: BridgeEffect) => boolean) => all.filter(test).length
  const what = `seed ${seed}`
  expect(machine.state, what).toBe('ended')
  expect(machine.deadline(), what).toBe(Number.POSITIVE_INFINITY)
  expect(
    count((effect) => effect.kind === 'ended'),
    what,
  ).toBe(1)
  expect(
    count((effect) => effect.kind === 'accept' || effect.kind === 'reject'),
    what,
  ).toBeLessThanOrEqual(1)
  expect(
    count((effect) => effect.kind === 'adopt'),
    what,
  ).toBeLessThanOrEqual(1)
  const replies = all.flatMap((effect) => (effect.kind === 'modify-reply' ? [effect.request] : []))
  expect(new Set(replies).size, what).toBe(replies.length)
}

describe('failures', () => {
  it('RFC 3261 §16.7: 6xx first, then the lowest class, what says most first, 503 last of its class', () => {
    const sorted = [503, 408, 404, 486, 480, 500, 603, 302].sort(
      (left, right) => failureRank(left) - failureRank(right),
    )
    expect(sorted).toEqual([603, 302, 486, 404, 480, 408, 500, 503])
  })

  it('maps what concerns our side only', () => {
    expect([302, 401, 407, 503, 486, 600].map(statusForCaller)).toEqual([480, 403, 403, 500, 486, 600])
    expect([486, 600, 408, 480, 503, 404].map(dispositionOf)).toEqual([
      'BUSY',
      'BUSY',
      'NO ANSWER',
      'NO ANSWER',
      'CONGESTION',
      'FAILED',
    ])
  })
})
