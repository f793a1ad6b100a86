import { describe, expect, it } from 'vitest'
import { stunBindingResponse } from '../keepalive'
import { type KeepAliveStep, StunKeepAlive } from './stun-keepalive'

let lastId = 0
const options = {
  everyMs: 10_000,
  answerMs: 10_000,
  fraction: () => 0.5,
  transactionId: () => new Uint8Array(12).fill(++lastId & 255),
}
const here = { address: '203.0.113.7', port: 5060 }

function at(machine: StunKeepAlive, nowMs: number): KeepAliveStep[] {
  const out: KeepAliveStep[] = []
  machine.expire(nowMs, out)
  return out
}

function answer(
  machine: StunKeepAlive,
  request: KeepAliveStep | undefined,
  nowMs: number,
  seen = here,
): KeepAliveStep[] {
  const response = request?.kind === 'send' ? stunBindingResponse(request.bytes, seen) : undefined
  if (response === undefined) throw new Error('no answer')
  const out: KeepAliveStep[] = []
  expect(machine.receive(response, nowMs, out)).toBe(true)
  return out
}

describe('keep-alives over UDP (RFC 5626 §4.4.2)', () => {
  it('asks after 80 to 100 % of the interval, and again after each answer', () => {
    expect(new StunKeepAlive({ ...options, fraction: () => 0 }, 0).deadline()).toBe(8_000)
    const machine = new StunKeepAlive(options, 0)
    for (let nowMs = 9_000; nowMs < 100_000; nowMs += 9_100) {
      expect(machine.deadline()).toBe(nowMs)
      const [request] = at(machine, nowMs)
      expect(answer(machine, request, nowMs + 100)).toEqual([])
    }
  })

  it('does nothing before its time', () => {
    const machine = new StunKeepAlive(options, 0)
    expect([at(machine, 0), at(machine, 8_999), machine.deadline()]).toEqual([[], [], 9_000])
  })

  it('RFC 5389 §7.2.1: repeats the same request, and any repetition may be answered', () => {
    const machine = new StunKeepAlive(options, 0)
    const sent: KeepAliveStep[] = []
    const times: number[] = []
    while (sent.length < 4) {
      times.push(machine.deadline() - 9_000)
      sent.push(...at(machine, machine.deadline()))
    }
    expect(times).toEqual([0, 500, 1_500, 3_500])
    expect(
      new Set(sent.map((step) => (step.kind === 'send' ? Buffer.from(step.bytes).toString('hex') : ''))).size,
    ).toBe(1)
    expect(answer(machine, sent[0], 18_000)).toEqual([])
    expect(machine.deadline()).toBe(27_000)
  })

  it('without an answer the way is lost, once', () => {
    const machine = new StunKeepAlive(options, 0)
    const steps: KeepAliveStep[] = []
    while (machine.deadline() < Number.POSITIVE_INFINITY) steps.push(...at(machine, machine.deadline()))
    expect(steps.map(({ kind }) => kind)).toEqual(['send', 'send', 'send', 'send', 'lost'])
    expect(steps.at(-1)).toEqual({ kind: 'lost', reason: 'keep-alive not answered' })
    expect(at(machine, 1_000_000)).toEqual([])
  })

  it('another address in the answer means that the way is another one', () => {
    for (const [seen, moved] of [
      [here, { ...here, port: 5061 }],
      [here, { ...here, address: '203.0.113.8' }],
      [
        { address: '2001:db8::1', port: 1 },
        { address: '2001:db8::2', port: 1 },
      ],
    ] as const) {
      const machine = new StunKeepAlive(options, 0)
      expect(answer(machine, at(machine, machine.deadline())[0], 9_100, seen)).toEqual([])
      expect(answer(machine, at(machine, machine.deadline())[0], 18_200, seen)).toEqual([])
      expect(answer(machine, at(machine, machine.deadline())[0], 27_300, moved)).toEqual([
        { kind: 'lost', reason: 'address changed on the way' },
      ])
    }
  })

  it('takes no answer to another request, none unasked, and no nonsense', () => {
    const machine = new StunKeepAlive(options, 0)
    const out: KeepAliveStep[] = []
    const stranger = new StunKeepAlive(options, 0)
    const [other] = at(stranger, 9_000)
    const forged = other?.kind === 'send' ? stunBindingResponse(other.bytes, here) : undefined
    expect(machine.receive(forged ?? new Uint8Array(20), 100, out)).toBe(false)
    const [request] = at(machine, 9_000)
    expect(machine.receive(forged ?? new Uint8Array(20), 9_100, out)).toBe(false)
    if (request?.kind !== 'send') throw new Error('no request')
    expect(machine.receive(request.bytes, 9_100, out)).toBe(false)
    const good = stunBindingResponse(request.bytes, here) ?? new Uint8Array(0)
    for (let length = 0; length < good.length; length++) {
      expect(machine.receive(good.subarray(0, length), 9_100, out)).toBe(false)
    }
    expect(out).toEqual([])
    // An attribute that promises more than there is, is none.
    good[23] = 200
    expect(machine.receive(good, 9_100, out)).toBe(true)
    expect(out).toEqual([])
  })
})
