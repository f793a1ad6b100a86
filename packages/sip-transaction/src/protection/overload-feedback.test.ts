import { createRequest, type Via } from '@carillon/sip-parser'
import { describe, expect, it } from 'vitest'
import { feedbackParameters, offersOverload, overloadOffer, readFeedback } from './overload-feedback'

function via(params: string): Via {
  const headers = [['Via', `SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1${params}`]] as const
  return createRequest({ method: 'OPTIONS', uri: 'sip:a@example.com', headers: [...headers] }).via
}

function told(reduction: number, wallMs = 1_282_321_615_782): Via {
  const text = feedbackParameters({ reduction, validityMs: 500, wallMs }).map(([name, value]) => `;${name}=${value}`)
  return via(text.join(''))
}

describe('overload control in Via', () => {
  it('RFC 7339 §5.1: an offer is oc without a value, with an algorithm that we have', () => {
    expect(offersOverload(via(overloadOffer))).toBe(true)
    expect(offersOverload(via(';oc;oc-algo="loss,rate"'))).toBe(true)
    expect(offersOverload(via(';oc;oc-algo="rate"'))).toBe(false)
    expect(offersOverload(via(';oc'))).toBe(false)
    expect(offersOverload(via(''))).toBe(false)
  })

  it('RFC 7339 §4: what a server writes is what a client reads', () => {
    const answer = told(0.2)
    expect(answer.toString()).toContain(';oc=20;oc-algo="loss";oc-validity=500;oc-seq=1282321615.782')
    expect(readFeedback(answer)).toEqual({ reduction: 0.2, validityMs: 500, sequence: 1_282_321_615.782 })
  })

  it('RFC 7339 §4.3: without overload the validity is zero, which ends what was said before', () => {
    expect(readFeedback(told(0))).toMatchObject({ reduction: 0, validityMs: 0 })
  })

  it('RFC 7339 §4.4: what is said later has the larger number, at every fraction of a second', () => {
    const sequences = [999, 1_000, 1_009, 1_010, 1_099, 1_100, 2_000].map((wallMs) => readFeedback(told(0.1, wallMs)))
    const numbers = sequences.map((each) => each?.sequence ?? 0)
    expect(numbers).toEqual([...numbers].sort((one, other) => one - other))
    expect(new Set(numbers).size).toBe(numbers.length)
  })

  it.each([
    '',
    ';oc',
    ';oc=20',
    ';oc=101;oc-algo="loss";oc-validity=500;oc-seq=1.1',
    ';oc=20;oc-algo="rate";oc-validity=500;oc-seq=1.1',
    ';oc=x;oc-algo="loss";oc-seq=1.1',
  ])('takes no word from "%s"', (params) => {
    let value: Via | undefined
    try {
      value = via(params)
    } catch {
      // Refused by the parser already.
    }
    expect(value === undefined ? undefined : readFeedback(value)).toBeUndefined()
  })

  it('RFC 7339 §4.3: half a second holds when nothing is said', () => {
    expect(readFeedback(via(';oc=20;oc-algo="loss";oc-seq=1.1'))?.validityMs).toBe(500)
  })
})
