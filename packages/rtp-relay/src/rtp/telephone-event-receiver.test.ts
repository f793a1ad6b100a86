import { describe, expect, it } from 'vitest'
import { writeTelephoneEvents } from './telephone-event'
import {
  type TelephoneEventPacket,
  TelephoneEventReceiver,
  type TelephoneEventReport,
} from './telephone-event-receiver'
import { telephoneEventSchedule } from './telephone-event-sender'

interface PacketInit {
  readonly sequence: number
  readonly timestamp: number
  readonly event?: number
  readonly duration?: number
  readonly isEnd?: boolean
  readonly marker?: boolean
  readonly ssrc?: number
}

function packet(init: PacketInit): TelephoneEventPacket {
  const { sequence, timestamp, event = 5, duration = 160, isEnd = false, marker = false, ssrc = 7 } = init
  const payload = writeTelephoneEvents([{ event, isEnd, volume: 10, durationUnits: duration }])
  return { sequence: sequence & 0xffff, timestamp: timestamp >>> 0, marker, ssrc, payload }
}

/** The packets of a digit as a sender makes them. */
function digit(event: number, timestamp: number, sequence: number, durationMs = 100): TelephoneEventPacket[] {
  return telephoneEventSchedule({ event, timestamp, durationMs }).map((one, index) => ({
    sequence: (sequence + index) & 0xffff,
    timestamp: one.timestamp,
    marker: one.marker,
    ssrc: 7,
    payload: one.payload,
  }))
}

class Line {
  readonly receiver = new TelephoneEventReceiver()
  readonly reports: TelephoneEventReport[] = []
  nowMs = 0

  receive(...packets: readonly TelephoneEventPacket[]): this {
    for (const one of packets) {
      this.receiver.handle(one, this.nowMs, this.reports)
      this.nowMs += 20
    }
    return this
  }

  wait(ms: number): this {
    this.nowMs += ms
    this.receiver.expire(this.nowMs, this.reports)
    return this
  }

  get digits(): string {
    return this.reports.map((report) => report.digit ?? '?').join('')
  }

  get ends(): readonly string[] {
    return this.reports.map(({ endedBy }) => endedBy)
  }
}

