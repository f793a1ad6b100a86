import { Buffer } from 'node:buffer'
import { describe, expect, it } from 'vitest'
import { readTelephoneEvents } from './telephone-event'
import { type TelephoneEventToSend, telephoneEventSchedule } from './telephone-event-sender'

const five: TelephoneEventToSend = { event: 5, durationMs: 100, timestamp: 0xffff_ffff }

/** One line a packet: when, marker, timestamp, payload. */
function lines(toSend: TelephoneEventToSend): string[] {
  return telephoneEventSchedule(toSend).map(
    ({ atMs, marker, timestamp, payload }) =>
      `${atMs} ${marker ? 'M' : '-'} ${timestamp} ${Buffer.from(payload).toString('hex')}`,
  )
}

describe('telephoneEventSchedule', () => {
  it('RFC 4733 §2.5.1.2, §2.5.1.4: tells the duration so far, the marker once and the end three times', () => {
    expect(lines(five)).toEqual([
      '0 M 4294967295 050a00a0',
      '20 - 4294967295 050a0140',
      '40 - 4294967295 050a01e0',
      '60 - 4294967295 050a0280',
      '80 - 4294967295 058a0320',
      '100 - 4294967295 058a0320',
      '120 - 4294967295 058a0320',
    ])
  })

  it('RFC 4733 §2.5.1.2: an event shorter than the interval is three end packets, the first with the marker', () => {
    expect(lines({ ...five, durationMs: 15, volume: 63, timestamp: 0 })).toEqual([
      '0 M 0 05bf0078',
      '20 - 0 05bf0078',
      '40 - 0 05bf0078',
    ])
  })

  it('RFC 4733 §2.3.5: counts in the clock of the payload type', () => {
    expect(lines({ ...five, clockRate: 48_000, intervalMs: 50, timestamp: 0 })[0]).toBe('0 M 0 050a0960')
  })

  it('RFC 4733 §2.5.1.3, §2.5.1.4: a long event goes on in a new segment, the last packet of each sent three times', () => {
    const packets = lines({ event: 5, durationMs: 8_260, timestamp: 0xffff_fff0 })
    const of = (timestamp: number): string[] => packets.filter((line) => line.split(' ')[2] === `${timestamp}`)
    expect(
      of(0xffff_fff0)
        .slice(-4)
        .map((line) => line.split(' ')[3]),
    ).toEqual(['050affa0', '050affff', '050affff', '050affff'])
    const next = (0xffff_fff0 + 0xffff) >>> 0
    expect(of(next).map((line) => line.split(' ')[3])).toEqual([
      '050a0041',
      '050a00e1',
      '050a0181',
      '058a0221',
      '058a0221',
      '058a0221',
    ])
    expect(packets.length).toBe(of(next).length + of(0xffff_fff0).length)
    expect(packets.filter((line) => line.includes(' M ')).length).toBe(1)
  })

  it('RFC 4733 §2.5.1.3: an event of exactly one segment ends in it', () => {
    const packets = telephoneEventSchedule({ ...five, durationMs: 65_535 / 8, timestamp: 0 })
    expect(packets.every(({ timestamp }) => timestamp === 0)).toBe(true)
    expect(packets.slice(-3).map(({ payload }) => readTelephoneEvents(payload))).toEqual(
      Array(3).fill({ ok: true, events: [{ event: 5, isEnd: true, volume: 10, durationUnits: 65_535 }] }),
    )
  })

  it('RFC 4733 §2.5.1.2: durations never go back within a segment, and packets never in time', () => {
    for (const durationMs of [1, 19.9, 20, 20.1, 333, 8_191, 8_192, 16_400, 60_000]) {
      const packets = telephoneEventSchedule({ event: 5, durationMs, timestamp: 0, intervalMs: 50 })
      const total = packets.at(-1)
      const read = total && readTelephoneEvents(total.payload)
      const last = read?.ok ? (read.events[0]?.durationUnits ?? 0) : 0
      expect((total?.timestamp ?? 0) + last).toBe(Math.round(durationMs * 8))
      expect(packets.every(({ atMs }, at) => at === 0 || atMs >= (packets[at - 1]?.atMs ?? 0))).toBe(true)
      expect(packets.map(({ marker }) => marker).indexOf(true, 1)).toBe(-1)
    }
  })

  it.each<[string, Partial<TelephoneEventToSend>]>([
    ['no duration', { durationMs: 0 }],
    ['a duration of less than a unit', { durationMs: 0.01 }],
    ['more than a minute', { durationMs: 60_001 }],
    ['a duration that is no number', { durationMs: Number.NaN }],
    ['an interval below 5 ms', { intervalMs: 4 }],
    ['an interval that is no number', { intervalMs: Number.NaN }],
    ['a clock that stands', { clockRate: 0 }],
    ['an event of 9 bits', { event: 256 }],
    ['a volume of 7 bits', { volume: 64 }],
  ])('RFC 4733 §2.3: refuses %s', (_, change) => {
    expect(() => telephoneEventSchedule({ ...five, ...change })).toThrow(RangeError)
  })
})
