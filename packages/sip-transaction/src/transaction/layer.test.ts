import { responseTo, type SipRequest } from '@carillon/sip-parser'
import { describe, expect, it } from 'vitest'
import { SipUsageError } from '../errors'
import { LayerHarness } from '../testing/layer-harness'
import { sampleFlow, sampleRequest } from '../testing/sample-messages'
import { stampReceived } from '../transport/via'
import { serverKey } from './key'

/** Requests that have nothing in common but their sender. */
function requests(method: string, count: number): SipRequest[] {
  return Array.from({ length: count }, (_, index) =>
    sampleRequest({ method, branch: `z9hG4bK-${method}-${index}`, callId: `${method}-${index}` }),
  )
}

describe('TransactionLayer: matching', () => {
  it('RFC 3261 §17.2.3: the same branch of another sender or with another method is another transaction', () => {
    const h = new LayerHarness()
    h.receive(sampleRequest({ method: 'OPTIONS', callId: 'a' }))
    h.receive(sampleRequest({ method: 'OPTIONS', callId: 'b', sentBy: '192.0.2.1:5062' }))
    h.receive(sampleRequest({ method: 'OPTIONS', callId: 'c', sentBy: 'other.example.com' }))
    h.receive(sampleRequest({ method: 'INFO', callId: 'd' }))
    expect(h.takeKinds()).toEqual(['request', 'request', 'request', 'request'])
    h.receive(sampleRequest({ method: 'OPTIONS', callId: 'a' }))
    expect(h.takeKinds()).toEqual([])
  })

  it('RFC 3261 §17.2.3: a request with the same sent-by from elsewhere is another transaction; NAT may change the port', () => {
    const h = new LayerHarness()
    const headers = { method: 'OPTIONS', sentBy: 'phone.example.com' }
    const from = (address: string, port: number) =>
      stampReceived(sampleRequest(headers), { transport: 'UDP', address, port })
    const flow = (id: number, address: string, port: number) =>
      sampleFlow({ id, remote: { transport: 'UDP', address, port } })
    const first = h.begin(from('192.0.2.1', 5060))
    h.respond(first, responseTo(from('192.0.2.1', 5060), 200, { toTag: 'us' }))
    h.takeKinds()
    h.receive(from('192.0.2.1', 40_000), flow(2, '192.0.2.1', 40_000))
    const [repeated] = h.take('send')
    expect(repeated?.destination).toEqual({ kind: 'flow', flow: h.flow })
    h.receive(from('198.51.100.1', 5060), flow(3, '198.51.100.1', 5060))
    const [merged] = h.take('send')
    expect(merged?.destination).toMatchObject({ flow: { id: 3 } })
    expect(Buffer.from(merged?.bytes ?? []).toString()).toMatch(/^SIP\/2.0 482 /)
    expect(h.layer.isKnownRequest(from('192.0.2.1', 9), flow(9, '192.0.2.1', 9))).toBe(true)
    expect(h.layer.isKnownRequest(from('203.0.113.9', 9), flow(9, '203.0.113.9', 9))).toBe(false)
  })

  it('RFC 3261 §17.2.3: absent and default port of sent-by, and the case of its host, are the same', () => {
    const h = new LayerHarness()
    h.receive(sampleRequest({ sentBy: 'Host.example.com' }))
    h.receive(sampleRequest({ sentBy: 'host.EXAMPLE.com:5060' }))
    expect(h.takeKinds()).toEqual(['request'])
  })

  it.each(['', 'oldstyle', 'z9hG4bK'])('RFC 3261 §17.2.3: matches peers of RFC 2543, branch "%s"', (branch) => {
    const h = new LayerHarness()
    const invite = sampleRequest({ branch })
    const id = h.begin(invite)
    h.receive(invite)
    expect(h.out).toEqual([])
    h.receive(sampleRequest({ branch, method: 'CANCEL' }))
    expect(h.take('cancelled')).toHaveLength(1)
    h.respond(id, responseTo(invite, 487, { toTag: 'us' }))
    expect(h.takeLines()).toEqual([200, 487])
    h.receive(sampleRequest({ branch, method: 'ACK', toTag: 'us' }))
    expect(h.layer.stateOf(id)).toBe('confirmed')
    const other = sampleRequest({ branch, cseq: 2, callId: 'other' })
    h.receive(other)
    h.receive(sampleRequest({ branch, cseq: 3, callId: 'other' }))
    expect(h.take('request')).toHaveLength(2)
  })

  it('finds a transaction by a branch of any length, at a bounded cost', () => {
    const h = new LayerHarness()
    const long = sampleRequest({ method: 'OPTIONS', branch: `z9hG4bK${'x'.repeat(2000)}` })
    h.receive(long)
    h.receive(long)
    expect(h.takeKinds()).toEqual(['request'])
    expect(serverKey(long, '').length).toBeLessThan(64)
    expect(serverKey(sampleRequest({ method: 'OPTIONS', branch: `z9hG4bK${'x'.repeat(2001)}` }), '')).not.toBe(
      serverKey(long, ''),
    )
  })

  it('RFC 3261 §13.2.2.4: an ACK of no transaction goes to the TU, and gets no answer', () => {
    const h = new LayerHarness()
    const ack = sampleRequest({ method: 'ACK', toTag: 'us' })
    h.receive(ack)
    expect(h.out).toEqual([{ kind: 'ack', request: ack, flow: h.flow }])
    expect(h.layer.counts.total).toBe(0)
  })

  it('a response of no transaction goes to the TU as stray', () => {
    const h = new LayerHarness()
    const response = responseTo(sampleRequest(), 200)
    h.receive(response)
    expect(h.out).toEqual([{ kind: 'stray-response', response, flow: h.flow }])
  })

  it('refuses requests that it cannot send', () => {
    const h = new LayerHarness()
    expect(() => h.send(sampleRequest({ method: 'ACK' }))).toThrow(SipUsageError)
    expect(() => h.send(sampleRequest({ method: 'CANCEL' }))).toThrow(SipUsageError)
    expect(() => h.send(sampleRequest({ branch: '' }))).toThrow(SipUsageError)
    h.send(sampleRequest())
    expect(() => h.send(sampleRequest())).toThrow(expect.objectContaining({ code: 'BRANCH_INVALID' }))
    expect(h.layer.counts.total).toBe(1)
  })
})

