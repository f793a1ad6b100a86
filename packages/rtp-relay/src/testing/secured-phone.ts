/** A phone's side of SDES for tests: the lines it writes, and what it encrypts and opens with. */
import { Buffer } from 'node:buffer'
import { randomBytes } from 'node:crypto'
import { type CryptoAttribute, cryptoCodec, parseSdp, readAttributesOf } from '@carillon/sip-parser/sdp'
import type { SrtpMaterial } from '../srtp/material'
import { SrtpReceiver } from '../srtp/receiver'
import { cryptoOf, generateMaterial, materialsOf } from '../srtp/sdes'
import { SrtpSender } from '../srtp/sender'
import { type SrtpSuiteName, srtpOverheadMax } from '../srtp/suites'

/** One phone that encrypts. */
export class SecuredPhone {
  private readonly own = new Map<number, SrtpMaterial>()
  private sender: SrtpSender | undefined
  private receiver: SrtpReceiver | undefined

  /** Crypto lines that offer a suite each. */
  offer(...suites: readonly SrtpSuiteName[]): string[] {
    return suites.map((suite, index) => this.line(index + 1, suite))
  }

  /** The crypto line that answers a description with one of the suites that it offers. */
  answer(sdp: Uint8Array, suite: SrtpSuiteName): string {
    const offered = cryptosOf(sdp).find((crypto) => crypto.suite === suite)
    if (offered === undefined) throw new Error(`${suite} is not offered`)
    const line = this.line(offered.tag, suite)
    this.settle(offered)
    return line
  }

  /** Takes the answer to what `offer` wrote. */
  answered(sdp: Uint8Array): void {
    const [chosen] = cryptosOf(sdp)
    if (chosen === undefined) throw new Error('the answer has no key')
    this.settle(chosen)
  }

  /** Encrypts an RTP packet. */
  protect(packet: Uint8Array): Buffer {
    const out = Buffer.alloc(packet.length + srtpOverheadMax)
    const length = this.sender?.protectRtp(packet, packet.length, out) ?? -1
    if (length < 0) throw new Error(`not protected: ${length}`)
    return out.subarray(0, length)
  }

  /** Encrypts an RTCP packet. */
  protectRtcp(packet: Uint8Array): Buffer {
    const out = Buffer.alloc(packet.length + srtpOverheadMax)
    const length = this.sender?.protectRtcp(packet, packet.length, out) ?? -1
    if (length < 0) throw new Error(`not protected: ${length}`)
    return out.subarray(0, length)
  }

  /** Opens an RTP packet; undefined when it is not for these keys. */
  open(packet: Uint8Array): Buffer | undefined {
    const copy = Buffer.from(packet)
    const length = this.receiver?.unprotectRtp(copy, copy.length) ?? -1
    return length < 0 ? undefined : copy.subarray(0, length)
  }

  /** Opens an RTCP packet. */
  openRtcp(packet: Uint8Array): Buffer | undefined {
    const copy = Buffer.from(packet)
    const length = this.receiver?.unprotectRtcp(copy, copy.length) ?? -1
    return length < 0 ? undefined : copy.subarray(0, length)
  }

  private line(tag: number, suite: SrtpSuiteName): string {
    const material = generateMaterial(suite, (count) => randomBytes(count))
    this.own.set(tag, material)
    return `a=crypto:${cryptoCodec.encode(cryptoOf(material, tag)).value}`
  }

  private settle(theirs: CryptoAttribute): void {
    const ours = this.own.get(theirs.tag)
    const materials = materialsOf(theirs)
    if (ours === undefined || materials === undefined || ours.suite !== theirs.suite) {
      throw new Error(`tag ${theirs.tag} with ${theirs.suite} was not offered`)
    }
    this.sender = new SrtpSender(ours)
    this.receiver = new SrtpReceiver(materials)
  }
}

/** The crypto attributes of the first medium. */
export function cryptosOf(sdp: Uint8Array): readonly CryptoAttribute[] {
  const parsed = parseSdp(sdp)
  const media = parsed.ok ? parsed.value.media[0] : undefined
  return media === undefined ? [] : readAttributesOf(media, 'crypto')
}
