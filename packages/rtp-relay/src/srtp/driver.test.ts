import { Buffer } from 'node:buffer'
import { createCipheriv, createHmac, randomBytes } from 'node:crypto'
import { inspect } from 'node:util'
import { describe, expect, it } from 'vitest'
import { srtpSourcesMax } from '../limits'
import { rtpPacket, senderReport } from '../testing/packets'
import { srtpFailures } from './failures'
import { deriveKey, keyLabels } from './key-derivation'
import type { SrtpMaterial } from './material'
import { SrtpReceiver } from './receiver'
import { generateMaterial } from './sdes'
import { SrtpSender } from './sender'
import { type SrtpSuiteName, srtpOverheadMax, srtpSuites } from './suites'

const suites = Object.keys(srtpSuites) as SrtpSuiteName[]
const CM_80: SrtpSuiteName = 'AES_CM_128_HMAC_SHA1_80'

class Pair {
  readonly material: SrtpMaterial
  readonly sender: SrtpSender
  readonly receiver: SrtpReceiver

  constructor(suite: SrtpSuiteName = CM_80, extra: Partial<SrtpMaterial> = {}) {
    this.material = { ...generateMaterial(suite, (count) => randomBytes(count)), ...extra }
    this.sender = new SrtpSender(this.material)
    this.receiver = new SrtpReceiver(this.material)
  }

  protect(packet: Buffer): Buffer {
    const out = Buffer.alloc(packet.length + srtpOverheadMax)
    const length = this.sender.protectRtp(packet, packet.length, out)
    if (length < 0) throw new Error(`not protected: ${length}`)
    return out.subarray(0, length)
  }

  protectRtcp(packet: Buffer): Buffer {
    const out = Buffer.alloc(packet.length + srtpOverheadMax)
    return out.subarray(0, this.sender.protectRtcp(packet, packet.length, out))
  }

  /** The packet that was inside, or why there is none. */
  open(packet: Buffer): Buffer | number {
    const copy = Buffer.from(packet)
    const length = this.receiver.unprotectRtp(copy, copy.length)
    if (length < 0) expect(copy, 'bytes of a refused packet').toEqual(packet)
    return length < 0 ? length : copy.subarray(0, length)
  }

  openRtcp(packet: Buffer): Buffer | number {
    const copy = Buffer.from(packet)
    const length = this.receiver.unprotectRtcp(copy, copy.length)
    return length < 0 ? length : copy.subarray(0, length)
  }
}

/** RFC 3711 §4.1.1 and §4.2 once more, without anything of ours but the keys. */
function independent(material: SrtpMaterial, packet: Buffer, index: number): Buffer {
  const { masterKey, masterSalt, suite } = material
  const { keyBytes, rtpTagBytes } = srtpSuites[suite]
  const key = deriveKey(masterKey, masterSalt, keyLabels.RTP_ENCRYPTION, 0, keyBytes)
  const auth = deriveKey(masterKey, masterSalt, keyLabels.RTP_AUTHENTICATION, 0, 20)
  const salt = deriveKey(masterKey, masterSalt, keyLabels.RTP_SALT, 0, 14)
  const wide = BigInt(`0x${salt.toString('hex')}0000`)
  const iv = wide ^ (BigInt(packet.readUInt32BE(8)) << 64n) ^ (BigInt(index) << 16n)
  const cipher = createCipheriv(`aes-${keyBytes * 8}-ctr`, key, Buffer.from(iv.toString(16).padStart(32, '0'), 'hex'))
  const encrypted = Buffer.concat([packet.subarray(0, 12), cipher.update(packet.subarray(12))])
  const roc = Buffer.alloc(4)
  roc.writeUInt32BE(Math.floor(index / 65_536))
  const tag = createHmac('sha1', auth).update(encrypted).update(roc).digest().subarray(0, rtpTagBytes)
  return Buffer.concat([encrypted, tag])
}