describe('TransactionLayer: merged requests', () => {
  it('RFC 3261 §8.2.2.2: the same request by another way is answered 482, and its ACK absorbed', () => {
    const h = new LayerHarness()
    h.begin(sampleRequest())
    const copy = sampleRequest({ branch: 'z9hG4bKother-way' })
    h.receive(copy)
    expect(h.takeLines()).toEqual([482])
    h.receive(copy)
    expect(h.takeLines()).toEqual([482])
    h.receive(sampleRequest({ branch: 'z9hG4bKother-way', method: 'ACK', toTag: 'x' }))
    h.advance(6000)
    expect(h.takeKinds().filter((kind) => kind !== 'send')).toEqual([])
    expect(h.layer.counters.merged).toBe(1)
    expect(h.layer.counts.inviteServer).toBe(1)
  })

  it('RFC 3261 §8.2.2.2: within a dialog, with another CSeq or From tag, or once the first is gone, it is none', () => {
    const h = new LayerHarness()
    const id = h.begin(sampleRequest({ method: 'OPTIONS' }))
    h.begin(sampleRequest({ method: 'OPTIONS', branch: 'z9hG4bK2', toTag: 'us' }))
    h.begin(sampleRequest({ method: 'OPTIONS', branch: 'z9hG4bK3', cseq: 2 }))
    h.begin(sampleRequest({ method: 'OPTIONS', branch: 'z9hG4bK4', fromTag: 'carol' }))
    h.respond(id, responseTo(sampleRequest({ method: 'OPTIONS' }), 200, { toTag: 'us' }))
    h.advance(32_000)
    h.begin(sampleRequest({ method: 'OPTIONS', branch: 'z9hG4bK5' }))
    expect(h.layer.counters.merged).toBe(0)
  })
})

