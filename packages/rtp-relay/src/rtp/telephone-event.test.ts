import { Buffer } from 'node:buffer'
import { describe, expect, it } from 'vitest'
import {
  digitOfEvent,
  eventOfDigit,
  readTelephoneEvents,
  type TelephoneEvent,
  writeTelephoneEvents,
} from './telephone-event'

const five: TelephoneEvent = { event: 5, isEnd: true, volume: 10, durationUnits: 800 }

describe('the payload of telephone-event', () => {
  it('RFC 4733 §2.3: is an event, its end, its volume and its duration', () => {
    expect(readTelephoneEvents(Buffer.from('058a0320', 'hex'))).toEqual({ ok: true, events: [five] })
    expect(Buffer.from(writeTelephoneEvents([five])).toString('hex')).toBe('058a0320')
    expect(readTelephoneEvents(Buffer.from('ff3fffff', 'hex'))).toEqual({
      ok: true,
      events: [{ event: 255, isEnd: false, volume: 63, durationUnits: 65_535 }],
    })
  })

  it('RFC 4733 §2.3.3: has a reserved bit that is written as zero and not looked at', () => {
    expect(readTelephoneEvents(Buffer.from('05ca0320', 'hex'))).toEqual({ ok: true, events: [five] })
  })

  it('RFC 4733 §2.5.1.5: may have several events', () => {
    const events = [five, { ...five, event: 11, isEnd: false, durationUnits: 1 }]
    const payload = writeTelephoneEvents(events)
    expect(Buffer.from(payload).toString('hex')).toBe('058a03200b0a0001')
    expect(readTelephoneEvents(payload)).toEqual({ ok: true, events })
  })

  it('RFC 4733 §2.3: is refused when it is cut, empty, or longer than it may be', () => {
    for (const length of [0, 1, 2, 3, 5, 7, 65]) {
      expect(readTelephoneEvents(Buffer.alloc(length))).toEqual({
        ok: false,
        code: 'TELEPHONE_EVENT_CUT',
        offset: length,
      })
    }
    expect(readTelephoneEvents(Buffer.alloc(64)).ok).toBe(true)
    expect(readTelephoneEvents(Buffer.alloc(68))).toEqual({ ok: false, code: 'TELEPHONE_EVENT_TOO_MANY', offset: 64 })
  })

  it.each<[string, TelephoneEvent[]]>([
    ['no event', []],
    ['17 events', Array.from({ length: 17 }, () => five)],
    ['an event of 9 bits', [{ ...five, event: 256 }]],
    ['a volume of 7 bits', [{ ...five, volume: 64 }]],
    ['a duration of 17 bits', [{ ...five, durationUnits: 65_536 }]],
    ['half a unit', [{ ...five, durationUnits: 0.5 }]],
  ])('RFC 4733 §2.3: is not written with %s', (_, events) => {
    expect(() => writeTelephoneEvents(events)).toThrow(RangeError)
  })

  it('RFC 4733 §3.2: names the digits by their codes', () => {
    const digits = Array.from('0123456789*#ABCD')
    expect(digits.map((digit) => eventOfDigit(digit))).toEqual(digits.map((_, event) => event))
    expect(digits.map((_, event) => digitOfEvent(event))).toEqual(digits)
    expect([eventOfDigit('a'), eventOfDigit('d')]).toEqual([12, 15])
    expect([eventOfDigit(''), eventOfDigit('12'), eventOfDigit('E'), eventOfDigit('é')]).toEqual(
      Array(4).fill(undefined),
    )
    expect([digitOfEvent(16), digitOfEvent(255), digitOfEvent(-1)]).toEqual([undefined, undefined, undefined])
  })
})
