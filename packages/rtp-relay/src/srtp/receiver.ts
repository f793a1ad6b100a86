/** Checks and opens the packets that come in one direction (RFC 3711 §3.3, §3.4; RFC 7714 §8, §9). */
import { rtpPayloadOffset, rtpSequence, rtpSsrc } from '../rtp/header'
import { type SrtpFailure, srtpFailures } from './failures'
import { galoisTagBytes, rtcpNonceWords, rtpNonceWords, unseal } from './galois'
import { hideFromInspection, type SrtpMaterial } from './material'
import { rtcpClearBytes, rtcpSsrc } from './sender'
import { SessionKeys } from './session-keys'
import { type Source, Sources } from './sources'

const rtcpIndexBytes = 4

/** Packets that were not let in, by reason. */
export interface SrtpFailureCounts {
  malformed: number
  authentication: number
  replay: number
  expired: number
  unknownMki: number
}

/**
 * One direction that opens. A packet that is not authentic changes nothing: no source is kept for it, no window moves.
 * It lives as long as its keys do, through hold and re-INVITE, and keeps the roll-over counters with them.
 */
export class SrtpReceiver {
  readonly failures: SrtpFailureCounts = { malformed: 0, authentication: 0, replay: 0, expired: 0, unknownMki: 0 }
  private readonly keys: readonly SessionKeys[]
  private readonly rtp: Sources
  private readonly rtcp: Sources
  private isClosed = false

  /**
   * @param material one master key, or several that their identifiers tell apart; these are all of one length then
   * @throws RangeError when key or salt have not the length of the suite, or identifiers do not tell the keys apart
   */
  constructor(material: SrtpMaterial | readonly SrtpMaterial[]) {
    const all: readonly SrtpMaterial[] = Array.isArray(material) ? material : [material as SrtpMaterial]
    const [first] = all
    const mkiBytes = first?.mki?.length ?? 0
    const isClear = all.every(({ mki }) => (mki?.length ?? 0) === mkiBytes) && (all.length === 1 || mkiBytes > 0)
    if (first === undefined || !isClear) throw new RangeError('several keys need identifiers of one length')
    this.keys = all.map((one) => new SessionKeys(one))
    const isSteady = this.keys.length === 1 && this.keys[0]!.isSteady
    this.rtp = new Sources(first.windowSize, isSteady, true)
    this.rtcp = new Sources(undefined, isSteady, true)
    hideFromInspection(this, 'SrtpReceiver')
  }

  /** Synchronization sources whose packets have been authentic. */
  get sources(): number {
    return this.rtp.size
  }

  /**
   * Opens an SRTP packet where it lies.
   * @param packet the packet is in its first `length` bytes; after a failure they are as they were
   * @returns the length of the RTP packet, or one of {@link srtpFailures}
   */
  unprotectRtp(packet: Uint8Array, length: number): number | SrtpFailure {
    const keys = this.keysOf(
      packet,
      length,
      this.keys[0]!.suite.cipher === 'aes-gcm' ? 0 : this.keys[0]!.suite.rtpTagBytes,
    )
    if (typeof keys === 'number') return this.fail(keys)
    const tagBytes = keys.suite.rtpTagBytes
    const end = length - tagBytes - (keys.mki?.length ?? 0)
    const clear = end < 0 ? -1 : rtpPayloadOffset(packet, end)
    if (clear < 0) return this.fail(srtpFailures.MALFORMED)
    if (this.isClosed || keys.rtpPackets >= keys.rtpPacketsMax) return this.fail(srtpFailures.KEY_EXPIRED)
    const ssrc = rtpSsrc(packet)
    const source = this.rtp.find(ssrc) ?? this.rtp.fresh(ssrc)
    const index = source.window.estimate(rtpSequence(packet))
    if (!source.window.isNew(index)) return this.fail(srtpFailures.REPLAY)
    if (!this.openRtp(keys, source, index, packet, clear, end, length)) return this.fail(srtpFailures.AUTHENTICATION)
    source.window.accept(index)
    this.rtp.use(source)
    keys.countRtp()
    return end
  }

  /** Opens an SRTCP packet, as {@link unprotectRtp}. */
  unprotectRtcp(packet: Uint8Array, length: number): number | SrtpFailure {
    const isGalois = this.keys[0]!.suite.cipher === 'aes-gcm'
    const keys = this.keysOf(packet, length, isGalois ? 0 : this.keys[0]!.suite.rtcpTagBytes)
    if (typeof keys === 'number') return this.fail(keys)
    const tagBytes = keys.suite.rtcpTagBytes
    const end = length - tagBytes - rtcpIndexBytes - (keys.mki?.length ?? 0)
    if (end < rtcpClearBytes) return this.fail(srtpFailures.MALFORMED)
    if (this.isClosed || keys.rtcpPackets >= keys.rtcpPacketsMax) return this.fail(srtpFailures.KEY_EXPIRED)
    const ssrc = rtcpSsrc(packet)
    const source = this.rtcp.find(ssrc) ?? this.rtcp.fresh(ssrc)
    const flaggedAt = isGalois ? end + galoisTagBytes : end
    const isEncrypted = (packet[flaggedAt]! & 0x80) !== 0
    const index = readWord(packet, flaggedAt) & 0x7fffffff
    if (!source.window.isNew(index)) return this.fail(srtpFailures.REPLAY)
    const isOpen = this.openRtcp(keys, source, index, isEncrypted, packet, end, length)
    if (!isOpen) return this.fail(srtpFailures.AUTHENTICATION)
    source.window.accept(index)
    this.rtcp.use(source)
    keys.countRtcp()
    return end
  }

