import { responseTo } from '@carillon/sip-parser'
import { describe, expect, it } from 'vitest'
import { sampleRequest } from '../testing/sample-messages'
import { BestResponse } from './best-response'
import {
  type ContextEffect,
  type ContextInput,
  type ContextSettings,
  type ContextTarget,
  ResponseContext,
} from './response-context'

interface Target extends ContextTarget {
  readonly name: string
}

const request = sampleRequest()
const never = Number.POSITIVE_INFINITY
const target = (name: string, q = 1): Target => ({ name, q })

/** A context with names for its branches; what it does is written down. */
class Rig {
  readonly context: ResponseContext<Target>
  nowMs = 0
  constructor(settings: Partial<ContextSettings> = {}) {
    this.context = new ResponseContext<Target>({
      isInvite: true,
      mode: 'mixed',
      breadth: 60,
      targetsMax: 128,
      timerCMs: never,
      branchTimeoutMs: never,
      asks: false,
      ...settings,
    })
  }
  give(input: ContextInput<Target>): string[] {
    const out: ContextEffect<Target>[] = []
    this.context.handle(input, this.nowMs, out)
    return out.map(word)
  }
  start(...targets: Target[]): string[] {
    return this.give({ kind: 'start', targets })
  }
  branch(name: string) {
    return this.context.branches.find((branch) => branch.target.name === name)!
  }
  provisional(name: string, status = 180): string[] {
    return this.give({ kind: 'provisional', branch: this.branch(name), response: responseTo(request, status) })
  }
  final(name: string, status: number): string[] {
    const response = responseTo(request, status, { toTag: name })
    return this.give({ kind: 'final', branch: this.branch(name), status, response, reason: 'status' })
  }
  lost(name: string, status: number): string[] {
    const reason = status === 408 ? 'timeout' : 'transport'
    return this.give({ kind: 'final', branch: this.branch(name), status, response: undefined, reason })
  }
  expire(atMs: number): string[] {
    const out: ContextEffect<Target>[] = []
    this.nowMs = atMs
    this.context.expire(atMs, out)
    return out.map(word)
  }
}

function word(effect: ContextEffect<Target>): string {
  switch (effect.kind) {
    case 'try':
      return `try ${effect.branch.target.name}`
    case 'cancel':
      return `cancel ${effect.branch.target.name}${effect.isAnswered ? ' answered' : ''}`
    case 'forward':
      return `forward ${effect.response.status}`
    case 'answer':
      return `answer ${effect.status}${effect.response === undefined ? ' of its own' : ''}`
    case 'ask':
      return `ask ${effect.branch.target.name} ${effect.reason} ${effect.status}`
    case 'ended':
      return 'ended'
  }
}

