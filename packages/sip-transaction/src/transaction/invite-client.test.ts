import { responseTo } from '@carillon/sip-parser'
import { describe, expect, it } from 'vitest'
import { LayerHarness } from '../testing/layer-harness'
import { sampleFlow, sampleRequest } from '../testing/sample-messages'

const INVITE = sampleRequest({
  headers: [
    ['Route', '<sip:proxy.example.net;lr>'],
    ['Route', '<sip:two.example.net;lr>'],
  ],
})

describe('INVITE client transaction', () => {
  it('RFC 3261 §17.1.1.2: doubles timer A until timer B fails it', () => {
    const h = new LayerHarness()
    const id = h.send(INVITE)
    expect(h.sendTimes(31_999)).toEqual([0, 500, 1500, 3500, 7500, 15_500, 31_500])
    expect(h.layer.stateOf(id)).toBe('calling')
    h.advance(1)
    expect(h.out).toEqual([
      { kind: 'failed', transactionId: id, reason: 'timeout' },
      { kind: 'terminated', transactionId: id },
    ])
    expect(h.layer.counts.total).toBe(0)
    expect(h.layer.deadline()).toBe(Number.POSITIVE_INFINITY)
  })

  it('RFC 3261 §17.1.1.2: does not retransmit on a reliable flow, whatever its name', () => {
    const flow = sampleFlow({ isReliable: true, transport: 'UDP' })
    const h = new LayerHarness({}, flow)
    h.send(INVITE)
    expect(h.sendTimes(40_000)).toEqual([0])
    expect(h.take('failed')).toHaveLength(1)
  })

  it('takes the reliability of an address from its transport', () => {
    const to = (transport: string) =>
      ({ kind: 'address', address: { transport, address: '192.0.2.2', port: 5060 } }) as const
    const udp = new LayerHarness()
    udp.send(INVITE, to('UDP'))
    expect(udp.sendTimes(40_000)).toHaveLength(7)
    const tcp = new LayerHarness()
    tcp.send(INVITE, to('TCP'))
    expect(tcp.sendTimes(40_000)).toHaveLength(1)
    const lossy = new LayerHarness({ unreliableTransports: ['SIM'] })
    lossy.send(INVITE, to('SIM'))
    expect(lossy.sendTimes(40_000)).toHaveLength(7)
  })

  it('RFC 3261 §17.1.1.2: a provisional response ends retransmission, and every response goes to the TU', () => {
    const h = new LayerHarness()
    const id = h.send(INVITE)
    h.answer(INVITE, 100)
    h.answer(INVITE, 180)
    expect(h.sendTimes(60_000)).toEqual([0])
    expect(h.take('response').map((effect) => effect.response.status)).toEqual([100, 180])
    h.answer(INVITE, 200)
    expect(h.layer.stateOf(id)).toBe('accepted')
    expect(h.takeKinds()).toEqual(['response'])
  })

  it('RFC 3261 §17.1.1.3: the ACK to a failure has the branch, routes and CSeq number of the INVITE', () => {
    const h = new LayerHarness()
    const invite = INVITE.edit().append('Via', 'SIP/2.0/UDP 192.0.2.77;branch=z9hG4bKother').build()
    h.send(invite)
    h.takeSent()
    h.answer(invite, 486)
    const [ack] = h.takeSent()
    expect(ack?.kind === 'request' && ack.method).toBe('ACK')
    expect(ack?.toString().split('\r\n')).toEqual([
      'ACK sip:bob@example.net SIP/2.0',
      'Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKsample',
      'Max-Forwards: 70',
      'Route: <sip:proxy.example.net;lr>',
      'Route: <sip:two.example.net;lr>',
      'From: <sip:alice@example.com>;tag=alice',
      'To: <sip:bob@example.net>;tag=peer',
      'Call-ID: sample@192.0.2.1',
      'CSeq: 1 ACK',
      'Content-Length: 0',
      '',
      '',
    ])
  })

  it('RFC 3261 §17.1.1.2: acknowledges each retransmission of a failure with the same bytes, and tells the TU once', () => {
    const h = new LayerHarness()
    const id = h.send(INVITE)
    h.take('send')
    const response = h.answer(INVITE, 486)
    const [first] = h.take('send')
    h.receive(response)
    h.receive(response)
    const acks = h.take('send')
    expect(acks).toHaveLength(2)
    expect(acks[0]?.bytes).toEqual(first?.bytes)
    expect(h.take('response')).toHaveLength(1)
    h.advance(31_999)
    expect(h.layer.stateOf(id)).toBe('completed')
    h.advance(1)
    expect(h.takeKinds()).toEqual(['terminated'])
  })

  it('RFC 3261 §17.1.1.2: timer D is zero on a reliable flow', () => {
    const h = new LayerHarness({}, sampleFlow({ isReliable: true }))
    h.send(INVITE)
    h.answer(INVITE, 603)
    expect(h.takeKinds()).toEqual(['send', 'send', 'response', 'terminated'])
    expect(h.layer.counts.total).toBe(0)
  })

  it('RFC 6026 §8.4: passes every 2xx of every fork up until timer M, and nothing else', () => {
    const h = new LayerHarness()
    const id = h.send(INVITE)
    h.answer(INVITE, 200, 'one')
    h.answer(INVITE, 200, 'two')
    h.answer(INVITE, 200, 'one')
    h.answer(INVITE, 486, 'three')
    h.answer(INVITE, 180, 'three')
    expect(h.take('response').map((effect) => effect.response.to.tag)).toEqual(['one', 'two', 'one'])
    h.advance(31_999)
    expect(h.layer.stateOf(id)).toBe('accepted')
    h.advance(1)
    h.answer(INVITE, 200, 'one')
    expect(h.takeKinds()).toEqual(['send', 'terminated', 'stray-response'])
  })

  it('a 2xx that comes after a failure is handed on, so that the call behind it can be ended', () => {
    const h = new LayerHarness()
    h.send(INVITE)
    h.answer(INVITE, 487)
    h.take('response')
    h.answer(INVITE, 200, 'late')
    expect(h.take('stray-response').map((effect) => effect.response.to.tag)).toEqual(['late'])
    expect(h.take('response')).toEqual([])
  })

  it('RFC 3261 §17.1.4: a transport error before any response fails it; later ones do not', () => {
    const h = new LayerHarness()
    const id = h.send(INVITE)
    h.layer.transportError(id, 0, h.out)
    expect(h.takeKinds()).toEqual(['send', 'failed', 'terminated'])
    const second = h.send(INVITE)
    h.answer(INVITE, 180)
    h.layer.transportError(second, 0, h.out)
    expect(h.layer.stateOf(second)).toBe('proceeding')
    h.layer.transportError(999, 0, h.out)
  })

  it('RFC 3261 §16.8: timer C cancels an INVITE that shows no progress; each provisional but 100 renews it', () => {
    const h = new LayerHarness()
    const id = h.send(INVITE)
    h.answer(INVITE, 180)
    h.advance(180_000)
    h.answer(INVITE, 100)
    h.answer(INVITE, 183)
    h.take('send')
    h.advance(189_999)
    expect(h.takeLines()).toEqual([])
    h.advance(1)
    expect(h.takeLines()).toEqual(['CANCEL'])
    h.answer(INVITE, 487)
    expect(h.layer.stateOf(id)).toBe('completed')
    const patient = new LayerHarness({ timers: { C: Number.POSITIVE_INFINITY } })
    patient.send(INVITE)
    patient.answer(INVITE, 180)
    expect(patient.layer.deadline()).toBe(Number.POSITIVE_INFINITY)
  })
})