function filled(sequence: number, payloadBytes: number, ssrc = 0xcafebabe): Buffer {
  const packet = rtpPacket({ sequence, ssrc, payloadBytes })
  randomBytes(payloadBytes).copy(packet, 12)
  return packet
}

describe.each(suites)('%s', (suite) => {
  it('opens what it protects, RTP and RTCP, of every length', () => {
    const pair = new Pair(suite)
    for (let bytes = 0; bytes < 200; bytes += 7) {
      const packet = filled(bytes, bytes)
      const protectedPacket = pair.protect(packet)
      expect(protectedPacket.length).toBe(packet.length + srtpSuites[suite].rtpTagBytes)
      expect(pair.open(protectedPacket)).toEqual(packet)
      const report = senderReport(bytes)
      expect(pair.openRtcp(pair.protectRtcp(report))).toEqual(report)
    }
  })

  it('goes on over two wraps of the sequence number, with loss across them', () => {
    const pair = new Pair(suite)
    for (let index = 60_000; index < 200_000; index += index % 65_536 > 65_500 || index % 65_536 < 40 ? 1 : 1999) {
      const packet = filled(index, 20)
      const protectedPacket = pair.protect(packet)
      if (index % 65_536 > 65_530 || index % 65_536 < 3) continue
      expect(pair.open(protectedPacket), `index ${index}`).toEqual(packet)
    }
  })

  it('refuses every changed bit and every cut, and changes nothing by it', () => {
    const pair = new Pair(suite)
    const protectedPacket = pair.protect(filled(7, 24))
    for (let bit = 0; bit < protectedPacket.length * 8; bit++) {
      const forged = Buffer.from(protectedPacket)
      forged[bit >> 3] = forged[bit >> 3]! ^ (1 << (bit & 7))
      expect(pair.open(forged), `bit ${bit}`).toBeLessThan(0)
    }
    for (let length = 0; length < protectedPacket.length; length++) {
      expect(pair.open(protectedPacket.subarray(0, length)), `${length} bytes`).toBeLessThan(0)
    }
    expect(pair.receiver.sources).toBe(0)
    expect(pair.open(protectedPacket)).toHaveLength(36)
    expect(pair.receiver.sources).toBe(1)
  })
})

describe('RFC 3711 §4: what is written', () => {
  it.each(suites.filter((suite) => srtpSuites[suite].cipher === 'aes-cm'))('agrees with another hand: %s', (suite) => {
    const pair = new Pair(suite)
    for (let index = 65_400; index < 65_700; index += 1 + (index % 3)) {
      const packet = filled(index, index % 90)
      expect(pair.protect(packet)).toEqual(independent(pair.material, packet, index))
    }
  })
})

