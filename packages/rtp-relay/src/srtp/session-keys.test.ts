import { randomBytes } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { generateMaterial } from './sdes'
import { SessionKeys } from './session-keys'

const rate = 1_024

function derived(): SessionKeys {
  const material = generateMaterial('AES_CM_128_HMAC_SHA1_80', (count) => randomBytes(count))
  return new SessionKeys({ ...material, keyDerivationRate: rate })
}

describe('RFC 3711 §4.3.1: keys that are derived anew', () => {
  it.each([
    ['a forged packet that came first', [[32_000, false]]],
    [
      'a forged packet far ahead',
      [
        [1, true],
        [32_000, false],
      ],
    ],
    ['a silence of many rounds', [[1, true]]],
    [
      'forged packets between all others',
      [
        [1, true],
        [9_000, false],
        [2, true],
        [20_000, false],
      ],
    ],
  ] as const)('are the same for all packets of a round, after %s', (_name, packets) => {
    const keys = derived()
    for (const [index, isAuthentic] of packets) {
      keys.rtpAt(index)
      if (isAuthentic) keys.countRtp()
    }
    const first = keys.rtpAt(5_120)
    keys.countRtp()
    for (let index = 5_121; index < 6_144; index++) {
      keys.rtpAt(index + 40_000)
      expect(keys.rtpAt(index)).toBe(first)
      keys.countRtp()
    }
    expect(keys.rtpAt(6_144)).not.toBe(first)
    keys.countRtp()
    // Those of the round before stay for packets that come late.
    expect(keys.rtpAt(6_143)).toBe(first)
  })

  it('of RTP and RTCP go their own ways', () => {
    const keys = derived()
    const first = keys.rtcpAt(1)
    keys.countRtcp()
    keys.rtpAt(5_000)
    keys.countRtp()
    expect(keys.rtcpAt(2)).toBe(first)
    expect(keys).toMatchObject({ rtpPackets: 1, rtcpPackets: 1 })
  })
})
