import { responseTo } from '@carillon/sip-parser'
import { describe, expect, it } from 'vitest'
import { LayerHarness } from '../testing/layer-harness'
import { sampleFlow, sampleRequest } from '../testing/sample-messages'

const OPTIONS = sampleRequest({ method: 'OPTIONS' })
const OK = responseTo(OPTIONS, 200, { toTag: 'us' })

describe('non-INVITE client transaction', () => {
  it('RFC 3261 §17.1.2.2: doubles timer E up to T2 until timer F fails it', () => {
    const h = new LayerHarness()
    const id = h.send(OPTIONS)
    const times = [0, 500, 1500, 3500, 7500, 11_500, 15_500, 19_500, 23_500, 27_500, 31_500]
    expect(h.sendTimes(31_999)).toEqual(times)
    h.advance(1)
    expect(h.out).toEqual([
      { kind: 'failed', transactionId: id, reason: 'timeout' },
      { kind: 'terminated', transactionId: id },
    ])
  })

  it('RFC 3261 §17.1.2.2: after a provisional response it retransmits every T2', () => {
    const h = new LayerHarness()
    h.send(OPTIONS)
    h.advance(600)
    h.answer(OPTIONS, 100)
    h.take('send')
    expect(h.sendTimes(31_000)).toEqual([1500, 5500, 9500, 13_500, 17_500, 21_500, 25_500, 29_500])
    h.advance(400)
    expect(h.take('failed')).toHaveLength(1)
  })

  it('RFC 3261 §17.1.2.2: passes the final response up once and absorbs the rest until timer K', () => {
    const h = new LayerHarness()
    const id = h.send(OPTIONS)
    h.answer(OPTIONS, 404)
    h.answer(OPTIONS, 404)
    h.answer(OPTIONS, 200)
    h.answer(OPTIONS, 100)
    expect(h.takeKinds()).toEqual(['send', 'response'])
    h.advance(4999)
    expect(h.layer.stateOf(id)).toBe('completed')
    h.advance(1)
    expect(h.takeKinds()).toEqual(['terminated'])
    h.answer(OPTIONS, 404)
    expect(h.takeKinds()).toEqual(['stray-response'])
  })

  it('RFC 3261 §17.1.2.2: sends once and does not linger on a reliable flow', () => {
    const h = new LayerHarness({}, sampleFlow({ isReliable: true }))
    h.send(OPTIONS)
    expect(h.sendTimes(31_000)).toEqual([0])
    h.answer(OPTIONS, 200)
    expect(h.takeKinds()).toEqual(['response', 'terminated'])
    expect(h.layer.deadline()).toBe(Number.POSITIVE_INFINITY)
  })

  it('RFC 3261 §17.1.4: a transport error fails it at any time before the final response', () => {
    const h = new LayerHarness()
    const id = h.send(OPTIONS)
    h.answer(OPTIONS, 100)
    h.takeKinds()
    h.layer.transportError(id, 0, h.out)
    expect(h.out[0]).toEqual({ kind: 'failed', transactionId: id, reason: 'transport' })
    const other = h.send(OPTIONS)
    h.answer(OPTIONS, 200)
    h.takeKinds()
    h.layer.transportError(other, 0, h.out)
    expect(h.out).toEqual([])
  })

  it('RFC 3261 §17.1.3: a response matches by branch and CSeq method', () => {
    const h = new LayerHarness()
    h.send(OPTIONS)
    h.takeKinds()
    h.receive(responseTo(sampleRequest({ method: 'INFO' }), 200))
    h.receive(responseTo(sampleRequest({ method: 'OPTIONS', branch: 'z9hG4bKforeign' }), 200))
    h.receive(responseTo(sampleRequest({ method: 'OPTIONS', branch: '' }), 200))
    expect(h.takeKinds()).toEqual(['stray-response', 'stray-response', 'stray-response'])
  })
})