describe('RFC 3711 §3.3: index and replay', () => {
  it('opens a late packet from before the wrap, and none twice', () => {
    const pair = new Pair()
    const sent = [65_533, 65_534, 65_535, 65_536, 65_537].map((index) => pair.protect(filled(index, 20)))
    for (const at of [0, 1, 3, 4, 2]) expect(pair.open(sent[at]!), `packet ${at}`).toHaveLength(32)
    for (const packet of sent) expect(pair.open(packet)).toBe(srtpFailures.REPLAY)
    expect(pair.receiver.failures.replay).toBe(5)
  })

  it('goes on after a burst of 30 000 lost packets, and out of order after the roll-over', () => {
    const pair = new Pair()
    expect(pair.open(pair.protect(filled(50_000, 20)))).toHaveLength(32)
    const late = pair.protect(filled(80_000, 20))
    const later = pair.protect(filled(80_001, 20))
    expect(pair.open(later)).toHaveLength(32)
    expect(pair.open(late)).toHaveLength(32)
  })

  it('refuses what is older than its window, and keeps a larger one when asked', () => {
    const small = new Pair()
    const wide = new Pair(CM_80, { windowSize: 1024 })
    for (const [pair, wanted] of [
      [small, srtpFailures.REPLAY],
      [wide, 32],
    ] as const) {
      const old = pair.protect(filled(100, 20))
      expect(pair.open(pair.protect(filled(700, 20)))).toHaveLength(32)
      const opened = pair.open(old)
      expect(typeof opened === 'number' ? opened : opened.length).toBe(wanted)
    }
  })

  it('forged packets move neither window nor roll-over counter, and no source is kept for them', () => {
    const pair = new Pair()
    expect(pair.open(pair.protect(filled(10, 20)))).toHaveLength(32)
    for (let forged = 0; forged < 1000; forged++) {
      const packet = Buffer.concat([filled(forged * 60, 20, forged), randomBytes(10)])
      expect(pair.open(packet)).toBe(srtpFailures.AUTHENTICATION)
      const sameSource = Buffer.concat([filled(11 + forged * 61, 20), randomBytes(10)])
      expect(pair.open(sameSource)).toBe(srtpFailures.AUTHENTICATION)
    }
    expect(pair.receiver.sources).toBe(1)
    expect(pair.open(pair.protect(filled(11, 20)))).toHaveLength(32)
  })

  it('RTCP has a window of its own', () => {
    const pair = new Pair()
    const report = pair.protectRtcp(senderReport(1))
    expect(pair.openRtcp(report)).toEqual(senderReport(1))
    expect(pair.openRtcp(report)).toBe(srtpFailures.REPLAY)
    expect(pair.openRtcp(pair.protectRtcp(senderReport(2)))).toEqual(senderReport(2))
  })

  it('never encrypts two packets with one index', () => {
    const pair = new Pair()
    const out = Buffer.alloc(300)
    expect(pair.sender.protectRtp(filled(5, 20), 32, out)).toBe(42)
    expect(pair.sender.protectRtp(filled(5, 20), 32, out)).toBe(srtpFailures.REPLAY)
  })
})

describe('sources', () => {
  it('a receiver keeps so many, and the longest silent one makes room', () => {
    const pair = new Pair()
    for (let ssrc = 1; ssrc <= srtpSourcesMax; ssrc++)
      expect(pair.open(pair.protect(filled(9, 20, ssrc)))).toHaveLength(32)
    expect(pair.receiver.sources).toBe(srtpSourcesMax)
    const other = new SrtpSender(pair.material)
    const out = Buffer.alloc(300)
    const length = other.protectRtp(filled(9, 20, 0x7777), 32, out)
    expect(pair.open(out.subarray(0, length))).toHaveLength(32)
    expect(pair.receiver.sources).toBe(srtpSourcesMax)
  })

  it('a sender takes no more than so many: a forgotten one could use an index again', () => {
    const pair = new Pair()
    for (let ssrc = 1; ssrc <= srtpSourcesMax; ssrc++) pair.protect(filled(9, 20, ssrc))
    const out = Buffer.alloc(300)
    expect(pair.sender.protectRtp(filled(9, 20, 0x7777), 32, out)).toBe(srtpFailures.TOO_MANY_SOURCES)
    expect(pair.sender.protectRtp(filled(10, 20, 1), 32, out)).toBe(42)
  })
})