describe('TelephoneEventReceiver', () => {
  it('RFC 4733 §2.5.1.4: gives a digit once, however often its end is sent', () => {
    const line = new Line().receive(...digit(5, 1_000, 1))
    expect(line.reports).toEqual([
      { event: 5, digit: '5', timestamp: 1_000, durationUnits: 800, durationMs: 100, volume: 10, endedBy: 'end' },
    ])
    expect(line.wait(10_000).digits).toBe('5')
    expect(line.receiver.deadline()).toBe(Number.POSITIVE_INFINITY)
  })

  it('RFC 4733 §2.5.2.2: gives a digit at its first end packet, whichever of the three that is', () => {
    const packets = digit(5, 1_000, 1)
    expect(packets.length).toBe(7)
    for (const arrived of [packets.slice(0, 5), packets.slice(0, 4).concat(packets.slice(5)), packets.slice(6)]) {
      expect(new Line().receive(...arrived).ends).toEqual(['end'])
    }
  })

  it('RFC 4733 §2.5.2.2: gives the last digit by time when all of its ends are lost', () => {
    const line = new Line().receive(...digit(5, 1_000, 1).slice(0, 3))
    expect(line.receiver.deadline()).toBe(40 + 300)
    line.receiver.expire(339, line.reports)
    expect(line.reports).toEqual([])
    line.receiver.expire(340, line.reports)
    expect(line.reports).toMatchObject([{ digit: '5', durationUnits: 480, endedBy: 'timeout' }])
    line.receiver.expire(9_000, line.reports)
    expect(line.reports.length).toBe(1)
  })

  it('RFC 4733 §2.5.1.2: gives a digit when the next one begins, its ends lost', () => {
    const line = new Line().receive(...digit(5, 1_000, 1).slice(0, 4), ...digit(6, 3_000, 8))
    expect([line.digits, line.ends]).toEqual(['56', ['next', 'end']])
  })

  it('RFC 4733 §2.5.1.2: the same digit twice is two digits, with markers or with all of them lost', () => {
    const one = digit(5, 1_000, 1)
    const other = digit(5, 3_000, 8)
    expect(new Line().receive(...one, ...other).digits).toBe('55')
    expect(new Line().receive(...one.slice(1, 4), ...other.slice(1, 3)).wait(500).digits).toBe('55')
  })

  it('RFC 4733 §2.6: late, repeated and reordered packets of an old event never repeat a digit', () => {
    const one = digit(5, 1_000, 1)
    const other = digit(6, 3_000, 8)
    const line = new Line().receive(...one, ...one, ...other.slice(0, 2), ...one, ...other.slice(2), ...one, ...other)
    expect(line.wait(500).digits).toBe('56')
    expect(
      line
        .wait(60_000)
        .receive(...one, ...other)
        .wait(500).digits,
    ).toBe('56')
  })

  it('RFC 4733 §2.6: a digit comes once in any order of its packets', () => {
    const packets = digit(5, 1_000, 65_533)
    for (let turn = 0; turn < packets.length; turn++) {
      const turned = [...packets.slice(turn), ...packets.slice(0, turn)]
      for (const order of [turned, turned.toReversed()]) {
        const line = new Line().receive(...order).wait(500)
        expect([line.digits, line.reports.length]).toEqual(['5', 1])
      }
    }
  })

  it('RFC 3550 §5.1: an event that is older than the newest packet is not given out of order', () => {
    const line = new Line().receive(...digit(6, 3_000, 8).slice(0, 2), ...digit(5, 1_000, 1)).wait(500)
    expect(line.digits).toBe('6')
  })

  it('RFC 4733 §2.5.2.2: packets that come after the time is over do not bring the digit back', () => {
    const packets = digit(5, 1_000, 1, 2_000)
    const line = new Line()
      .receive(...packets.slice(0, 10))
      .wait(400)
      .receive(...packets.slice(10))
      .wait(500)
    expect([line.digits, line.ends]).toEqual(['5', ['timeout']])
  })

  it('RFC 4733 §2.5.1.3: a long event in segments is one event, as long as all of them', () => {
    const line = new Line().receive(...digit(5, 0xffff_0000, 1, 20_000)).wait(500)
    expect(line.reports).toMatchObject([{ digit: '5', timestamp: 0xffff_0000, durationUnits: 160_000, endedBy: 'end' }])
    expect(line.reports.length).toBe(1)
  })

  it('RFC 4733 §2.5.2.3: a long event whose segment ends are lost, or whose time was over before, is one event', () => {
    const packets = digit(5, 1_000, 1, 20_000)
    const sparse = packets.filter((_, index) => index % 14 === 0)
    expect(new Line().receive(...sparse).wait(500).digits).toBe('5')
    const line = new Line().receive(...packets.slice(0, 100)).wait(8_200)
    expect(line.receive(...packets.slice(700)).wait(500).digits).toBe('5')
  })

  it('RFC 4733 §2.5.1.3: the first segment told again while the second goes on changes nothing', () => {
    const line = new Line().receive(
      packet({ sequence: 1, timestamp: 0, duration: 0xffff, marker: true }),
      packet({ sequence: 2, timestamp: 0xffff, duration: 100 }),
      packet({ sequence: 3, timestamp: 0, duration: 0xffff }),
      packet({ sequence: 4, timestamp: 0xffff, duration: 200, isEnd: true }),
      packet({ sequence: 5, timestamp: 0, duration: 0xffff }),
    )
    expect(line.reports).toMatchObject([{ durationUnits: 0xffff + 200 }])
    expect(line.wait(500).reports.length).toBe(1)
  })

  it('RFC 4733 §2.5.1.3: a marker begins a new event right where a segment would', () => {
    const line = new Line().receive(
      packet({ sequence: 1, timestamp: 0, duration: 0xffff, isEnd: true, marker: true }),
      packet({ sequence: 2, timestamp: 0xffff, isEnd: true, marker: true }),
    )
    expect(line.digits).toBe('55')
  })

  it('RFC 4733 §2.5.2.4: several events in a packet begin one after the other', () => {
    const line = new Line()
    const payload = writeTelephoneEvents([
      { event: 1, isEnd: true, volume: 5, durationUnits: 400 },
      { event: 1, isEnd: true, volume: 5, durationUnits: 400 },
      { event: 2, isEnd: false, volume: 5, durationUnits: 80 },
    ])
    const packed = { ssrc: 7, sequence: 1, timestamp: 0xffff_ff00, marker: true, payload }
    line.receive(packed, packed, packet({ sequence: 2, timestamp: 544, event: 2, duration: 240, isEnd: true }))
    expect(line.digits).toBe('112')
    expect(line.reports.map(({ timestamp }) => timestamp)).toEqual([0xffff_ff00, 144, 544])
    expect(line.reports[2]?.durationUnits).toBe(240)
  })

  it('RFC 4733 §2.3.5: a digit that lasts for no time begins nothing, and a state does', () => {
    const none = new Line().receive(packet({ sequence: 1, timestamp: 1, duration: 0, marker: true })).wait(500)
    expect(none.reports).toEqual([])
    const state = new Line().receive(packet({ sequence: 1, timestamp: 1, event: 144, duration: 0 })).wait(500)
    expect(state.reports).toMatchObject([{ event: 144, endedBy: 'timeout' }])
    expect(state.reports[0]).not.toHaveProperty('digit')
  })

  it('RFC 3550 §5.1: of two sources that send at once, each digit comes once', () => {
    const one = digit(5, 1_000, 1)
    const other = digit(6, 1_000, 1).map((sent) => ({ ...sent, ssrc: 8 }))
    const line = new Line().receive(...one.flatMap((sent, index) => [sent, other[index] ?? sent])).wait(500)
    expect([...line.digits].sort().join('')).toBe('56')
  })

  it('RFC 3550 §5.1: goes on after a pause in which sequence numbers have gone half round', () => {
    const line = new Line().receive(...digit(5, 1_000, 1)).wait(800_000)
    expect(line.receive(...digit(6, 6_401_000, 40_001)).digits).toBe('56')
  })

  it('RFC 3550 appendix A.1: goes on after the sender has begun anew with numbers far behind', () => {
    const line = new Line().receive(...digit(5, 1_000_000, 30_000), ...digit(6, 5_000, 9), ...digit(7, 7_000, 16))
    expect(line.digits).toBe('567')
  })

  it('RFC 4733 §2.3: a payload that is none changes nothing', () => {
    const line = new Line().receive(packet({ sequence: 1, timestamp: 1 }))
    const before = line.receiver.deadline()
    const broken = { ...packet({ sequence: 2, timestamp: 900 }), payload: new Uint8Array(3) }
    expect(line.receiver.handle(broken, 100, line.reports)).toBe(false)
    expect([line.reports, line.receiver.deadline()]).toEqual([[], before])
  })

  it('keeps no more whatever arrives: a flood of events forgets the oldest of them alone', () => {
    const line = new Line()
    for (let index = 0; index < 500; index++) line.receive(...digit(index % 16, 2_000 * index, index * 7))
    expect(line.reports.length).toBe(500)
    expect(line.receive(...digit(499 % 16, 2_000 * 499, 499 * 7)).reports.length).toBe(500)
  })

  it('RFC 4733 §2.3.5: measures durations by the clock of the payload type', () => {
    const receiver = new TelephoneEventReceiver({ clockRate: 48_000, timeoutMs: 100 })
    const reports: TelephoneEventReport[] = []
    receiver.handle(packet({ sequence: 1, timestamp: 1, duration: 4_800 }), 0, reports)
    receiver.expire(receiver.deadline(), reports)
    expect(reports[0]?.durationMs).toBe(100)
    expect(() => new TelephoneEventReceiver({ clockRate: 0 })).toThrow(RangeError)
    expect(() => new TelephoneEventReceiver({ timeoutMs: Number.NaN })).toThrow(RangeError)
  })
})
