import { describe, expect, it } from 'vitest'
import { isMuxablePayloadType, payloadTypeUse, staticPayloadType } from './payload-types'

const all = Array.from({ length: 128 }, (_, payloadType) => payloadType)

describe('payload types', () => {
  it.each([
    [0, 'PCMU', 'audio', 8_000, 1],
    [8, 'PCMA', 'audio', 8_000, 1],
    [10, 'L16', 'audio', 44_100, 2],
    [13, 'CN', 'audio', 8_000, 1],
    [18, 'G729', 'audio', 8_000, 1],
    [26, 'JPEG', 'video', 90_000, 1],
    [33, 'MP2T', 'both', 90_000, 1],
    [34, 'H263', 'video', 90_000, 1],
  ])('RFC 3551 §6: %i is %s', (payloadType, name, media, clockRate, channels) => {
    expect(staticPayloadType(payloadType)).toEqual({ payloadType, name, media, clockRate, channels })
  })

  it('RFC 3551 §4.5.2: G722 has a clock of 8000 although it samples at 16000', () => {
    expect(staticPayloadType(9)).toMatchObject({ name: 'G722', clockRate: 8_000 })
  })

  it('RFC 3551 §6: are static, reserved, unassigned or dynamic as tables 4 and 5 have them', () => {
    const of = (use: string): number[] => all.filter((payloadType) => payloadTypeUse(payloadType) === use)
    expect(of('static')).toEqual([0, ...range(3, 18), 25, 26, 28, ...range(31, 34)])
    expect(of('reserved')).toEqual([1, 2, 19, ...range(72, 76)])
    expect(of('dynamic')).toEqual(range(96, 127))
    expect(of('unassigned')).toEqual([...range(20, 24), 27, 29, 30, ...range(35, 71), ...range(77, 95)])
    expect(of('static')).toEqual(all.filter((payloadType) => staticPayloadType(payloadType) !== undefined))
  })

  it.each([-1, 128, 0.5, Number.NaN])('RFC 3551 §3: %d is none', (payloadType) => {
    expect(() => payloadTypeUse(payloadType)).toThrow(RangeError)
    expect(staticPayloadType(payloadType)).toBeUndefined()
  })

  it('RFC 5761 §4: from 64 to 95 are not for a port that carries RTCP too', () => {
    expect(all.filter((payloadType) => !isMuxablePayloadType(payloadType))).toEqual(range(64, 95))
  })
})

function range(from: number, to: number): number[] {
  return all.slice(from, to + 1)
}
