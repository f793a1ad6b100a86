/** Protects the packets that leave in one direction (RFC 3711 §3.3, §3.4; RFC 7714 §8, §9). */
import { rtpPayloadOffset, rtpSequence, rtpSsrc } from '../rtp/header'
import { type SrtpFailure, srtpFailures } from './failures'
import { rtcpNonceWords, rtpNonceWords, seal } from './galois'
import { hideFromInspection, type SrtpMaterial } from './material'
import { type GaloisKeys, SessionKeys } from './session-keys'
import { type Source, Sources } from './sources'

/** Bytes of an RTCP packet that stay in clear: its header and the sender. */
export const rtcpClearBytes = 8
const rtcpIndexBytes = 4
const encryptedFlag = 0x80000000
/** The index of SRTCP is of 31 bits. */
const rtcpIndexMax = 0x7fffffff

/**
 * One direction that protects. It counts the indexes of each source itself, so it lives as long as its keys do, through
 * hold and re-INVITE. It never uses an index twice: a repeated packet is refused, for its key stream would be repeated.
 */
export class SrtpSender {
  private readonly keys: SessionKeys
  private readonly rtp: Sources
  private readonly rtcp: Sources
  private isClosed = false

  /** @throws RangeError when key or salt have not the length of the suite */
  constructor(material: SrtpMaterial) {
    this.keys = new SessionKeys(material)
    this.rtp = new Sources(material.windowSize, this.keys.isSteady, false)
    this.rtcp = new Sources(undefined, this.keys.isSteady, false)
    hideFromInspection(this, 'SrtpSender')
  }

  /**
   * Protects an RTP packet.
   * @param packet the packet is in its first `length` bytes, which stay as they are
   * @param out takes the protected packet; `srtpOverheadMax` longer than `length`
   * @returns its length, or one of {@link srtpFailures}
   */
  protectRtp(packet: Uint8Array, length: number, out: Uint8Array): number | SrtpFailure {
    const clear = rtpPayloadOffset(packet, length)
    if (clear < 0) return srtpFailures.MALFORMED
    const { keys } = this
    if (this.isClosed || keys.rtpPackets >= keys.rtpPacketsMax) return srtpFailures.KEY_EXPIRED
    const source = this.sourceOf(this.rtp, rtpSsrc(packet))
    if (source === undefined) return srtpFailures.TOO_MANY_SOURCES
    const index = source.window.estimate(rtpSequence(packet))
    if (!source.window.isNew(index)) return srtpFailures.REPLAY
    const written = this.writeRtp(source, index, packet, clear, length, out)
    source.window.accept(index)
    this.rtp.use(source)
    keys.countRtp()
    return written
  }

  /** Protects a compound RTCP packet, as {@link protectRtp}. */
  protectRtcp(packet: Uint8Array, length: number, out: Uint8Array): number | SrtpFailure {
    if (length < rtcpClearBytes) return srtpFailures.MALFORMED
    const { keys } = this
    if (this.isClosed || keys.rtcpPackets >= keys.rtcpPacketsMax) return srtpFailures.KEY_EXPIRED
    const source = this.sourceOf(this.rtcp, rtcpSsrc(packet))
    if (source === undefined) return srtpFailures.TOO_MANY_SOURCES
    const index = source.window.highest < 0 ? 1 : source.window.highest + 1
    if (index > rtcpIndexMax) return srtpFailures.KEY_EXPIRED
    const written = this.writeRtcp(source, index, packet, length, out)
    source.window.accept(index)
    this.rtcp.use(source)
    keys.countRtcp()
    return written
  }

  /** Forgets the keys; nothing is protected from now on. */
  close(): void {
    this.isClosed = true
    this.keys.wipe()
    this.rtp.wipe()
    this.rtcp.wipe()
  }

  private sourceOf(sources: Sources, ssrc: number): Source | undefined {
    return sources.find(ssrc) ?? (sources.hasRoom() ? sources.fresh(ssrc) : undefined)
  }

