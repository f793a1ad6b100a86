import { Challenge } from '@carillon/sip-parser'
import { describe, expect, it } from 'vitest'
import { challengesFor } from './challenge-policy'

const offered = ['SHA-256', 'MD5'].map((algorithm) => Challenge.of({ params: [['algorithm', algorithm]] }))

function shown(userAgent: string | undefined, challenges = offered) {
  return challengesFor(userAgent, challenges).map((challenge) => challenge.algorithm)
}

describe('challengesFor', () => {
  it('RFC 8760 §2.4: shows a phone every challenge, strongest first', () => {
    for (const userAgent of ['Linphone/4.4', 'Yealink SIP-T46S', 'baresip v3.5.0 (x86_64/linux)', 'my baresip v1.0']) {
      expect(shown(userAgent)).toEqual(['SHA-256', 'MD5'])
    }
  })

  it('shows MD5 alone to peers that give up on anything else', () => {
    for (const userAgent of ['baresip v1.0.0 (x86_64/linux)', 'SIPp', 'sipp/3.6', 'sipsak 0.9.8.1', undefined]) {
      expect(shown(userAgent)).toEqual(['MD5'])
    }
  })

  it('shows what there is when MD5 is not offered', () => {
    expect(shown('SIPp', offered.slice(0, 1))).toEqual(['SHA-256'])
  })
})
