import { describe, expect, it } from 'vitest'
import { invite } from './fixtures/messages'
import { privacyOf, writePrivacy } from './privacy-request'

const read = (...values: string[]) => {
  const { levels, unknown, isCritical, isNone } = privacyOf(invite(values.map((value) => `Privacy: ${value}`)))
  return { levels: [...levels], unknown, isCritical, isNone }
}

describe('the Privacy header', () => {
  it.each([
    ['id', ['id'], [], false, false],
    ['header;user;session;critical', ['header', 'user', 'session'], [], true, false],
    ['none', [], [], false, true],
    ['none;critical', [], [], true, true],
    ['History', ['history'], [], false, false],
    ['none;id', ['id'], [], false, false],
    ['id;x-moon;Id', ['id'], ['x-moon'], false, false],
    ['none;x-moon', [], ['x-moon'], false, false],
  ])('RFC 3323 §4.2, RFC 3325 §9.3, RFC 7044 §10.1: %s', (value, levels, unknown, isCritical, isNone) => {
    expect(read(value)).toEqual({ levels, unknown, isCritical, isNone })
  })

  it('is read where it is malformed: a comma, an empty value or a second line hides no less', () => {
    expect(read('id, user').levels).toEqual(['id', 'user'])
    expect(read('id;').levels).toEqual(['id'])
    expect(read('none', 'id')).toMatchObject({ levels: ['id'], isNone: false })
    expect(read('"id"').unknown).toEqual(['"id"'])
  })

  it('asks for nothing when it is absent', () => {
    expect(read()).toEqual({ levels: [], unknown: [], isCritical: false, isNone: false })
  })

  it('keeps few unknown words of a thousand', () => {
    const words = Array.from({ length: 1_000 }, (_, index) => `x${index}`)
    expect(read(`id;${words.join(';')}`).unknown.length).toBeLessThanOrEqual(32)
  })

  it('RFC 3323 §4.2: is written with critical at its end, each value once', () => {
    expect(writePrivacy(['critical', 'id', 'user', 'id'])).toBe('id;user;critical')
  })
})
