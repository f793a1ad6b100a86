import { describe, expect, it } from 'vitest'
import { isEqualDigest } from './equal-digest'

describe('isEqualDigest', () => {
  const digest = 'a0b1c2d3e4f5a6b7c8d9e0f1a2b3c4d5'

  it('takes digits of either case', () => {
    expect(isEqualDigest(digest, digest)).toBe(true)
    expect(isEqualDigest(digest, digest.toUpperCase())).toBe(true)
    expect(isEqualDigest(digest + digest, digest + digest)).toBe(true)
  })

  it('finds a change of any digit', () => {
    for (let at = 0; at < digest.length; at += 1) {
      const other = digest[at] === '0' ? '1' : '0'
      expect(isEqualDigest(digest, digest.slice(0, at) + other + digest.slice(at + 1))).toBe(false)
    }
  })

  it('takes nothing else for a digit, not even what has the same low byte', () => {
    const zeros = 'a'.repeat(32)
    expect(isEqualDigest(zeros, 'š'.repeat(32))).toBe(false)
    expect(isEqualDigest(zeros, `${'a'.repeat(31)}g`)).toBe(false)
    expect(isEqualDigest(zeros, 'a'.repeat(31))).toBe(false)
    expect(isEqualDigest(zeros, 'a'.repeat(33))).toBe(false)
    expect(isEqualDigest(zeros, '')).toBe(false)
    expect(isEqualDigest('', '')).toBe(false)
  })

  it('keeps nothing of one comparison for the next', () => {
    expect(isEqualDigest(digest, digest)).toBe(true)
    expect(isEqualDigest('f'.repeat(32), `${'f'.repeat(31)} `)).toBe(false)
    expect(isEqualDigest('f'.repeat(32), digest)).toBe(false)
  })
})
