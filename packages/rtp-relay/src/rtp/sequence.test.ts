import { describe, expect, it } from 'vitest'
import { addSequence, addTimestamp, extendSequence, extendTimestamp } from './sequence'

describe('numbers that wrap', () => {
  it('RFC 3550 §5.1: are counted on past their end', () => {
    expect([addSequence(65_535, 1), addSequence(0, -1), addSequence(5, 65_536 * 3 + 2)]).toEqual([0, 65_535, 7])
    expect([addTimestamp(0xffff_ffff, 1), addTimestamp(0, -1), addTimestamp(-16, 0)]).toEqual([
      0, 0xffff_ffff, 0xffff_fff0,
    ])
  })

  it('RFC 3550 appendix A.1: are extended to the nearest number, over any number of cycles', () => {
    expect(extendSequence(65_535, 0)).toBe(65_536)
    expect(extendSequence(65_536, 65_535)).toBe(65_535)
    expect(extendSequence(5, 65_530)).toBe(-6)
    let extended = 65_000
    for (let sent = 65_001; sent < 65_000 + 3 * 65_536; sent += 9_999) {
      extended = extendSequence(extended, sent & 0xffff)
      expect(extended).toBe(sent)
    }
  })

  it('RFC 3550 §5.1: are extended for timestamps past 2**32', () => {
    expect(extendTimestamp(0xffff_fff0, 0x10)).toBe(0x1_0000_0010)
    expect(extendTimestamp(0x1_0000_0010, 0xffff_fff0)).toBe(0xffff_fff0)
    expect(extendTimestamp(5 * 2 ** 32 + 100, 99)).toBe(5 * 2 ** 32 + 99)
    // As the hot accessor of the header gives it: signed.
    expect(extendTimestamp(0xffff_0000, -16)).toBe(0xffff_fff0)
  })

  it('RFC 3550 §5.1: half the space away is behind, and one less is ahead', () => {
    expect(extendSequence(100_000, (100_000 + 32_767) & 0xffff)).toBe(132_767)
    expect(extendSequence(100_000, (100_000 + 32_768) & 0xffff)).toBe(67_232)
  })
})