describe('CANCEL of an INVITE client transaction', () => {
  it('RFC 3261 §9.1: waits for a provisional response, and is made from the INVITE', () => {
    const h = new LayerHarness()
    const id = h.send(INVITE)
    h.layer.cancel(id, 0, h.out, [['Reason', 'SIP;cause=200']])
    h.layer.cancel(id, 0, h.out)
    expect(h.takeLines()).toEqual(['INVITE'])
    h.advance(600)
    expect(h.takeLines()).toEqual(['INVITE'])
    h.answer(INVITE, 100)
    const [cancel] = h.takeSent()
    expect(cancel?.toString().split('\r\n')).toEqual([
      'CANCEL sip:bob@example.net SIP/2.0',
      'Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKsample',
      'Max-Forwards: 70',
      'Route: <sip:proxy.example.net;lr>',
      'Route: <sip:two.example.net;lr>',
      'From: <sip:alice@example.com>;tag=alice',
      'To: <sip:bob@example.net>',
      'Call-ID: sample@192.0.2.1',
      'CSeq: 1 CANCEL',
      'Reason: SIP;cause=200',
      'Content-Length: 0',
      '',
      '',
    ])
  })

  it('RFC 3261 §9.1: is retransmitted on its own, and its answers stay in the layer', () => {
    const h = new LayerHarness()
    const id = h.send(INVITE)
    h.answer(INVITE, 180)
    h.takeKinds()
    h.layer.cancel(id, h.nowMs, h.out)
    const [cancel] = h.takeSent()
    expect(h.sendTimes(1600)).toEqual([500, 1500])
    if (cancel?.kind !== 'request') throw new Error('no CANCEL')
    h.answer(cancel, 200)
    h.answer(INVITE, 487)
    expect(h.takeKinds()).toEqual(['send', 'response'])
    h.advance(40_000)
    expect(h.takeKinds()).toEqual(['terminated'])
    expect(h.layer.counts.total).toBe(0)
  })

  it.each([200, 486])('RFC 3261 §9.1: a %i that comes first makes it moot', (status) => {
    const h = new LayerHarness()
    const id = h.send(INVITE)
    h.layer.cancel(id, 0, h.out)
    h.answer(INVITE, status)
    h.layer.cancel(id, 0, h.out)
    expect(h.takeLines()).not.toContain('CANCEL')
    expect(h.take('response')).toHaveLength(1)
  })

  it('RFC 3261 §9.1: a 2xx that crosses it goes to the TU, which acknowledges and ends the call', () => {
    const h = new LayerHarness()
    const id = h.send(INVITE)
    h.answer(INVITE, 180)
    h.layer.cancel(id, 0, h.out)
    h.takeKinds()
    h.answer(INVITE, 200)
    expect(h.takeKinds()).toEqual(['response'])
    expect(h.layer.stateOf(id)).toBe('accepted')
  })

  it('RFC 3261 §9.1: without a final response within 64·T1 the INVITE fails, so a peer without 487 leaks nothing', () => {
    const h = new LayerHarness()
    const id = h.send(INVITE)
    h.answer(INVITE, 180)
    h.layer.cancel(id, 0, h.out)
    const [, cancel] = h.takeSent()
    if (cancel?.kind !== 'request') throw new Error('no CANCEL')
    h.answer(cancel, 481)
    h.answer(INVITE, 183)
    h.takeKinds()
    h.advance(31_999)
    expect(h.out).toEqual([])
    h.advance(1)
    expect(h.out).toEqual([
      { kind: 'failed', transactionId: id, reason: 'timeout' },
      { kind: 'terminated', transactionId: id },
    ])
    expect(h.layer.counts.total).toBe(0)
  })

  it('does nothing for a transaction that is unknown or no INVITE of ours', () => {
    const h = new LayerHarness()
    h.layer.cancel(42, 0, h.out)
    const options = sampleRequest({ method: 'OPTIONS' })
    const id = h.send(options)
    h.receive(responseTo(options, 100))
    h.takeKinds()
    h.layer.cancel(id, 0, h.out)
    expect(h.out).toEqual([])
  })
})
