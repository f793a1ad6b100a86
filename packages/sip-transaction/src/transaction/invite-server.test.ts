import { responseTo } from '@carillon/sip-parser'
import { describe, expect, it } from 'vitest'
import { LayerHarness } from '../testing/layer-harness'
import { sampleFlow, sampleRequest } from '../testing/sample-messages'

const INVITE = sampleRequest()
const ACK = sampleRequest({ method: 'ACK', toTag: 'us' })
const CANCEL = sampleRequest({ method: 'CANCEL' })

const answer = (status: number) => responseTo(INVITE, status, { toTag: 'us' })

describe('INVITE server transaction', () => {
  it('RFC 3261 §17.2.1: answers 100 when the TU is silent for 200 ms, and repeats the last provisional', () => {
    const h = new LayerHarness()
    const id = h.begin(INVITE)
    h.receive(INVITE)
    expect(h.sendTimes(199)).toEqual([])
    expect(h.sendTimes(1)).toEqual([200])
    h.receive(INVITE)
    expect(h.takeLines()).toEqual([100])
    h.respond(id, answer(180))
    h.respond(id, answer(183))
    h.receive(INVITE)
    expect(h.takeLines()).toEqual([180, 183, 183])
  })

  it('RFC 3261 §17.2.1: sends no 100 when the TU answers in time', () => {
    const h = new LayerHarness()
    h.respond(h.begin(INVITE), answer(180))
    h.advance(60_000)
    expect(h.takeLines()).toEqual([180])
    expect(h.layer.deadline()).toBe(Number.POSITIVE_INFINITY)
  })

  it('RFC 3261 §17.2.1: repeats a failure at T1, doubling to T2, until timer H fails it', () => {
    const h = new LayerHarness()
    const id = h.begin(INVITE)
    h.respond(id, answer(486))
    const times = [0, 500, 1500, 3500, 7500, 11_500, 15_500, 19_500, 23_500, 27_500, 31_500]
    expect(h.sendTimes(31_999)).toEqual(times)
    h.advance(1)
    expect(h.out).toEqual([
      { kind: 'failed', transactionId: id, reason: 'timeout' },
      { kind: 'terminated', transactionId: id },
    ])
  })

  it('RFC 3261 §17.2.1: ACK ends the repetition; further ACKs are absorbed until timer I', () => {
    const h = new LayerHarness()
    const id = h.begin(INVITE)
    h.respond(id, answer(486))
    h.receive(INVITE)
    expect(h.takeLines()).toEqual([486, 486])
    h.receive(ACK)
    h.receive(ACK)
    h.receive(INVITE)
    h.advance(4999)
    expect(h.out).toEqual([])
    expect(h.layer.stateOf(id)).toBe('confirmed')
    h.advance(1)
    expect(h.takeKinds()).toEqual(['terminated'])
  })

  it('RFC 3261 §17.2.1: on a reliable flow a failure is sent once, waits for ACK, and is gone with it', () => {
    const h = new LayerHarness({}, sampleFlow({ isReliable: true }))
    const id = h.begin(INVITE)
    h.respond(id, answer(486))
    expect(h.sendTimes(31_000)).toEqual([0])
    expect(h.layer.stateOf(id)).toBe('completed')
    h.receive(ACK)
    expect(h.takeKinds()).toEqual(['terminated'])
  })

  it('RFC 6026 §8.5: after a 2xx absorbs the INVITE, sends further 2xx of the TU, and passes ACKs up, until timer L', () => {
    const h = new LayerHarness()
    const id = h.begin(INVITE)
    expect(h.respond(id, answer(200))).toBe(true)
    h.receive(INVITE)
    expect(h.takeLines()).toEqual([200])
    expect(h.respond(id, answer(200))).toBe(true)
    expect(h.takeLines()).toEqual([200])
    expect(h.respond(id, answer(486))).toBe(false)
    expect(h.respond(id, answer(180))).toBe(false)
    h.receive(ACK)
    h.receive(sampleRequest({ method: 'ACK', branch: 'z9hG4bKack', toTag: 'us' }))
    expect(h.takeKinds()).toEqual(['ack', 'ack'])
    expect(h.sendTimes(31_999)).toEqual([])
    expect(h.layer.stateOf(id)).toBe('accepted')
    h.advance(1)
    expect(h.takeKinds()).toEqual(['terminated'])
  })

  it('a late failure after a failure is refused', () => {
    const h = new LayerHarness()
    const id = h.begin(INVITE)
    h.respond(id, answer(486))
    h.takeKinds()
    expect(h.respond(id, answer(500))).toBe(false)
    expect(h.respond(id, answer(200))).toBe(false)
    expect(h.out).toEqual([])
  })

  it('RFC 3261 §17.2.4: a failure that cannot be sent ends it; a lost provisional or 2xx does not', () => {
    const h = new LayerHarness()
    const id = h.begin(INVITE)
    h.respond(id, answer(180))
    h.layer.transportError(id, 0, h.out)
    expect(h.layer.stateOf(id)).toBe('proceeding')
    h.respond(id, answer(486))
    h.takeKinds()
    h.layer.transportError(id, 0, h.out)
    expect(h.takeKinds()).toEqual(['failed', 'terminated'])
    const accepted = h.begin(INVITE)
    h.respond(accepted, answer(200))
    h.layer.transportError(accepted, 0, h.out)
    expect(h.layer.stateOf(accepted)).toBe('accepted')
  })

  it('an ACK before any final response changes nothing', () => {
    const h = new LayerHarness()
    const id = h.begin(INVITE)
    h.receive(ACK)
    expect(h.layer.stateOf(id)).toBe('trying')
    expect(h.out).toEqual([])
  })
})

