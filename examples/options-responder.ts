/** Answers OPTIONS, as a target of keep-alives and of load tests (RFC 3261 §11). */
import { readOptions, serve, startStack } from './support/program.ts'

const { listen } = readOptions('options-responder [--listen udp://127.0.0.1:5060] …', {
  listen: { type: 'string', multiple: true, default: ['udp://127.0.0.1:5060'] },
})

const stack = await startStack({ listen })
stack.method('OPTIONS', (request) => request.reply(200, { headers: [['Accept', 'application/sdp']] }))
serve(stack)