  /** Forgets the keys; nothing is opened from now on. */
  close(): void {
    this.isClosed = true
    for (const keys of this.keys) keys.wipe()
    this.rtp.wipe()
    this.rtcp.wipe()
  }

  private openRtp(
    keys: SessionKeys,
    source: Source,
    index: number,
    packet: Uint8Array,
    clear: number,
    end: number,
    length: number,
  ): boolean {
    const derived = keys.rtpAt(index)
    const { hmac, counter, galois } = derived
    const { rtpTagBytes } = keys.suite
    if (galois !== undefined) {
      const from = keys.isRtpEncrypted ? clear : end
      const sealed = packet.subarray(from, end + rtpTagBytes)
      const plain = unseal(galois, source.ssrc, rtpNonceWords(index), packet.subarray(0, from), sealed)
      if (plain !== undefined) packet.set(plain, from)
      return plain !== undefined
    }
    if (!hmac.verify(packet, end, Math.floor(index / 65_536), packet, length - rtpTagBytes, rtpTagBytes)) return false
    if (counter !== undefined && keys.isRtpEncrypted) {
      source.stream.apply(counter, source.ssrc, index, packet, clear, end - clear, packet, clear)
    }
    return true
  }

  private openRtcp(
    keys: SessionKeys,
    source: Source,
    index: number,
    isEncrypted: boolean,
    packet: Uint8Array,
    end: number,
    length: number,
  ): boolean {
    const derived = keys.rtcpAt(index)
    const { hmac, counter, galois } = derived
    // Who agreed on encryption is not answered by somebody who leaves it out, and the other way round.
    if (isEncrypted !== keys.isRtcpEncrypted) return false
    if (galois !== undefined) {
      const from = isEncrypted ? rtcpClearBytes : end
      const flaggedAt = end + galoisTagBytes
      const associated = new Uint8Array(from + rtcpIndexBytes)
      associated.set(packet.subarray(0, from))
      associated.set(packet.subarray(flaggedAt, flaggedAt + rtcpIndexBytes), from)
      const plain = unseal(galois, source.ssrc, rtcpNonceWords(index), associated, packet.subarray(from, flaggedAt))
      if (plain !== undefined) packet.set(plain, from)
      return plain !== undefined
    }
    const { rtcpTagBytes } = keys.suite
    if (!hmac.verify(packet, end + rtcpIndexBytes, undefined, packet, length - rtcpTagBytes, rtcpTagBytes)) return false
    if (counter !== undefined && isEncrypted) {
      source.stream.apply(
        counter,
        source.ssrc,
        index,
        packet,
        rtcpClearBytes,
        end - rtcpClearBytes,
        packet,
        rtcpClearBytes,
      )
    }
    return true
  }

  /** The key that the packet names, or the only one. */
  private keysOf(packet: Uint8Array, length: number, tagBytesAfterMki: number): SessionKeys | SrtpFailure {
    const first = this.keys[0]!
    const mkiBytes = first.mki?.length ?? 0
    if (mkiBytes === 0) return first
    const at = length - tagBytesAfterMki - mkiBytes
    if (at < 0) return srtpFailures.MALFORMED
    return this.keys.find(({ mki }) => mki !== undefined && isAt(packet, at, mki)) ?? srtpFailures.UNKNOWN_MKI
  }

  private fail(failure: SrtpFailure): SrtpFailure {
    const { failures } = this
    if (failure === srtpFailures.MALFORMED) failures.malformed++
    else if (failure === srtpFailures.AUTHENTICATION) failures.authentication++
    else if (failure === srtpFailures.REPLAY) failures.replay++
    else if (failure === srtpFailures.KEY_EXPIRED) failures.expired++
    else if (failure === srtpFailures.UNKNOWN_MKI) failures.unknownMki++
    return failure
  }
}

function isAt(packet: Uint8Array, at: number, mki: Uint8Array): boolean {
  for (let i = 0; i < mki.length; i++) if (packet[at + i] !== mki[i]) return false
  return true
}

function readWord(packet: Uint8Array, at: number): number {
  return (packet[at]! << 24) | (packet[at + 1]! << 16) | (packet[at + 2]! << 8) | packet[at + 3]!
}
