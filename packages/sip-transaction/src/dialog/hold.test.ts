import { describe, expect, it } from 'vitest'
import { changedOffer, isHolding } from './hold'
import { continuedFrom } from './origin'

const sdp = (direction: string, address = '10.0.0.9') =>
  `v=0\r\no=a 7 1 IN IP4 10.0.0.9\r\ns=-\r\nc=IN IP4 ${address}\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\na=${direction}\r\n`
const text = (bytes: Uint8Array | undefined) => Buffer.from(bytes ?? []).toString()

describe('hold', () => {
  it('RFC 3264 §8.4: sendonly, inactive and 0.0.0.0 hold; sendrecv, recvonly and what cannot be read do not', () => {
    expect(['sendonly', 'inactive', 'sendrecv', 'recvonly'].map((each) => isHolding(sdp(each)))).toEqual([
      true,
      true,
      false,
      false,
    ])
    expect(isHolding(sdp('sendrecv', '0.0.0.0'))).toBe(true)
    expect(isHolding('rubbish')).toBe(false)
    expect(isHolding(undefined)).toBe(false)
  })

  it('makes the next offer with a higher version, and back again', () => {
    const held = changedOffer(sdp('sendrecv'), 'hold')
    expect(text(held)).toContain('a=sendonly')
    expect(text(held)).toContain('o=a 7 2 ')
    expect(text(changedOffer(held, 'resume'))).toMatch(/o=a 7 3 [\s\S]*a=sendrecv/)
    expect(changedOffer(undefined, 'hold')).toBeUndefined()
    expect(changedOffer('rubbish', 'hold')).toBeUndefined()
  })
})

describe('origin', () => {
  it('RFC 3264 §8, RFC 3725 §7: the next description of another maker gets the origin of the last one, a version higher', () => {
    const other = Buffer.from(sdp('sendrecv').replace('o=a 7 1 IN IP4 10.0.0.9', 'o=b 9 5 IN IP4 10.0.0.1'))
    expect(text(continuedFrom(sdp('sendrecv'), other))).toContain('o=a 7 2 IN IP4 10.0.0.9\r')
    expect(continuedFrom(undefined, other)).toBe(other)
    expect(continuedFrom(other, other)).toBe(other)
    expect(text(continuedFrom(sdp('sendrecv').replace('7 1', '7 18446744073709551615'), other))).toContain('7 1 IN')
  })
})
