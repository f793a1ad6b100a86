/**
 * AES in counter mode as SRTP uses it (RFC 3711 §4.1.1, RFC 6188 §2), out of one long-lived ECB cipher that is fed with
 * counter blocks. Which packets come next is known, so the key stream of several is made in one call.
 */
import { Buffer } from 'node:buffer'
import { createCipheriv } from 'node:crypto'
import { endianness } from 'node:os'

const blockBytes = 16
const wordsPerBlock = 4
/** Key stream that is made ahead for one source: eight packets of G.711. */
const aheadBytesMax = 1_408
const aheadPacketsMax = 8
/** The largest packet has no more blocks than these. */
const blocksMax = 4_096

/** Counter blocks on their way into the cipher; there is one packet at a time in a thread. */
const counters = new Int32Array(blocksMax * wordsPerBlock)
const counterBytes = Buffer.from(counters.buffer)

const isLittle = endianness() === 'LE'

/** A word whose bytes stand in memory in the order of the network. */
function networkOrder(word: number): number {
  if (!isLittle) return word | 0
  return (word << 24) | ((word << 8) & 0xff0000) | ((word >>> 8) & 0xff00) | (word >>> 24)
}

/** The cipher and salt of one session key. */
export class CounterMode {
  private readonly cipher: ReturnType<typeof createCipheriv>
  /** The salt as four words: an array would be four times as large. */
  private salt0: number
  private salt1: number
  private salt2: number
  private salt3: number

  /** @param key 16, 24 or 32 bytes  @param salt 14 bytes; neither is kept */
  constructor(key: Uint8Array, salt: Uint8Array) {
    this.cipher = createCipheriv(`aes-${key.length * 8}-ecb`, key, null)
    this.cipher.setAutoPadding(false)
    const view = new DataView(salt.buffer, salt.byteOffset, salt.length)
    this.salt0 = view.getInt32(0)
    this.salt1 = view.getInt32(4)
    this.salt2 = view.getInt32(8)
    this.salt3 = view.getUint16(12) << 16
  }

  /**
   * The key streams of `packets` packets from `index` on, `blocks` blocks each, one after the other.
   * @returns bytes that are the caller's
   */
  make(ssrc: number, index: number, blocks: number, packets: number): Uint8Array {
    const { salt2, salt3 } = this
    const first = networkOrder(this.salt0)
    const second = networkOrder(this.salt1 ^ ssrc)
    let at = 0
    for (let packet = index; packet < index + packets; packet++) {
      const third = networkOrder(salt2 ^ Math.floor(packet / 65_536))
      const fourth = salt3 ^ ((packet % 65_536) << 16)
      for (let block = 0; block < blocks; block++, at += wordsPerBlock) {
        counters[at] = first
        counters[at + 1] = second
        counters[at + 2] = third
        counters[at + 3] = networkOrder(fourth | block)
      }
    }
    return this.cipher.update(counterBytes.subarray(0, packets * blocks * blockBytes))
  }

  /** Forgets the salt; the key goes with the cipher. */
  wipe(): void {
    this.salt0 = 0
    this.salt1 = 0
    this.salt2 = 0
    this.salt3 = 0
  }
}

/** The key stream of one source, made ahead of its packets. */
export class KeyStreamAhead {
  private stream: Uint8Array | undefined
  private first = 0
  private packets = 0
  private blocks = 0
  private lastIndex = -2

  /** @param isSteady false where the key changes with the index: nothing is made ahead then */
  constructor(private readonly isSteady: boolean) {}

  /** Writes `length` bytes of `source` from `from` on, encrypted or decrypted, to `out` at `at`. */
  apply(
    mode: CounterMode,
    ssrc: number,
    index: number,
    source: Uint8Array,
    from: number,
    length: number,
    out: Uint8Array,
    at: number,
  ): void {
    const needed = (length + blockBytes - 1) >> 4
    if (needed === 0) return
    let offset = index - this.first
    if (this.stream === undefined || offset < 0 || offset >= this.packets || needed > this.blocks) {
      const isNext = this.isSteady && index === this.lastIndex + 1
      if (!isNext) {
        xor(mode.make(ssrc, index, needed, 1), 0, source, from, length, out, at)
        this.lastIndex = index
        return
      }
      this.blocks = needed
      this.packets = Math.max(1, Math.min(aheadPacketsMax, Math.floor(aheadBytesMax / (needed * blockBytes))))
      this.first = index
      this.stream = mode.make(ssrc, index, needed, this.packets)
      offset = 0
    }
    this.lastIndex = index
    xor(this.stream, offset * this.blocks * blockBytes, source, from, length, out, at)
  }

  /** Forgets what was made ahead. */
  wipe(): void {
    this.stream?.fill(0)
    this.stream = undefined
  }
}

function xor(
  stream: Uint8Array,
  offset: number,
  source: Uint8Array,
  from: number,
  length: number,
  out: Uint8Array,
  at: number,
): void {
  for (let i = 0; i < length; i++) out[at + i] = source[from + i]! ^ stream[offset + i]!
}
