/**
 * A back-to-back user agent whose calls have their media relayed: both phones send it here, wherever they are, and learn
 * nothing of each other's address. When a call is over it says what either side has sent and how much of it was lost.
 */

import { mediaOptions, startRelay } from './support/media.ts'
import { describe, fail, readOptions, serve, startStack } from './support/program.ts'

const options = readOptions('two-party-relay --next-hop sip:HOST:PORT [--workers 2]', {
  listen: { type: 'string', multiple: true, default: ['udp://127.0.0.1:5060', 'tcp://127.0.0.1:5060'] },
  /** Where calls go. */
  'next-hop': { type: 'string' },
  ...mediaOptions,
})
const nextHop = options['next-hop'] ?? fail('--next-hop says where calls go', 2)

const stack = await startStack({ listen: options.listen })
const relay = await startRelay(options)

relay.on('endpoint-learned', ({ sessionId, side, component, address, port, rank }) => {
  if (component === 'rtp' && rank > 0) console.log(`${sessionId} side ${side} is really at ${address} port ${port}`)
})
relay.on('session-closed', ({ sessionId, snapshot }) => {
  for (const { media, a, b } of snapshot.streams) {
    const said = [a, b].map((leg) => (leg === undefined ? 'nothing' : `${leg.packets} packets, ${leg.lost} lost`))
    console.log(`${sessionId} ${media}: a ${said[0]}; b ${said[1]}`)
  }
})

stack.method('INVITE', async (request) => {
  try {
    const session = relay.createSession(request.callId)
    const bridge = await request.bridge(
      { uri: request.uri.toString(), routes: [`<${nextHop};lr>`] },
      { to: request.to, sdp: relay.anchor(session, { receivedFrom: { a: request.source.address } }) },
    )
    // A call whose media has ended, for nobody speaks any more or its worker has crashed, is over.
    const hangUp = ({ sessionId }: { sessionId: string }) => {
      if (sessionId === session.id) void bridge.hangup('no media')
    }
    relay.on('session-closed', hangUp)
    await bridge.ended
    relay.off('session-closed', hangUp)
  } catch (error) {
    console.error(describe(error))
    if (!request.isAnswered) request.reply(503)
  }
})

serve(stack)
