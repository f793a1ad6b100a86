/**
 * Relays calls and writes what both sides say into a file for each call, in the format of rtpdump, which Wireshark opens.
 * The call never waits for the file: what the disk cannot take in time is left out, and said.
 */
import { createWriteStream } from 'node:fs'
import { join } from 'node:path'
import type { TappedPacket } from '@carillon/rtp-relay'
import { mediaOptions, startRelay } from './support/media.ts'
import { describe, fail, readOptions, serve, startStack } from './support/program.ts'

const options = readOptions('packet-tap --next-hop sip:HOST:PORT [--out DIR] [--side a]', {
  listen: { type: 'string', multiple: true, default: ['udp://127.0.0.1:5060', 'tcp://127.0.0.1:5060'] },
  /** Where calls go. */
  'next-hop': { type: 'string' },
  /** The folder of the files. */
  out: { type: 'string', default: '.' },
  /** One side only, `a` the caller or `b` the callee. */
  side: { type: 'string' },
  ...mediaOptions,
})
const nextHop = options['next-hop'] ?? fail('--next-hop says where calls go', 2)
const { side } = options
if (side !== undefined && side !== 'a' && side !== 'b') fail(`--side is a or b, not ${side}`, 2)

const stack = await startStack({ listen: options.listen })
const relay = await startRelay(options)
let files = 0

stack.method('INVITE', async (request) => {
  try {
    const session = relay.createSession(request.callId)
    const path = join(options.out, `call-${++files}.rtpdump`)
    const file = createWriteStream(path)
    file.on('error', (error) => console.error(describe(error)))
    file.write(fileHead())
    let beganMs: number | undefined
    let [written, left] = [0, 0]
    const end = session.tap((packet) => {
      if (side !== undefined && packet.side !== side) return
      beganMs ??= packet.atMs
      if (file.writableNeedDrain) left++
      else {
        file.write(record(packet, packet.atMs - beganMs))
        written++
      }
    })
    const bridge = await request.bridge(
      { uri: request.uri.toString(), routes: [`<${nextHop};lr>`] },
      { to: request.to, sdp: relay.anchor(session, { receivedFrom: { a: request.source.address } }) },
    )
    await bridge.ended
    await session.close()
    end()
    file.end(() => console.log(`${path}: ${written} packets, ${left + session.tapDropped} left out`))
  } catch (error) {
    console.error(describe(error))
    if (!request.isAnswered) request.reply(503)
  }
})

serve(stack)

/** A line of text, then when it began (left open) and from where (nowhere: both sides are in it). */
function fileHead(): Buffer {
  return Buffer.concat([Buffer.from('#!rtpplay1.0 0.0.0.0/0\n'), Buffer.alloc(16)])
}

/** Length with this head, length of the packet, milliseconds since the beginning; then the packet. */
function record({ packet }: TappedPacket, sinceMs: number): Buffer {
  const head = Buffer.alloc(8)
  head.writeUInt16BE(head.length + packet.length, 0)
  head.writeUInt16BE(packet.length, 2)
  head.writeUInt32BE(Math.round(sinceMs), 4)
  return Buffer.concat([head, packet])
}
