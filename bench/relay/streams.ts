/** The streams that are sent through a relay, and the SDP that asks for them. */
import { randomBytes } from 'node:crypto'
import { createSocket } from 'node:dgram'

/** How many streams there are at a time, one a call, in one direction. */
export const streamCount = 50
/**
 * How many times as many calls are set up: a generator begins each run with the same sequence numbers, and whoever
 * encrypts never takes a number twice.
 */
export const runsMax = 12
/** Bytes of the payload of G.711 in 20 ms, after the 12 of the RTP header. */
export const payloadBytes = 160
/** What the encrypted side speaks. */
export const suite = 'AES_CM_128_HMAC_SHA1_80'

/** From the relay's receiver of one stream on: where it is sent from, to, and where it arrives. */
export interface StreamPorts {
  readonly source: number
  readonly relay: number
  readonly sink: number
}

/** The two ends of a stream that has no relay yet. */
export type StreamEnds = Omit<StreamPorts, 'relay'>

/** Ends on loopback ports that nobody uses now. */
export async function freeEnds(): Promise<StreamEnds[]> {
  const sockets = Array.from({ length: streamCount * runsMax * 2 }, () => createSocket('udp4'))
  await Promise.all(sockets.map((socket) => new Promise<void>((done) => socket.bind(0, '127.0.0.1', done))))
  const ports = sockets.map((socket) => socket.address().port)
  await Promise.all(sockets.map((socket) => new Promise<void>((done) => socket.close(done))))
  return Array.from({ length: streamCount * runsMax }, (_, index) => ({
    source: ports[index * 2] ?? 0,
    sink: ports[index * 2 + 1] ?? 0,
  }))
}

/** The description of a phone that speaks G.711; with the tag of an offered key it answers with a key of its own. */
export function phoneSdp(port: number, cryptoTag?: number): string {
  const key = randomBytes(30).toString('base64')
  const protocol = cryptoTag === undefined ? 'RTP/AVP' : 'RTP/SAVP'
  const crypto = cryptoTag === undefined ? [] : [`a=crypto:${cryptoTag} ${suite} inline:${key}`]
  const lines = [
    'v=0',
    'o=- 1 1 IN IP4 127.0.0.1',
    's=-',
    'c=IN IP4 127.0.0.1',
    't=0 0',
    `m=audio ${port} ${protocol} 0`,
    'a=rtpmap:0 PCMU/8000',
    ...crypto,
  ]
  return `${lines.join('\r\n')}\r\n`
}

/** The tag under which a description offers the suite. */
export function offeredTag(sdp: string): number {
  const tag = new RegExp(`^a=crypto:(\\d+) ${suite} `, 'm').exec(sdp)?.[1]
  if (tag === undefined) throw new Error(`${suite} is not offered:\n${sdp.replace(/inline:\S+/g, 'inline:…')}`)
  return Number(tag)
}

/** The port of the first medium. */
export function mediaPort(sdp: string): number {
  return Number(/^m=audio (\d+)/m.exec(sdp)?.[1] ?? 0)
}
