/**
 * Answers calls and sends back what it hears: whoever calls hears himself. One socket echoes, as the second party of a
 * relay session for each call; so what comes to it has been checked and counted, and what it answers goes where the caller
 * really is.
 */
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { mediaOptions, startRelay } from './support/media.ts'
import { describe, readOptions, serve, startStack } from './support/program.ts'
import { answer } from './support/session.ts'

const options = readOptions('rtp-echo [--listen udp://127.0.0.1:5060] … [--media-address 127.0.0.1]', {
  listen: { type: 'string', multiple: true, default: ['udp://127.0.0.1:5060', 'tcp://127.0.0.1:5060'] },
  ...mediaOptions,
})
const address = options['media-address']

const stack = await startStack({ listen: options.listen })
const relay = await startRelay(options)
const echo = createSocket(address.includes(':') ? 'udp6' : 'udp4')
echo.on('message', (packet, source) => echo.send(packet, source.port, source.address))
echo.bind(0, address)
await once(echo, 'listening')
echo.unref()

stack.method('INVITE', async (request) => {
  if (request.body.length === 0) return request.reply(488)
  const session = relay.createSession(request.callId)
  try {
    const forEcho = await session.offer(request.body, { from: 'a', receivedFrom: request.source.address })
    const ofEcho = answer(forEcho, address, echo.address().port)
    if (ofEcho === undefined) return request.reply(488)
    const call = await request.accept({ sdp: await session.answer(ofEcho, { from: 'b' }) })
    await call.ended
  } catch (error) {
    console.error(describe(error))
    if (!request.isAnswered) request.reply(503)
  } finally {
    const { streams } = await session.close()
    for (const { a } of streams) console.log(`${session.id}: ${a?.packets ?? 0} packets heard, ${a?.lost ?? 0} lost`)
  }
})

serve(stack)