  private writeRtp(
    source: Source,
    index: number,
    packet: Uint8Array,
    clear: number,
    length: number,
    out: Uint8Array,
  ): number {
    const { keys } = this
    const derived = keys.rtpAt(index)
    const { counter, hmac, galois } = derived
    if (galois !== undefined) return this.sealRtp(galois, source.ssrc, index, packet, clear, length, out)
    const isEncrypted = counter !== undefined && keys.isRtpEncrypted
    copy(packet, 0, isEncrypted ? clear : length, out, 0)
    if (isEncrypted) source.stream.apply(counter, source.ssrc, index, packet, clear, length - clear, out, clear)
    const { rtpTagBytes } = keys.suite
    const at = this.writeMki(out, length)
    hmac.sign(out, length, Math.floor(index / 65_536), out, at, rtpTagBytes)
    return at + rtpTagBytes
  }

  private sealRtp(
    keys: GaloisKeys,
    ssrc: number,
    index: number,
    packet: Uint8Array,
    clear: number,
    length: number,
    out: Uint8Array,
  ): number {
    // Without encryption GCM authenticates all of it, and adds its tag alone.
    const isEncrypted = this.keys.isRtpEncrypted
    const from = isEncrypted ? clear : length
    copy(packet, 0, from, out, 0)
    const words = rtpNonceWords(index)
    const sealed = seal(keys, ssrc, words, packet.subarray(0, from), packet.subarray(from, length), out, from)
    return this.writeMki(out, from + sealed)
  }

  private writeRtcp(source: Source, index: number, packet: Uint8Array, length: number, out: Uint8Array): number {
    const { keys } = this
    const derived = keys.rtcpAt(index)
    const { counter, hmac, galois } = derived
    const isEncrypted = keys.isRtcpEncrypted
    const flagged = (isEncrypted ? encryptedFlag | index : index) | 0
    if (galois !== undefined) return this.sealRtcp(galois, source.ssrc, index, flagged, packet, length, out)
    const clear = isEncrypted && counter !== undefined ? rtcpClearBytes : length
    copy(packet, 0, clear, out, 0)
    if (counter !== undefined && clear < length) {
      source.stream.apply(counter, source.ssrc, index, packet, clear, length - clear, out, clear)
    }
    writeWord(out, length, flagged)
    const signed = length + rtcpIndexBytes
    const at = this.writeMki(out, signed)
    hmac.sign(out, signed, undefined, out, at, keys.suite.rtcpTagBytes)
    return at + keys.suite.rtcpTagBytes
  }

  private sealRtcp(
    keys: GaloisKeys,
    ssrc: number,
    index: number,
    flagged: number,
    packet: Uint8Array,
    length: number,
    out: Uint8Array,
  ): number {
    const from = this.keys.isRtcpEncrypted ? rtcpClearBytes : length
    copy(packet, 0, from, out, 0)
    // The word with the index is authenticated right after what stays in clear, and sent after the tag.
    writeWord(out, from, flagged)
    const associated = Uint8Array.from(out.subarray(0, from + rtcpIndexBytes))
    const sealed = seal(keys, ssrc, rtcpNonceWords(index), associated, packet.subarray(from, length), out, from)
    writeWord(out, from + sealed, flagged)
    return this.writeMki(out, from + sealed + rtcpIndexBytes)
  }

  private writeMki(out: Uint8Array, at: number): number {
    const { mki } = this.keys
    if (mki === undefined) return at
    out.set(mki, at)
    return at + mki.length
  }
}

/** The sender of a compound packet, as a signed number. */
export function rtcpSsrc(packet: Uint8Array): number {
  return (packet[4]! << 24) | (packet[5]! << 16) | (packet[6]! << 8) | packet[7]!
}

function copy(from: Uint8Array, start: number, end: number, to: Uint8Array, at: number): void {
  for (let i = start; i < end; i++) to[at + i - start] = from[i]!
}

function writeWord(out: Uint8Array, at: number, word: number): void {
  out[at] = word >>> 24
  out[at + 1] = word >>> 16
  out[at + 2] = word >>> 8
  out[at + 3] = word
}
