/** Asks an rtpengine for streams, by its NG protocol in JSON over UDP. */
import { createSocket } from 'node:dgram'
import { mediaPort, offeredTag, phoneSdp, type StreamEnds, type StreamPorts } from './streams.ts'

const patienceMs = 2000

/** Sets up a call for each pair of ends. */
export async function askForStreams(
  port: number,
  ends: readonly StreamEnds[],
  isSecured: boolean,
): Promise<StreamPorts[]> {
  const socket = createSocket('udp4')
  let asked = 0
  const ask = async (body: Record<string, unknown>): Promise<string> => {
    const cookie = `c${++asked}`
    const answered = new Promise<string>((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error('rtpengine does not answer')), patienceMs)
      socket.once('message', (reply) => {
        clearTimeout(timer)
        resolve(reply.toString())
      })
    })
    socket.send(`${cookie} ${JSON.stringify(body)}`, port, '127.0.0.1')
    const reply = JSON.parse((await answered).slice(cookie.length + 1)) as { result: string; sdp?: string }
    if (reply.result !== 'ok' || reply.sdp === undefined) throw new Error(`rtpengine says ${JSON.stringify(reply)}`)
    return reply.sdp
  }
  const streams: StreamPorts[] = []
  try {
    for (const [index, { source, sink }] of ends.entries()) {
      const call = { 'call-id': `call ${index}`, 'from-tag': 'a' }
      const asSecured = isSecured ? { 'transport protocol': 'RTP/SAVP', DTLS: 'off', ICE: 'remove' } : {}
      const offer = await ask({ command: 'offer', ...call, ...asSecured, sdp: phoneSdp(source) })
      const tag = isSecured ? offeredTag(offer) : undefined
      const answer = await ask({ command: 'answer', ...call, 'to-tag': 'b', sdp: phoneSdp(sink, tag) })
      streams.push({ source, relay: mediaPort(answer), sink })
    }
  } finally {
    socket.close()
  }
  return streams
}
