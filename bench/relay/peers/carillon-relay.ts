/**
 * A relay that carries streams, for the relay suite.
 *
 *   node carillon-relay.ts plain|srtp PORT-MIN PORT-MAX SOURCE:SINK …
 *
 * Prints the ports of the streams as JSON, then waits to be ended.
 */
import { createRelay } from '@carillon/rtp-relay'
import { mediaPort, offeredTag, phoneSdp, suite } from '../streams.ts'

const [kind, portMin, portMax, ...ends] = process.argv.slice(2)
const isSecured = kind === 'srtp'
const relay = await createRelay({
  interfaces: [{ address: '127.0.0.1' }],
  portMin: Number(portMin),
  portMax: Number(portMax),
})
const streams = []
for (const [index, text] of ends.entries()) {
  const [source = 0, sink = 0] = text.split(':').map(Number)
  const session = relay.createSession(`call ${index}`)
  const offer = await session.offer(phoneSdp(source), {
    from: 'a',
    ...(isSecured ? { transportProtocol: 'RTP/SAVP', sdes: { suites: [suite] } } : {}),
  })
  const tag = isSecured ? offeredTag(Buffer.from(offer).toString()) : undefined
  const answer = await session.answer(phoneSdp(sink, tag), { from: 'b' })
  streams.push({ source, relay: mediaPort(Buffer.from(answer).toString()), sink })
}
console.log(JSON.stringify(streams))
console.log('ready')