describe('CANCEL of an INVITE server transaction', () => {
  it('RFC 3261 §9.2: is answered 200, told once, and the TU answers the INVITE', () => {
    const h = new LayerHarness()
    const id = h.begin(INVITE)
    h.respond(id, answer(180))
    h.take('send')
    h.receive(CANCEL)
    const [ok] = h.takeSent()
    expect(ok?.kind === 'response' && ok.status).toBe(200)
    expect(ok?.cseq.method).toBe('CANCEL')
    // §9.2: the To tag is that of the other responses.
    expect(ok?.to.tag).toBe('us')
    expect(h.out).toEqual([{ kind: 'cancelled', transactionId: id, request: INVITE, cancel: CANCEL }])
    h.takeKinds()
    h.respond(id, answer(487))
    h.receive(ACK)
    expect(h.takeLines()).toEqual([487])
    h.advance(40_000)
    expect(h.layer.counts.total).toBe(0)
  })

  it('a retransmitted CANCEL gets the same answer, also when the INVITE has been answered and is gone', () => {
    const h = new LayerHarness()
    const id = h.begin(INVITE)
    h.receive(CANCEL)
    h.respond(id, answer(487))
    h.receive(ACK)
    h.advance(10_000)
    expect(h.layer.stateOf(id)).toBeUndefined()
    h.receive(CANCEL)
    const oks = h.take('send').filter(({ bytes }) => bytes.toString().includes('CSeq: 1 CANCEL'))
    expect(oks).toHaveLength(2)
    expect(oks[1]?.bytes).toEqual(oks[0]?.bytes)
    expect(h.take('cancelled')).toHaveLength(1)
  })

  it('RFC 3261 §9.2: without a matching INVITE is answered 481, and again 481 when repeated', () => {
    const h = new LayerHarness()
    h.receive(CANCEL)
    h.receive(CANCEL)
    expect(h.takeLines()).toEqual([481, 481])
    expect(h.layer.counters.unmatchedCancels).toBe(1)
    expect(h.takeKinds()).toEqual([])
  })

  it.each([200, 486])(
    'RFC 3261 §9.2: after a %i is answered 200 with the same To tag and changes nothing',
    (status) => {
      const h = new LayerHarness()
      const id = h.begin(INVITE)
      h.respond(id, answer(status))
      const state = h.layer.stateOf(id)
      h.receive(CANCEL)
      const sent = h.takeSent().map((message) => [message.kind === 'response' && message.status, message.to.tag])
      expect(sent).toEqual([
        [status, 'us'],
        [200, 'us'],
      ])
      expect(h.take('cancelled')).toEqual([])
      expect(h.layer.stateOf(id)).toBe(state)
    },
  )

  it('a forged CANCEL from another host is answered 481; NAT may change the port', () => {
    const h = new LayerHarness()
    const id = h.begin(INVITE)
    h.receive(CANCEL, sampleFlow({ id: 2, remote: { transport: 'UDP', address: '198.51.100.6', port: 5060 } }))
    expect(h.layer.stateOf(id)).toBe('trying')
    expect(h.takeLines()).toEqual([481])
    const moved = sampleRequest({ method: 'CANCEL' })
    h.advance(40_000)
    h.receive(moved, sampleFlow({ id: 3, remote: { transport: 'UDP', address: '192.0.2.1', port: 7777 } }))
    expect(h.take('cancelled')).toHaveLength(1)
  })

  it('a TU that still answers 2xx after the CANCEL may', () => {
    const h = new LayerHarness()
    const id = h.begin(INVITE)
    h.receive(CANCEL)
    expect(h.respond(id, answer(200))).toBe(true)
    expect(h.layer.stateOf(id)).toBe('accepted')
  })

  it('a TU that never answers after the CANCEL leaks nothing: 487 goes out in its place', () => {
    const h = new LayerHarness()
    h.begin(INVITE)
    h.receive(CANCEL)
    h.takeKinds()
    h.advance(15_999)
    expect(h.out).toEqual([])
    h.advance(1)
    expect(h.takeLines()).toEqual([487])
    h.advance(40_000)
    expect(h.layer.counts.total).toBe(0)
  })

  it('100 is not sent to an INVITE that was cancelled within the 200 ms', () => {
    const h = new LayerHarness()
    const id = h.begin(INVITE)
    h.receive(CANCEL)
    h.respond(id, answer(487))
    h.takeKinds()
    h.advance(300)
    expect(h.takeLines()).toEqual([])
  })
})