describe('keys', () => {
  it('RFC 3711 §9.2: end with their lifetime', () => {
    const pair = new Pair(CM_80, { lifetimePackets: 3 })
    const out = Buffer.alloc(300)
    for (let sequence = 0; sequence < 3; sequence++)
      expect(pair.open(pair.protect(filled(sequence, 20)))).toHaveLength(32)
    expect(pair.sender.protectRtp(filled(3, 20), 32, out)).toBe(srtpFailures.KEY_EXPIRED)
    expect(pair.sender.protectRtcp(senderReport(1), 28, out)).toBe(42)
  })

  it('RFC 3711 §4.3.1: are derived anew at their rate, also for packets that come late', () => {
    const pair = new Pair(CM_80, { keyDerivationRate: 16 })
    const plain = new Pair(CM_80)
    const sent = Array.from({ length: 64 }, (_, sequence) => pair.protect(filled(sequence, 20)))
    for (const at of [0, 17, 16, 15, 33, 30, 63]) expect(pair.open(sent[at]!), `packet ${at}`).toHaveLength(32)
    expect(plain.open(sent[40]!)).toBe(srtpFailures.AUTHENTICATION)
    const steady = new SrtpReceiver({ ...pair.material, keyDerivationRate: 0 })
    expect(steady.unprotectRtp(Buffer.from(sent[40]!), 42)).toBe(srtpFailures.AUTHENTICATION)
  })

  it.each(['AES_CM_128_HMAC_SHA1_32', 'AEAD_AES_128_GCM'] as const)(
    'are told apart by their identifiers: %s',
    (suite) => {
      const [one, other] = [new Pair(suite, { mki: Buffer.of(0, 1) }), new Pair(suite, { mki: Buffer.of(0, 2) })]
      const receiver = new SrtpReceiver([one.material, other.material])
      for (const [sequence, pair] of [one, other, one].entries()) {
        const packet = pair.protect(filled(sequence, 20))
        expect(receiver.unprotectRtp(packet, packet.length)).toBe(32)
        const report = pair.protectRtcp(senderReport(sequence, 5 + sequence))
        expect(receiver.unprotectRtcp(report, report.length)).toBe(28)
      }
      const stranger = new Pair(suite, { mki: Buffer.of(0, 3) }).protect(filled(9, 20))
      expect(receiver.unprotectRtp(stranger, stranger.length)).toBe(srtpFailures.UNKNOWN_MKI)
    },
  )

  it('RFC 4568 §6.3.3: may leave packets in clear, and still authenticate them', () => {
    for (const suite of [CM_80, 'AEAD_AES_128_GCM'] as const) {
      const pair = new Pair(suite, { isRtpEncrypted: false, isRtcpEncrypted: false })
      const packet = filled(1, 20)
      const sent = pair.protect(packet)
      expect(sent.subarray(0, 32)).toEqual(packet)
      expect(pair.open(sent)).toEqual(packet)
      const report = pair.protectRtcp(senderReport(1))
      expect(report.subarray(0, 28)).toEqual(senderReport(1))
      expect(pair.openRtcp(report)).toEqual(senderReport(1))
      report[20] = report[20]! ^ 1
      expect(new SrtpReceiver(pair.material).unprotectRtcp(report, report.length)).toBe(srtpFailures.AUTHENTICATION)
    }
  })

  it('whoever agreed on encrypted RTCP is not answered in clear', () => {
    const clear = new Pair(CM_80, { isRtcpEncrypted: false })
    const receiver = new SrtpReceiver({ ...clear.material, isRtcpEncrypted: true })
    const report = clear.protectRtcp(senderReport(1))
    expect(receiver.unprotectRtcp(report, report.length)).toBe(srtpFailures.AUTHENTICATION)
  })

  it('have the length that the suite asks', () => {
    const material = { suite: CM_80, masterKey: Buffer.alloc(16), masterSalt: Buffer.alloc(12) } as const
    expect(() => new SrtpSender(material)).toThrow(RangeError)
    expect(() => new SrtpReceiver([])).toThrow(RangeError)
  })

  it('are gone after close, and never shown', () => {
    const pair = new Pair()
    const shown = inspect(pair.sender, { depth: 9, showHidden: true }) + inspect(pair.receiver, { depth: 9 })
    expect(shown).toBe('SrtpSender {}SrtpReceiver {}')
    const sent = pair.protect(filled(1, 20))
    pair.sender.close()
    pair.receiver.close()
    expect(pair.open(sent)).toBe(srtpFailures.KEY_EXPIRED)
    expect(pair.sender.protectRtp(filled(2, 20), 32, Buffer.alloc(300))).toBe(srtpFailures.KEY_EXPIRED)
  })
})
