import { Buffer } from 'node:buffer'
import { createCipheriv, randomBytes } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { CounterMode, KeyStreamAhead } from './key-stream'

function reference(key: Buffer, salt: Buffer, ssrc: number, index: number, plain: Buffer): Buffer {
  const iv = BigInt(`0x${salt.toString('hex')}0000`) ^ (BigInt(ssrc >>> 0) << 64n) ^ (BigInt(index) << 16n)
  return createCipheriv(`aes-${key.length * 8}-ctr`, key, Buffer.from(iv.toString(16).padStart(32, '0'), 'hex')).update(
    plain,
  )
}

describe('RFC 3711 §4.1.1: the key stream', () => {
  it('made ahead is that of counter mode: in order, over gaps and wraps, late, and for payloads that grow', () => {
    for (const bytes of [16, 24, 32]) {
      const [key, salt] = [randomBytes(bytes), randomBytes(14)]
      const mode = new CounterMode(key, salt)
      const ahead = new KeyStreamAhead(true)
      const indexes = Array.from({ length: 60 }, (_, at) => 65_500 + at)
      indexes.push(65_501, 65_580, 65_581, 65_582, 70_000, 65_583, 2 ** 40, 2 ** 40 + 1, 2 ** 40 + 2)
      for (const [step, index] of indexes.entries()) {
        const plain = randomBytes(step % 3 === 0 ? 33 : 10 + step * 5)
        const out = Buffer.alloc(plain.length + 7)
        ahead.apply(mode, -77, index, plain, 0, plain.length, out, 7)
        expect(out.subarray(7), `index ${index}`).toEqual(reference(key, salt, -77, index, plain))
      }
    }
  })

  it('is made anew for every packet where the key changes with the index', () => {
    const [key, salt] = [randomBytes(16), randomBytes(14)]
    const [one, other] = [new CounterMode(key, salt), new CounterMode(randomBytes(16), salt)]
    const ahead = new KeyStreamAhead(false)
    const plain = randomBytes(40)
    const out = Buffer.alloc(40)
    for (let index = 0; index < 20; index++) {
      ahead.apply(index < 10 ? one : other, 5, index, plain, 0, 40, out, 0)
      if (index < 10) expect(out).toEqual(reference(key, salt, 5, index, plain))
      else expect(out).not.toEqual(reference(key, salt, 5, index, plain))
    }
  })
})