describe('ResponseContext', () => {
  it('RFC 3261 §16.7: one branch, its provisional responses and its answer', () => {
    const rig = new Rig()
    expect(rig.start(target('a'))).toEqual(['try a'])
    expect(rig.provisional('a', 100)).toEqual([])
    expect(rig.provisional('a')).toEqual(['forward 180'])
    expect(rig.final('a', 200)).toEqual(['forward 200', 'ended'])
  })

  it('RFC 3261 §16.6: mixed mode tries those of the same q at once, and the next when all have failed', () => {
    const rig = new Rig()
    expect(rig.start(target('c', 0.5), target('a'), target('b'))).toEqual(['try a', 'try b'])
    expect(rig.final('a', 486)).toEqual([])
    expect(rig.final('b', 404)).toEqual(['try c'])
    expect(rig.final('c', 480)).toEqual(['answer 486', 'ended'])
  })

  it('serial mode tries one at a time, those of the same q in the order given', () => {
    const rig = new Rig({ mode: 'serial' })
    expect(rig.start(target('a'), target('b'), target('c', 0.9))).toEqual(['try a'])
    expect(rig.lost('a', 408)).toEqual(['try b'])
    expect(rig.final('b', 500)).toEqual(['try c'])
    expect(rig.final('c', 302)).toEqual(['answer 302', 'ended'])
  })

  it('RFC 3261 §16.7 step 10: a 2xx cancels the others and forgets those not tried', () => {
    const rig = new Rig({ mode: 'mixed' })
    rig.start(target('a'), target('b'), target('c', 0.1))
    expect(rig.final('a', 200)).toEqual(['forward 200', 'cancel b answered'])
    expect(rig.provisional('b')).toEqual([])
    expect(rig.final('b', 487)).toEqual(['ended'])
  })

  it('RFC 3261 §16.7 step 5: every 2xx to an INVITE goes back, of another request only the first', () => {
    const invite = new Rig()
    invite.start(target('a'), target('b'))
    invite.final('a', 200)
    expect(invite.final('a', 200)).toEqual(['forward 200'])
    expect(invite.final('b', 200)).toEqual(['forward 200', 'ended'])
    const message = new Rig({ isInvite: false })
    message.start(target('a'), target('b'))
    expect(message.final('a', 200)).toEqual(['forward 200'])
    expect(message.final('b', 200)).toEqual(['ended'])
  })

  it('RFC 3261 §16.7 step 5: after a 6xx nothing is tried any more, and a 2xx still wins', () => {
    const rig = new Rig()
    rig.start(target('a'), target('b'), target('c', 0.1))
    expect(rig.final('a', 603)).toEqual(['cancel b'])
    expect(rig.final('b', 200)).toEqual(['forward 200', 'ended'])
    const other = new Rig()
    other.start(target('a'), target('b'))
    other.final('a', 600)
    expect(other.final('b', 401)).toEqual(['answer 600', 'ended'])
  })

  it('RFC 3261 §16.10: CANCEL ends what is under way; who was never tried is not', () => {
    const rig = new Rig({ mode: 'serial' })
    rig.start(target('a'), target('b'))
    expect(rig.give({ kind: 'cancel' })).toEqual(['cancel a'])
    expect(rig.give({ kind: 'cancel' })).toEqual([])
    expect(rig.final('a', 487)).toEqual(['answer 487', 'ended'])
  })

  it('RFC 3261 §16.10: a branch that answers after CANCEL is forwarded all the same', () => {
    const rig = new Rig()
    rig.start(target('a'), target('b'))
    rig.give({ kind: 'cancel' })
    expect(rig.final('b', 200)).toEqual(['forward 200'])
    expect(rig.final('a', 487)).toEqual(['ended'])
  })

  it('a branch that stays silent after CANCEL gives 487, not 408', () => {
    const rig = new Rig()
    rig.start(target('a'))
    rig.give({ kind: 'cancel' })
    expect(rig.lost('a', 408)).toEqual(['answer 487 of its own', 'ended'])
  })

  it('no target gives 480; what could not be sent counts as 503, which goes back as 500', () => {
    expect(new Rig().start()).toEqual(['answer 480 of its own', 'ended'])
    const rig = new Rig()
    rig.start(target('a'))
    expect(rig.lost('a', 503)).toEqual(['answer 500 of its own', 'ended'])
  })

  it('RFC 3261 §16.8: timer C ends a branch that only rings, and starts again with each sign of progress', () => {
    const rig = new Rig({ timerCMs: 200_000 })
    rig.start(target('a'))
    expect(rig.context.deadline()).toBe(200_000)
    rig.nowMs = 150_000
    rig.provisional('a', 183)
    rig.provisional('a', 100)
    expect(rig.context.deadline()).toBe(350_000)
    expect(rig.expire(350_000)).toEqual(['cancel a', 'answer 408 of its own', 'ended'])
    expect(rig.context.deadline()).toBe(never)
  })

  it('a target that takes too long is given up and the next one tried; its late 2xx still wins', () => {
    const rig = new Rig({ mode: 'serial', branchTimeoutMs: 5_000 })
    rig.start(target('a'), target('b'))
    rig.provisional('a')
    expect(rig.expire(5_000)).toEqual(['cancel a', 'try b'])
    expect(rig.provisional('a')).toEqual([])
    expect(rig.final('a', 200)).toEqual(['forward 200', 'cancel b answered'])
    expect(rig.final('b', 487)).toEqual(['ended'])
  })

  it('a failure hook is asked once for each failure, and what it gives is tried', () => {
    const rig = new Rig({ asks: true })
    rig.start(target('a'))
    expect(rig.final('a', 503)).toEqual(['ask a status 503'])
    expect(rig.give({ kind: 'more', targets: [target('b')] })).toEqual(['try b'])
    expect(rig.lost('b', 408)).toEqual(['ask b timeout 408'])
    expect(rig.give({ kind: 'more', targets: [] })).toEqual(['answer 408 of its own', 'ended'])
  })

  it('what a hook gives after CANCEL is not tried', () => {
    const rig = new Rig({ asks: true })
    rig.start(target('a'))
    rig.final('a', 503)
    expect(rig.give({ kind: 'cancel' })).toEqual(['answer 500', 'ended'])
    expect(rig.give({ kind: 'more', targets: [target('b')] })).toEqual([])
  })

  it('RFC 3261 §16.7 step 4: contacts of a redirection take its place', () => {
    const rig = new Rig()
    rig.start(target('a'))
    expect(rig.give({ kind: 'redirected', branch: rig.branch('a'), targets: [target('b')] })).toEqual(['try b'])
    expect(rig.final('b', 404)).toEqual(['answer 404', 'ended'])
  })

  it('RFC 5393 §5.3.3: branches share Max-Breadth, and wait for it when there are more of them', () => {
    const rig = new Rig({ breadth: 7, mode: 'parallel' })
    rig.start(target('a'), target('b'), target('c'))
    expect(rig.context.branches.map(({ breadth }) => breadth)).toEqual([3, 2, 2])
    const narrow = new Rig({ breadth: 2, mode: 'parallel' })
    expect(narrow.start(target('a'), target('b'), target('c'))).toEqual(['try a', 'try b'])
    expect(narrow.final('b', 486)).toEqual(['try c'])
    const none = new Rig({ breadth: 0 })
    expect(none.start(target('a'))).toEqual(['answer 440 of its own', 'ended'])
  })

  it('takes no more targets than its limit', () => {
    const rig = new Rig({ targetsMax: 2, mode: 'parallel' })
    expect(rig.start(target('a'), target('b'), target('c'))).toEqual(['try a', 'try b'])
  })
})

