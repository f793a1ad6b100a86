/** Answers calls: rings, picks up, agrees to what the caller offers as far as it fits, and waits for the end. */
import { setTimeout as sleep } from 'node:timers/promises'
import { type IncomingRequest, LadderRecorder } from '@carillon/sip-transaction'
import { readNumber, readOptions, serve, startStack } from './support/program.ts'
import { answer, offer } from './support/session.ts'

const options = readOptions('uas [--listen udp://127.0.0.1:5060] … [--after 0] [--trace]', {
  listen: { type: 'string', multiple: true, default: ['udp://127.0.0.1:5060'] },
  /** Milliseconds of ringing. */
  after: { type: 'string', default: '0' },
  trace: { type: 'boolean', default: false },
})
const ringMs = readNumber('after', options.after)

const stack = await startStack({ listen: options.listen })
const recorder = options.trace ? new LadderRecorder() : undefined
recorder?.attach(stack, 'uas')
const ownAddress = stack.listeners[0]!.uri.host

/** An INVITE without an offer gets ours, and the answer comes in the ACK (RFC 3261 §13.2.1). */
const describeMedia = ({ body }: IncomingRequest) => (body.length === 0 ? offer(ownAddress) : answer(body, ownAddress))

stack.method('INVITE', async (request) => {
  const sdp = describeMedia(request)
  if (sdp === undefined) return request.reply(488)
  request.reply(180)
  // A caller who gives up while we ring has been answered 487 by the stack.
  if (ringMs > 0) await sleep(ringMs, undefined, { signal: request.signal }).catch(() => {})
  if (request.isAnswered) return
  const call = await request.accept({ sdp })
  call.onRequest((inside) => {
    if (inside.method !== 'INVITE' && inside.method !== 'UPDATE') return inside.reply(200)
    const changed = describeMedia(inside)
    if (changed === undefined) inside.reply(488)
    else inside.reply(200, { body: changed })
  })
  await call.ended
  if (recorder !== undefined) console.log(recorder.trace(call.callId)?.toText())
})
serve(stack)
