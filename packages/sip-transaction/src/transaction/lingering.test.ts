/** INVITE server transactions whose TU has released them: RFC 6026 §7.1 without their objects. */
import { responseTo, type SipRequest } from '@carillon/sip-parser'
import { describe, expect, it } from 'vitest'
import { LayerHarness } from '../testing/layer-harness'
import { sampleFlow, sampleRequest } from '../testing/sample-messages'

const invite = (index = 1) =>
  sampleRequest({ method: 'INVITE', branch: `z9hG4bKaccepted${index}`, callId: `accepted-${index}` })

/** Answers 200 as a TU does that sends it again by itself. */
function accept(h: LayerHarness, request: SipRequest): number {
  const id = h.begin(request)
  h.layer.release(id)
  expect(h.respond(id, responseTo(request, 200, { toTag: 'us' }))).toBe(true)
  return id
}

describe('an INVITE that is accepted for good', () => {
  it('RFC 6026 §7.1: absorbs copies of the INVITE for timer L, and tells the TU when that is over', () => {
    const h = new LayerHarness()
    const id = accept(h, invite())
    expect(h.takeLines()).toEqual([200])
    expect(h.layer.stateOf(id)).toBe('accepted')
    expect(h.layer.counts).toMatchObject({ inviteServer: 1, finished: 1, total: 1 })
    expect(h.layer.isKnownRequest(invite(), h.flow)).toBe(true)
    for (let copy = 0; copy < 3; copy += 1) {
      h.receive(invite())
      expect(h.takeKinds()).toEqual([])
    }
    h.advance(31_999)
    expect(h.layer.counts.total).toBe(1)
    h.advance(1)
    expect(h.take('terminated').map(({ transactionId }) => transactionId)).toEqual([id])
    expect(h.layer.counts).toMatchObject({ total: 0, bytes: 0 })
    expect(h.layer.deadline()).toBe(Number.POSITIVE_INFINITY)
  })

  it('RFC 3261 §9.2: a late CANCEL gets 200 with the tag of the 2xx, from the same host only', () => {
    const h = new LayerHarness()
    accept(h, invite())
    h.takeLines()
    const cancel = sampleRequest({ method: 'CANCEL', branch: 'z9hG4bKaccepted1', callId: 'accepted-1' })
    const { remote, ...flow } = sampleFlow()
    h.receive(cancel, { ...flow, remote: { ...remote, address: '203.0.113.66' } })
    const [forged] = h.takeSent()
    expect(forged?.kind === 'response' && forged.status).toBe(481)
    const again = new LayerHarness()
    accept(again, invite())
    again.takeLines()
    again.receive(cancel)
    const [answer] = again.takeSent()
    expect(answer?.kind === 'response' && [answer.status, answer.to.tag]).toEqual([200, 'us'])
    expect(again.take('cancelled')).toEqual([])
  })

  it('RFC 3261 §13.3.1.4: an ACK with the same branch goes to the dialog', () => {
    const h = new LayerHarness()
    accept(h, invite())
    h.take('send')
    h.receive(sampleRequest({ method: 'ACK', branch: 'z9hG4bKaccepted1', callId: 'accepted-1' }))
    expect(h.takeKinds()).toEqual(['ack'])
  })

  it('RFC 3261 §8.2.2.2: a copy that comes by another way is a merged request', () => {
    const h = new LayerHarness()
    accept(h, invite())
    h.take('send')
    h.receive(sampleRequest({ method: 'INVITE', branch: 'z9hG4bKelsewhere', callId: 'accepted-1' }))
    expect(h.takeLines()).toEqual([482])
  })

  it('takes no second 2xx, while one that was not released does', () => {
    const h = new LayerHarness()
    const id = accept(h, invite())
    expect(h.respond(id, responseTo(invite(), 200, { toTag: 'us' }))).toBe(false)
    const other = h.begin(invite(2))
    expect(h.respond(other, responseTo(invite(2), 200, { toTag: 'us' }))).toBe(true)
    expect(h.respond(other, responseTo(invite(2), 200, { toTag: 'other' }))).toBe(true)
  })

  it('is forgotten after everything else when there is too much', () => {
    const h = new LayerHarness({ limits: { finishedTransactionsMax: 2 } })
    const ids = [1, 2].map((index) => accept(h, invite(index)))
    const options = sampleRequest({ method: 'OPTIONS', branch: 'z9hG4bKo', callId: 'o' })
    const asked = h.begin(options)
    h.respond(asked, responseTo(options, 200, { toTag: 'us' }))
    expect(h.take('terminated').map(({ transactionId }) => transactionId)).toEqual([asked])
    accept(h, invite(3))
    expect(h.take('terminated').map(({ transactionId }) => transactionId)).toEqual([ids[0]])
  })

  it('is nothing of the sort when it is refused: the failure is sent again until its ACK', () => {
    const h = new LayerHarness()
    const id = h.begin(invite())
    h.layer.release(id)
    h.respond(id, responseTo(invite(), 486, { toTag: 'us' }))
    expect(h.sendTimes(2_000)).toEqual([0, 500, 1_500])
    expect(h.layer.stateOf(id)).toBe('completed')
  })
})
