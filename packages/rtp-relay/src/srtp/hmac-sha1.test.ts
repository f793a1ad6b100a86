import { Buffer } from 'node:buffer'
import { createHash, createHmac, randomBytes } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { HmacSha1 } from './hmac-sha1'
import { sha1Words, startSha1 } from './sha1'
import { compressSha1 } from './sha1-rounds'

describe('SHA-1 and its HMAC', () => {
  it('FIPS 180-4 §6.1: one block of random bytes, as node:crypto has it', () => {
    for (let round = 0; round < 100; round++) {
      const text = randomBytes(round % 56)
      const block = Buffer.alloc(70)
      text.copy(block, 6)
      block[6 + text.length] = 0x80
      block.writeUInt32BE(text.length * 8, 66)
      const state = new Int32Array(sha1Words)
      startSha1(state)
      compressSha1(state, block, 6)
      const digest = Buffer.alloc(20)
      for (const [index, word] of state.entries()) digest.writeInt32BE(word, index * 4)
      expect(digest.toString('hex')).toBe(createHash('sha1').update(text).digest('hex'))
    }
  })

  it('RFC 2202 §3: test cases 1 to 3', () => {
    const cases = [
      [Buffer.alloc(20, 0x0b), Buffer.from('Hi There'), 'b617318655057264e28bc0b6fb378c8ef146be00'],
      [Buffer.from('Jefe'), Buffer.from('what do ya want for nothing?'), 'effcdf6ae5eb2fa2d27416d5f184df9c259a7c79'],
      [Buffer.alloc(20, 0xaa), Buffer.alloc(50, 0xdd), '125d7342b9ac11cd91a39af48aa17b4f63f175d3'],
    ] as const
    for (const [key, text, wanted] of cases) {
      const out = Buffer.alloc(20)
      new HmacSha1(key).sign(text, text.length, undefined, out, 0, 20)
      expect(out.toString('hex')).toBe(wanted)
    }
  })

  it('RFC 3711 §4.2: every length, with the roll-over counter and without', () => {
    for (let length = 0; length < 300; length++) {
      const [key, text, roc] = [randomBytes(20), randomBytes(length), randomBytes(4)]
      const hmac = new HmacSha1(key)
      const out = Buffer.alloc(20)
      hmac.sign(text, length, roc.readUInt32BE(0), out, 0, 20)
      expect(out.toString('hex')).toBe(createHmac('sha1', key).update(text).update(roc).digest('hex'))
      hmac.sign(text, length, undefined, out, 0, 20)
      expect(out.toString('hex')).toBe(createHmac('sha1', key).update(text).digest('hex'))
      expect(hmac.verify(text, length, undefined, out, 0, 10)).toBe(true)
      out[9] = out[9]! ^ 1
      expect(hmac.verify(text, length, undefined, out, 0, 10)).toBe(false)
    }
  })
})