describe('BestResponse', () => {
  const best = (...statuses: number[]) => {
    const kept = new BestResponse()
    for (const status of statuses) kept.offer(status, responseTo(request, status, { toTag: 't' }))
    return kept.choose().status
  }

  it('RFC 3261 §16.7 step 6: 6xx before all, then the lowest class, what helps to ask again first in it', () => {
    expect(best(404, 603, 302)).toBe(603)
    expect(best(500, 404, 302)).toBe(302)
    expect(best(404, 407, 486)).toBe(407)
    expect(best(408, 487, 486)).toBe(486)
    expect(best(503, 501)).toBe(501)
    expect(best(503)).toBe(500)
    expect(best(486, 404)).toBe(486)
  })

  it('RFC 3261 §16.7 step 7: brings the challenges of every branch along, and no Retry-After of a 503', () => {
    const kept = new BestResponse()
    const challenged = (status: number, name: string, realm: string) =>
      responseTo(request, status, { toTag: realm, headers: [[name, `Digest realm="${realm}", nonce="n"`]] })
    kept.offer(401, challenged(401, 'WWW-Authenticate', 'one'))
    kept.offer(407, challenged(407, 'Proxy-Authenticate', 'two'))
    kept.offer(401, challenged(401, 'WWW-Authenticate', 'three'))
    const { response } = kept.choose()
    expect(response?.getAll('WWW-Authenticate').map((value) => /realm="(\w+)"/.exec(value)?.[1])).toEqual([
      'one',
      'three',
    ])
    expect(response?.getAll('Proxy-Authenticate')).toHaveLength(1)
    const busy = new BestResponse()
    busy.offer(503, responseTo(request, 503, { toTag: 't', headers: [['Retry-After', 30]] }))
    expect(busy.choose().response?.has('Retry-After')).toBe(false)
  })
})
