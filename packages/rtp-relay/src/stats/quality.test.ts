import { describe, expect, it } from 'vitest'
import { qualityIntervalMs, qualityIntervals } from '../limits'
import { A, B, call } from '../testing/fixture'
import { rtpPacket } from '../testing/packets'
import { impairmentOf, mosOf } from './e-model'
import { QualityHistory, type QualitySource } from './quality'

const codec = impairmentOf('PCMU')

/** Counters of a stream that are moved by hand. */
class Counters implements QualitySource {
  packets = 0
  duplicates = 0
  lost = 0
  gaps = 0
  jitterMs = 0

  add(packets: number, lost = 0, gaps = lost): this {
    this.packets += packets
    this.lost += lost
    this.gaps += gaps
    return this
  }
}

function filled(intervals: number): QualityHistory {
  const history = new QualityHistory(0)
  const counters = new Counters()
  for (let index = 1; index <= intervals; index++) {
    history.sample(counters.add(250, index === 1 ? 25 : 0), codec, 0, history.dueMs)
  }
  return history
}

describe('the history of quality', () => {
  it('tells loss and MOS of each interval, and of the whole', () => {
    const history = new QualityHistory(0)
    const counters = new Counters()
    history.sample(counters.add(200), codec, 0, 5_000)
    // 5 % of what was sent: R 77.419.
    history.sample(counters.add(190, 10), codec, 0, 10_000)
    const { intervals, ...whole } = history.snapshot(11_000, false)
    expect(intervals).toMatchObject([
      { ageMs: 6_000, packets: 200, lost: 0, jitterMs: 0 },
      { ageMs: 1_000, packets: 190, lost: 10, jitterMs: 0 },
    ])
    const [best, worst] = [mosOf(93.2), mosOf(77.419_3)]
    expect(intervals[0]?.mos).toBeCloseTo(best, 5)
    expect(intervals[1]?.mos).toBeCloseTo(worst, 5)
    expect(whole.mosMin).toBeCloseTo(worst, 5)
    expect(whole.mosLast).toBeCloseTo(worst, 5)
    expect(whole.mosAverage).toBeCloseTo((best * 200 + worst * 190) / 390, 5)
    expect(whole.rFactor).toBeCloseTo((93.2 * 200 + 77.419_3 * 190) / 390, 3)
  })

  it('hears bursts, jitter and round trip', () => {
    const mos = (gaps: number, jitterMs: number, roundTripMs: number): number => {
      const history = new QualityHistory(0)
      const counters = new Counters().add(190, 10, gaps)
      counters.jitterMs = jitterMs
      history.sample(counters, codec, roundTripMs, 5_000)
      return history.snapshot(5_000, false).mosLast ?? 0
    }
    expect(mos(2, 0, 0)).toBeLessThan(mos(10, 0, 0))
    expect(mos(10, 80, 0)).toBeLessThan(mos(10, 10, 0))
    expect(mos(10, 10, 500)).toBeLessThan(mos(10, 10, 100))
  })

  it('has no MOS for silence, and for codecs that the model does not know', () => {
    const history = new QualityHistory(0)
    const counters = new Counters()
    history.sample(counters, codec, 0, 5_000)
    history.sample(counters.add(100), undefined, 0, 10_000)
    const { intervals, ...whole } = history.snapshot(10_000, false)
    expect(whole).toEqual({})
    expect(intervals.map(({ packets, mos }) => [packets, mos])).toEqual([
      [0, undefined],
      [100, undefined],
    ])
  })

  it('does not take a loss that is taken back for less than none', () => {
    const history = new QualityHistory(0)
    const counters = new Counters()
    history.sample(counters.add(100, 5), codec, 0, 5_000)
    history.sample(counters.add(105, -5, 0), codec, 0, 10_000)
    expect(history.snapshot(10_000, false).intervals[1]).toMatchObject({ packets: 105, lost: 0 })
  })

  it('halves its resolution when it is full, and forgets no packet', () => {
    expect(filled(qualityIntervals).snapshot(0, false).intervals).toHaveLength(qualityIntervals)
    const history = filled(qualityIntervals + 1)
    const { intervals, mosMin } = history.snapshot(0, false)
    expect(intervals).toHaveLength(qualityIntervals / 2 + 1)
    expect(intervals[0]).toMatchObject({ packets: 500, lost: 25 })
    expect(history.dueMs - (qualityIntervals + 1) * qualityIntervalMs).toBe(2 * qualityIntervalMs)
    // What was worst stays known though its interval is now one with a better.
    expect(mosMin).toBeLessThan(intervals[0]?.mos ?? 0)
    const packets = filled(10_000)
      .snapshot(0, false)
      .intervals.reduce((sum, one) => sum + one.packets, 0)
    expect(packets).toBe(2_500_000)
  })

  it('has less than 1 KB, however long the call', () => {
    const sizes = Object.values(filled(10_000)).map((value: unknown) =>
      ArrayBuffer.isView(value) ? value.byteLength + 128 : 16,
    )
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThan(1_024)
  })
})

describe('quality in a snapshot', () => {
  it('comes by the clock, by the codec of the SDP, and with a last interval at the end', async () => {
    const { network, toA, clock, session } = await call()
    expect(session.snapshot().streams[0]?.a?.quality).toBeUndefined()
    for (let sequence = 0; sequence < 400; sequence++) {
      network.deliver(toA, rtpPacket({ sequence }), A.address, A.port)
      clock.advance(20)
    }
    const { a, b } = session.snapshot().streams[0] ?? {}
    expect(a?.quality).toMatchObject({ mosLast: mosOf(93.2), rFactor: 93.2 })
    expect(a?.quality?.intervals).toHaveLength(1)
    expect(b?.quality).toBeUndefined()
    expect(session.snapshot(true).streams[0]?.a?.quality).toMatchObject({ rFactor: 93.2, intervals: [] })
    const { intervals = [] } = session.close().streams[0]?.a?.quality ?? {}
    expect(intervals.reduce((sum, { packets }) => sum + packets, 0)).toBe(400)
  })

  it('keeps the codec of the speech over tones', async () => {
    const { network, toB, clock, session } = await call(['a=rtpmap:101 telephone-event/8000'])
    for (let sequence = 0; sequence < 300; sequence++) {
      const payloadType = sequence % 50 === 30 ? 101 : 8
      network.deliver(toB, rtpPacket({ sequence, payloadType }), B.address, B.port)
      clock.advance(20)
    }
    expect(session.snapshot().streams[0]?.b?.quality?.mosLast).toBeGreaterThan(4.3)
  })
})
