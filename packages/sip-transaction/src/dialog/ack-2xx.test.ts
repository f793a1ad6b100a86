import { describe, expect, it } from 'vitest'
import { type Ack2xxEffect, ClientAcks, Server2xx } from './ack-2xx'

const bytes = new Uint8Array([1])
const timers = { t1Ms: 500, t2Ms: 4000 }

/** Runs it until it is idle and says when it did what. */
function run(server: Server2xx): string[] {
  const log: string[] = []
  const out: Ack2xxEffect[] = []
  for (let atMs = server.deadline(); atMs !== Number.POSITIVE_INFINITY; atMs = server.deadline()) {
    server.expire(atMs, out)
    for (const effect of out.splice(0)) log.push(`${atMs} ${effect.kind} ${effect.cseq}`)
  }
  return log
}

describe('Server2xx', () => {
  it('RFC 3261 §13.3.1.4: repeats at T1, doubling up to T2, and gives up after 64*T1', () => {
    const server = new Server2xx(timers)
    server.sent(1, bytes, 0)
    expect(run(server)).toEqual([
      '500 retransmit 1',
      '1500 retransmit 1',
      '3500 retransmit 1',
      '7500 retransmit 1',
      '11500 retransmit 1',
      '15500 retransmit 1',
      '19500 retransmit 1',
      '23500 retransmit 1',
      '27500 retransmit 1',
      '31500 retransmit 1',
      '32000 ack-lost 1',
    ])
    expect(server.isWaiting).toBe(false)
  })

  it('stops at the ACK of the right number, once', () => {
    const server = new Server2xx(timers)
    server.sent(1, bytes, 0)
    server.sent(2, bytes, 100)
    expect(server.acknowledged(3)).toBe(false)
    expect(server.acknowledged(1)).toBe(true)
    expect(server.acknowledged(1)).toBe(false)
    expect(server.deadline()).toBe(600)
    server.clear()
    expect(server.deadline()).toBe(Number.POSITIVE_INFINITY)
  })

  it('does not catch up after a long sleep: one repetition, then the interval', () => {
    const server = new Server2xx(timers)
    server.sent(1, bytes, 0)
    const out: Ack2xxEffect[] = []
    server.expire(10_000, out)
    expect(out).toHaveLength(1)
    expect(server.deadline()).toBe(11_000)
  })
})

describe('ClientAcks', () => {
  it('gives the same ACK for each repeated 2xx, until the transaction is gone; keeps a few only', () => {
    const acks = new ClientAcks<string>()
    expect(acks.forRetransmission(1)).toBeUndefined()
    for (let cseq = 1; cseq <= 6; cseq += 1) acks.sent(cseq, `ack ${cseq}`)
    expect(acks.forRetransmission(1)).toBeUndefined()
    expect(acks.forRetransmission(6)).toBe('ack 6')
    acks.forget(6)
    expect(acks.forRetransmission(6)).toBeUndefined()
  })
})
