/** Packets and descriptions for tests. */
import { Buffer } from 'node:buffer'

/** What an RTP packet for a test may say. */
export interface RtpInit {
  readonly sequence: number
  readonly timestamp?: number
  readonly ssrc?: number
  readonly payloadType?: number
  readonly marker?: boolean
  readonly payloadBytes?: number
}

/** An RTP packet of version 2 without CSRC list and extension (RFC 3550 §5.1). */
export function rtpPacket(init: RtpInit): Buffer {
  const packet = Buffer.alloc(12 + (init.payloadBytes ?? 160))
  packet[0] = 0x80
  packet[1] = (init.marker ? 0x80 : 0) | (init.payloadType ?? 0)
  packet.writeUInt16BE(init.sequence & 0xffff, 2)
  packet.writeUInt32BE((init.timestamp ?? init.sequence * 160) >>> 0, 4)
  packet.writeUInt32BE((init.ssrc ?? 0xcafe) >>> 0, 8)
  return packet
}

/** A sender report with no block (RFC 3550 §6.4.1). `ntpMiddle`: the middle 32 bits of its time stamp. */
export function senderReport(ntpMiddle: number, ssrc = 0xcafe): Buffer {
  const packet = Buffer.alloc(28)
  packet.set([0x80, 200, 0, 6])
  packet.writeUInt32BE(ssrc, 4)
  packet.writeUInt32BE(ntpMiddle >>> 16, 8)
  packet.writeUInt32BE(((ntpMiddle & 0xffff) << 16) >>> 0, 12)
  return packet
}

/** A receiver report with one block (RFC 3550 §6.4.2). `delay`: DLSR in units of 1/65536 s. */
export function receiverReport(lastReport: number, delay: number, fractionLost = 0): Buffer {
  const packet = Buffer.alloc(32)
  packet.set([0x81, 201, 0, 7])
  packet.writeUInt32BE(0xbeef, 4)
  packet.writeUInt32BE(0xcafe, 8)
  packet[12] = fractionLost
  packet.writeUInt32BE(lastReport >>> 0, 24)
  packet.writeUInt32BE(delay >>> 0, 28)
  return packet
}

/** A description with one audio medium and further lines. */
export function audioSdp(address: string, port: number, ...lines: readonly string[]): string {
  const family = address.includes(':') ? 'IP6' : 'IP4'
  const head = ['v=0', `o=- 7 1 IN ${family} ${address}`, 's=-', `c=IN ${family} ${address}`, 't=0 0']
  return [...head, `m=audio ${port} RTP/AVP 0 8`, ...lines, ''].join('\r\n')
}

/** The port of the first medium of a description, and its connection address. */
export function targetOf(sdp: Uint8Array | string): { readonly address: string; readonly port: number } {
  const text = typeof sdp === 'string' ? sdp : Buffer.from(sdp).toString()
  return {
    address: /^c=IN IP[46] (\S+)/m.exec(text)?.[1] ?? '',
    port: Number(/^m=\S+ (\d+)/m.exec(text)?.[1] ?? -1),
  }
}
