import { createRequest, type HeaderInit, type SipRequest } from '@carillon/sip-parser'
import { describe, expect, it } from 'vitest'
import { SeededRandom } from '../testing'
import type { EventPackage } from './event-package'
import { EventStateTable } from './event-state-table'

const words: EventPackage<string> = {
  name: 'word',
  contentType: 'text/plain',
  expiresSeconds: 600,
  forks: 'one',
  read: (body) => (body[0] === 0x21 ? { ok: false, reason: 'no' } : { ok: true, state: Buffer.from(body).toString() }),
  write: (state) => state,
}

function publish(body: string, headers: readonly HeaderInit[] = [['Event', 'word']]): SipRequest {
  return createRequest({
    method: 'PUBLISH',
    uri: 'sip:a@example.com',
    headers: [
      ['Via', 'SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKx'],
      ['Max-Forwards', 70],
      ['From', '<sip:a@example.com>;tag=1'],
      ['To', '<sip:a@example.com>'],
      ['Call-ID', 'x'],
      ['CSeq', '1 PUBLISH'],
      ...headers,
    ],
    ...(body === '' ? {} : { body, contentType: 'text/plain' }),
  })
}

const event: HeaderInit = ['Event', 'word']
const tagOf = (result: { headers: readonly HeaderInit[] }) =>
  String(result.headers.find(([name]) => name === 'SIP-ETag')?.[1])
const table = (limits = {}) => new EventStateTable(words, new SeededRandom(1), limits)

describe('EventStateTable', () => {
  it('RFC 3903 §6: gives a new entity tag each time, and takes only the newest', () => {
    const states = table()
    const first = states.apply('a', publish('one'), 0)
    expect(first).toMatchObject({ status: 200, hasChanged: true })
    const refresh = states.apply('a', publish('', [event, ['SIP-If-Match', tagOf(first)]]), 1_000)
    expect(refresh).toMatchObject({ status: 200, hasChanged: false })
    expect(tagOf(refresh)).not.toBe(tagOf(first))
    expect(states.apply('a', publish('', [event, ['SIP-If-Match', tagOf(first)]]), 2_000).status).toBe(412)
    expect(states.apply('b', publish('x', [event, ['SIP-If-Match', tagOf(refresh)]]), 2_000).status).toBe(412)
    states.apply('a', publish('two'), 3_000)
    expect(states.states('a', 3_000)).toEqual(['two', 'one'])
    const removed = states.apply('a', publish('', [event, ['SIP-If-Match', tagOf(refresh)], ['Expires', 0]]), 4_000)
    expect(removed).toMatchObject({ status: 200, hasChanged: true })
    expect(states.states('a', 4_000)).toEqual(['two'])
  })

  it.each<[string, SipRequest, number]>([
    ['another package', publish('x', [['Event', 'other']]), 489],
    ['no package', publish('x', []), 489],
    ['no body', publish(''), 400],
    ['a body that cannot be read', publish('!'), 400],
    ['another type', publish('x', [event, ['Content-Type', 'image/png']]), 415],
    ['a tag that nobody has', publish('x', [event, ['SIP-If-Match', 'none']]), 412],
    ['too short a life', publish('x', [event, ['Expires', 5]]), 423],
    ['too long a body', publish('x'.repeat(20_000)), 413],
    ['an Expires that is none', publish('x', [event, ['Expires', 'soon']]), 400],
  ])('refuses %s', (what, request, status) => {
    const states = table()
    const body = what === 'another type' ? publish('', [event, ['Content-Type', 'image/png']]) : request
    const result = states.apply('a', what === 'another type' ? withBody(body) : request, 0)
    expect([result.status, states.size]).toEqual([status, 0])
  })

  it('forgets what has expired, and says whose state that changes', () => {
    const states = table()
    states.apply('a', publish('one', [event, ['Expires', 60]]), 0)
    states.apply('b', publish('two', [event, ['Expires', 90]]), 0)
    expect(states.deadline()).toBe(60_000)
    expect(states.states('a', 60_000)).toEqual([])
    const out: string[] = []
    states.expire(89_999, out)
    expect([out, states.size]).toEqual([['a'], 1])
    states.expire(90_000, out)
    expect([out, states.size, states.deadline()]).toEqual([['a', 'b'], 0, Number.POSITIVE_INFINITY])
  })

  it('has a cap for one resource and for all', () => {
    const states = table({ publicationsMax: 5, publicationsPerResourceMax: 2 })
    const statuses = ['a', 'a', 'a', 'b', 'b', 'c', 'd'].map(
      (resource) => states.apply(resource, publish('x'), 0).status,
    )
    expect(statuses).toEqual([200, 200, 403, 200, 200, 200, 503])
    expect(states.size).toBe(5)
  })

  it('Expires 0 with a body and without a tag is answered and kept by nobody', () => {
    const states = table()
    expect(states.apply('a', publish('x', [event, ['Expires', 0]]), 0)).toMatchObject({
      status: 200,
      hasChanged: false,
    })
    expect(states.size).toBe(0)
  })
})

/** A PUBLISH with a body of a type that the package does not know. */
function withBody(request: SipRequest): SipRequest {
  return createRequest({
    method: 'PUBLISH',
    uri: request.uri,
    headers: [
      ['Via', 'SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKx'],
      ['Max-Forwards', 70],
      ['From', '<sip:a@example.com>;tag=1'],
      ['To', '<sip:a@example.com>'],
      ['Call-ID', 'x'],
      ['CSeq', '1 PUBLISH'],
      event,
    ],
    body: 'x',
    contentType: 'image/png',
  })
}
