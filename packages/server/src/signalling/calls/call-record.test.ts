import { describe, expect, it } from 'vitest'
import { callRecord, dispositionOf } from './call-record'

const facts = {
  callId: 'c1',
  source: '1001',
  destination: '1002',
  startMs: 1_000,
  answerMs: 3_500,
  endMs: 10_000,
  disposition: 'ANSWERED',
  sipStatus: 200,
  hangUpSide: 'source',
  media: {
    a: { packets: 90, bytes: 1, lost: 10, jitterMs: 1.234 },
    b: { packets: 100, bytes: 1, lost: 0, jitterMs: 0.5 },
  },
} as const

describe('callRecord', () => {
  it('counts seconds from the start and from the answer', () => {
    expect(callRecord(facts)).toEqual({
      callId: 'c1',
      linkedId: 'c1',
      source: '1001',
      destination: '1002',
      start: '1970-01-01T00:00:01.000Z',
      answer: '1970-01-01T00:00:03.500Z',
      end: '1970-01-01T00:00:10.000Z',
      duration: 9,
      billsec: 6.5,
      disposition: 'ANSWERED',
      sipStatus: 200,
      hangUpSide: 'source',
      jitterMs: 1.23,
      lossPercent: 5,
      packets: 190,
      packetsFromSource: 90,
      packetsFromDestination: 100,
    })
  })

  it('bills nothing for a call that was not answered', () => {
    const record = callRecord({ ...facts, answerMs: undefined, media: undefined, disposition: 'BUSY', sipStatus: 486 })
    expect(record).toMatchObject({ answer: null, billsec: 0, packets: 0, lossPercent: 0, jitterMs: 0 })
  })
})

describe('dispositionOf', () => {
  it.each([
    [200, 'ANSWERED'],
    [486, 'BUSY'],
    [600, 'BUSY'],
    [603, 'BUSY'],
    [480, 'NO ANSWER'],
    [487, 'NO ANSWER'],
    [408, 'NO ANSWER'],
    [503, 'CONGESTION'],
    [404, 'FAILED'],
    [500, 'FAILED'],
  ])('%i is %s', (status, disposition) => {
    expect(dispositionOf(status)).toBe(disposition)
  })
})
