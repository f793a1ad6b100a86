import { describe, expect, it } from 'vitest'
import { SrtpTerms } from './srtp-terms'

describe('SrtpTerms', () => {
  it('asks nothing of the relay for a side that is `as-offered`, or that says nothing', () => {
    expect(new SrtpTerms({ a: {}, b: { srtp: 'as-offered' } }).towards).toEqual({})
  })

  it('has the terms of each side', () => {
    const { towards } = new SrtpTerms({ a: { srtp: 'on' }, b: { srtp: 'best-effort' } })
    expect(towards).toEqual({
      a: { transportProtocol: 'RTP/SAVP' },
      b: { transportProtocol: 'RTP/AVP', bestEffort: true },
    })
  })

  it('takes a side at its word once it has offered, so that nothing goes from encrypted to plain within a call', () => {
    const terms = new SrtpTerms({ a: { srtp: 'off' }, b: { srtp: 'on' } })
    const { towards } = terms
    terms.offeredBy('a')
    expect(towards).toEqual({ b: { transportProtocol: 'RTP/SAVP' } })
    terms.offeredBy('b')
    expect(towards).toEqual({})
  })
})
