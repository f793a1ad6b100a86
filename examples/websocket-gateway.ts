/**
 * Lets browsers that speak SIP over WebSocket (RFC 7118) and phones on UDP or TCP reach each other: whoever registers
 * under a name is called by it, over the connection or address that the registration came from. Calls are bridged,
 * messages are passed on. Everybody may register here: put `digest.required` before the handlers for more than a trial.
 */
import { type SipResponse, SipUri } from '@carillon/sip-parser'
import { BindingTable, type BridgeTarget, type IncomingRequest } from '@carillon/sip-transaction'
import { readOptions, serve, startStack } from './support/program.ts'

const { listen } = readOptions('websocket-gateway [--listen ws://127.0.0.1:8080] [--listen udp://127.0.0.1:5060] …', {
  listen: { type: 'string', multiple: true, default: ['ws://127.0.0.1:8080', 'udp://127.0.0.1:5060'] },
})

const bindings = new BindingTable()
setInterval(() => bindings.expire(performance.now(), []), 1_000).unref()

const stack = await startStack({ listen })

stack.method('REGISTER', (request) => {
  const name = userOf(request.to.uri)
  if (name === undefined) return request.reply(404)
  const { flowId, transport, address, port } = request.source
  const source = { flowId, address: { transport, address, port } }
  const { status, ...answer } = bindings.apply(name, request.message, source, performance.now())
  request.reply(status, answer)
})

stack.method('INVITE', async (request) => {
  const targets = targetsOf(request)
  if (targets.length === 0) return request.reply(480)
  // The From and To of the caller: what the phone shows. The bridge has the rest: forking, CANCEL, failures, the end.
  await request.bridge(targets, { to: request.to })
})

stack.method('MESSAGE', async (request) => {
  const targets = targetsOf(request)
  if (targets.length === 0) return request.reply(480)
  const { from, to, body, message } = request
  const contentType = message.get('Content-Type')
  const content = contentType === undefined ? {} : { body, contentType }
  const answers = await Promise.all(
    targets.map((target) =>
      stack.request({ method: 'MESSAGE', from, to, ...content, ...target }).catch(() => undefined),
    ),
  )
  const { status, reason } = best(answers)
  request.reply(status, { reason })
})

serve(stack)

/** The name that somebody registers under or is called by, whatever the domain. */
function userOf(uri: unknown): string | undefined {
  return uri instanceof SipUri ? uri.user : undefined
}

/** Where the callee's phones and browsers are. A browser has no address: it is reached on its connection alone. */
function targetsOf(request: IncomingRequest): (BridgeTarget & { readonly uri: SipUri })[] {
  const name = userOf(request.uri)
  if (name === undefined) return []
  return bindings.lookup(name, performance.now()).map((binding) => ({
    uri: binding.contact,
    destination: { ...binding.receivedFrom, flowId: binding.flowId },
  }))
}

/** A success if there is one, else the lowest failure; 480 when nobody could be reached. */
function best(answers: readonly (SipResponse | undefined)[]): { readonly status: number; readonly reason: string } {
  const given = answers.filter((answer) => answer !== undefined).sort((one, other) => one.status - other.status)
  return given[0] ?? { status: 480, reason: 'Temporarily Unavailable' }
}