describe('TransactionLayer: caps', () => {
  it('answers 503 with Retry-After over the cap and keeps nothing of it', () => {
    const h = new LayerHarness({ limits: { transactionsMax: 8, transactionRetryAfterSeconds: 7 } })
    const all = requests('OPTIONS', 10)
    for (const request of all) h.receive(request)
    expect(h.take('request')).toHaveLength(8)
    const [refused] = h.takeSent()
    expect(refused?.kind === 'response' && refused.status).toBe(503)
    expect(refused?.retryAfter?.seconds).toBe(7)
    expect(refused?.to.tag).toBeDefined()
    expect(h.layer.counts.total).toBe(8)
    expect(h.layer.counters.overloaded).toBe(2)
  })

  it('still lets calls be ended over the cap: requests in dialogs, CANCEL and our own', () => {
    const h = new LayerHarness({ limits: { transactionsMax: 8 } })
    const [invite = sampleRequest()] = requests('INVITE', 1)
    h.begin(invite)
    for (const request of requests('OPTIONS', 7)) h.receive(request)
    h.take('request')
    h.receive(sampleRequest({ method: 'BYE', branch: 'z9hG4bKbye', toTag: 'us' }))
    expect(h.take('request')).toHaveLength(1)
    const id = h.send(sampleRequest({ branch: 'z9hG4bKmine' }))
    expect(h.takeKinds()).toEqual(['failed', 'terminated'])
    expect(h.layer.stateOf(id)).toBeUndefined()
    expect(h.layer.counters.refused).toBe(1)
    const roomy = new LayerHarness({ limits: { transactionsMax: 8 } })
    for (const request of requests('OPTIONS', 8)) roomy.receive(request)
    roomy.takeKinds()
    roomy.send(sampleRequest({ branch: 'z9hG4bKmine' }))
    expect(roomy.takeLines()).toEqual(['INVITE'])
  })

  it('forgets the oldest finished transactions first, and counts them', () => {
    const h = new LayerHarness({ limits: { finishedTransactionsMax: 3 } })
    const all = requests('OPTIONS', 5)
    const ids = all.map((request) => h.begin(request))
    all.forEach((request, index) => {
      h.respond(ids[index] ?? 0, responseTo(request, 200, { toTag: 'us' }))
    })
    expect(h.take('terminated').map((effect) => effect.transactionId)).toEqual([ids[0], ids[1]])
    expect(h.layer.counts).toMatchObject({ total: 3, finished: 3 })
    expect(h.layer.counters.forgotten).toBe(2)
    h.advance(32_000)
    expect(h.layer.counts).toMatchObject({ total: 0, finished: 0, bytes: 0 })
    expect(h.layer.deadline()).toBe(Number.POSITIVE_INFINITY)
  })

  it('bounds the bytes that transactions keep: finished ones go first, then new requests get 503', () => {
    const padding = 'x'.repeat(1000)
    const big = (index: number) =>
      sampleRequest({
        method: 'MESSAGE',
        branch: `z9hG4bKbig${index}`,
        callId: `${index}`,
        headers: [['Subject', padding]],
      })
    const h = new LayerHarness({ limits: { transactionBytesMax: 5000 } })
    const first = h.begin(big(0))
    h.respond(first, responseTo(big(0), 200, { toTag: 'us', headers: [['Subject', padding]] }))
    for (let index = 1; index < 8; index += 1) h.receive(big(index))
    expect(h.layer.stateOf(first)).toBeUndefined()
    expect(h.layer.counts.bytes).toBeLessThan(7000)
    expect(h.layer.counters.overloaded).toBeGreaterThan(0)
    h.advance(32_000)
    expect(h.layer.counts).toMatchObject({ total: 0, bytes: 0 })
  })

  it('a finished transaction keeps its last response and not its request', () => {
    const h = new LayerHarness()
    const request = sampleRequest({ method: 'MESSAGE', headers: [['Subject', 'x'.repeat(5000)]] })
    const id = h.begin(request)
    expect(h.layer.counts.bytes).toBeGreaterThan(5000)
    h.respond(id, responseTo(request, 200, { toTag: 'us' }))
    expect(h.layer.counts.bytes).toBe(h.take('send')[0]?.bytes.length)
  })

  it('a thousand INVITEs that are never acknowledged are gone after timer H', () => {
    const h = new LayerHarness()
    for (const request of requests('INVITE', 1000))
      h.respond(h.begin(request), responseTo(request, 401, { toTag: 'us' }))
    h.advance(32_000)
    expect(h.layer.counts).toMatchObject({ total: 0, finished: 0, bytes: 0 })
    expect(h.layer.counters.invariantsBroken).toBe(0)
  })
})

describe('TransactionLayer: time', () => {
  it('catches up in due order after a pause longer than every timer', () => {
    const h = new LayerHarness()
    const client = h.send(sampleRequest({ branch: 'z9hG4bKa' }))
    const server = h.begin(sampleRequest({ branch: 'z9hG4bKb', callId: 'b' }))
    h.takeKinds()
    h.nowMs = 100_000
    h.layer.expire(h.nowMs, h.out)
    expect(h.layer.stateOf(client)).toBeUndefined()
    expect(h.layer.stateOf(server)).toBe('proceeding')
    expect(h.takeKinds()).toEqual(['send', 'send', 'failed', 'terminated'])
  })

  it('fires so many timers at most, and says whether any are left', () => {
    const h = new LayerHarness()
    for (const request of requests('OPTIONS', 100)) h.respond(h.begin(request), responseTo(request, 200))
    for (const request of requests('INVITE', 100)) h.respond(h.begin(request), responseTo(request, 486))
    h.takeKinds()
    let rounds = 1
    while (h.layer.expire(40_000, h.out, 32)) {
      rounds += 1
      expect(h.layer.deadline()).toBeLessThanOrEqual(40_000)
    }
    expect(h.layer.counts.total).toBe(0)
    expect(rounds).toBeGreaterThan(3)
  })

  it('uses the flow of the request for everything it sends back', () => {
    const flow = sampleFlow({ id: 77 })
    const h = new LayerHarness()
    const request = sampleRequest()
    h.respond(h.begin(request, flow), responseTo(request, 486, { toTag: 'us' }))
    h.receive(request, sampleFlow({ id: 78 }))
    expect(h.take('send').map((effect) => effect.destination.kind === 'flow' && effect.destination.flow.id)).toEqual([
      77, 77,
    ])
  })
})
