/**
 * A back-to-back user agent that has each call recorded: as soon as a call is answered, a recorder is called and told in
 * headers which one; while a side is on hold it is on hold as well, and it is let go with the call. A call whose recorder
 * does not answer goes on unrecorded, or, with `--mandatory`, is ended.
 */
import type { Bridge, Call } from '@carillon/sip-transaction'
import { describe, fail, readOptions, serve, startStack } from './support/program.ts'
import { offer } from './support/session.ts'

const options = readOptions('call-recorder-trigger --next-hop sip:HOST:PORT --recorder sip:HOST:PORT [--mandatory]', {
  listen: { type: 'string', multiple: true, default: ['udp://127.0.0.1:5060', 'tcp://127.0.0.1:5060'] },
  /** Where calls go. */
  'next-hop': { type: 'string' },
  recorder: { type: 'string' },
  mandatory: { type: 'boolean', default: false },
})
const nextHop = options['next-hop'] ?? fail('--next-hop says where calls go', 2)
const recorder = options.recorder ?? fail('--recorder says who records', 2)

const stack = await startStack({ listen: options.listen })

stack.method('INVITE', async (request) => {
  const target = { uri: request.uri.toString(), routes: [`<${nextHop};lr>`] }
  let recording: Promise<Call | undefined> | undefined
  const bridge = await request.bridge(target, {
    to: request.to,
    onEvent: (event) => {
      if (event.kind === 'answered') recording = record(bridge)
      else if (event.kind === 'hold') void recording?.then((call) => call?.holdPeer()).catch(report)
      else if (event.kind === 'resume') void recording?.then((call) => call?.resumePeer()).catch(report)
    },
  })
  await bridge.ended
  await recording?.then((call) => call?.bye())
})

serve(stack)

/** Calls the recorder. */
async function record(bridge: Bridge): Promise<Call | undefined> {
  const { a, b } = bridge
  const named = [a, b].filter((leg) => leg !== undefined).map(({ callId }) => ['X-Recorded-Call', callId] as const)
  const given = new AbortController()
  void bridge.ended.then(() => given.abort())
  try {
    const call = await stack.invite(recorder, {
      sdp: offer(stack.listeners[0]!.uri.host),
      from: a.remote.withParam('tag', undefined),
      headers: named,
      signal: given.signal,
      timeoutMs: 5_000,
    })
    console.log(`recording ${a.callId}`)
    if (bridge.state === 'ended') await call.bye()
    return call
  } catch (error) {
    report(error)
    if (options.mandatory) await bridge.hangup('it cannot be recorded')
    return undefined
  }
}

function report(error: unknown): void {
  console.error(describe(error))
}