describe('non-INVITE server transaction', () => {
  it('RFC 3261 §17.2.2: answers retransmissions with the same bytes until timer J', () => {
    const h = new LayerHarness()
    const id = h.begin(OPTIONS)
    h.receive(OPTIONS)
    expect(h.out).toEqual([])
    expect(h.respond(id, OK)).toBe(true)
    h.receive(OPTIONS)
    const sends = h.take('send')
    expect(sends).toHaveLength(2)
    expect(sends[1]?.bytes).toEqual(sends[0]?.bytes)
    h.advance(32_000)
    expect(h.takeKinds()).toEqual(['terminated'])
    h.receive(OPTIONS)
    expect(h.takeKinds()).toEqual(['request'])
  })

  it('RFC 3261 §17.2.2: a second answer is refused and not sent', () => {
    const h = new LayerHarness()
    const id = h.begin(OPTIONS)
    h.respond(id, OK)
    h.takeKinds()
    expect(h.respond(id, responseTo(OPTIONS, 500))).toBe(false)
    expect(h.respond(99, OK)).toBe(false)
    expect(h.out).toEqual([])
  })

  it('RFC 3261 §17.2.2: is gone at once on a reliable flow', () => {
    const h = new LayerHarness({}, sampleFlow({ isReliable: true }))
    const id = h.begin(OPTIONS)
    h.respond(id, OK)
    expect(h.takeKinds()).toEqual(['send', 'terminated'])
    expect(h.layer.counts).toMatchObject({ total: 0, finished: 0, bytes: 0 })
  })

  it('RFC 4320 §4.1: answers 100 by itself when timer E of the client stands at T2, and not before', () => {
    const h = new LayerHarness()
    const id = h.begin(OPTIONS)
    expect(h.respond(id, responseTo(OPTIONS, 100))).toBe(false)
    expect(h.sendTimes(3499)).toEqual([])
    expect(h.sendTimes(1)).toEqual([3500])
    h.receive(OPTIONS)
    expect(h.takeLines()).toEqual([100])
    h.respond(id, OK)
    expect(h.takeLines()).toEqual([200])
  })

  it('RFC 4320 §4.1: lets the TU answer 100 on a reliable flow, and no other provisional anywhere', () => {
    const h = new LayerHarness({}, sampleFlow({ isReliable: true }))
    const id = h.begin(OPTIONS)
    expect(h.respond(id, responseTo(OPTIONS, 183))).toBe(false)
    expect(h.respond(id, responseTo(OPTIONS, 100))).toBe(true)
    expect(h.takeLines()).toEqual([100])
  })

  it('RFC 4320 §4.2: never sends 408', () => {
    const h = new LayerHarness()
    const id = h.begin(OPTIONS)
    expect(h.respond(id, responseTo(OPTIONS, 408))).toBe(true)
    expect(h.takeKinds()).toEqual(['terminated'])
    expect(h.layer.counts.total).toBe(0)
  })

  it('RFC 4320 §4.2: a TU that does not answer within 64·T1 is told, and nothing is kept', () => {
    const h = new LayerHarness()
    const id = h.begin(OPTIONS)
    h.advance(31_999)
    expect(h.takeLines()).toEqual([100])
    h.advance(1)
    expect(h.takeKinds()).toEqual(['failed', 'terminated'])
    expect(h.respond(id, OK)).toBe(false)
    expect(h.layer.counts.total).toBe(0)
  })

  it('RFC 3261 §17.2.4: a final response that cannot be sent ends it', () => {
    const h = new LayerHarness()
    const id = h.begin(OPTIONS)
    h.layer.transportError(id, 0, h.out)
    h.respond(id, OK)
    h.layer.transportError(id, 0, h.out)
    expect(h.takeKinds()).toEqual(['send', 'failed', 'terminated'])
  })

  it('RFC 3261 §18.2.2: without rport the answer goes to the port of sent-by, and with a lost connection to its host', () => {
    const udp = new LayerHarness()
    const flow = sampleFlow({ remote: { transport: 'UDP', address: '192.0.2.1', port: 40_000 } })
    udp.respond(udp.begin(OPTIONS, flow), OK)
    expect(udp.take('send')[0]?.destination).toEqual({
      kind: 'address',
      address: { transport: 'UDP', address: '192.0.2.1', port: 5060 },
    })
    const connection = { ...sampleFlow({ isReliable: true }), isOpen: true }
    const tcp = new LayerHarness({}, connection)
    const id = tcp.begin(OPTIONS)
    connection.isOpen = false
    tcp.respond(id, OK)
    expect(tcp.take('send')[0]?.destination).toEqual({
      kind: 'address',
      address: { transport: 'TCP', address: '192.0.2.1', port: 5060 },
    })
  })
})
