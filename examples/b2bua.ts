/**
 * A back-to-back user agent that phones register with: each call is two calls, joined in the middle, so that neither side
 * learns where the other one is. It carries out transfers itself, blind and attended, takes INVITEs with Replaces, and
 * prints a record of each call as a line of JSON. Everybody may register here: put `digest.required` before the handlers for
 * more than a trial.
 */
import { SipUri } from '@carillon/sip-parser'
import { BindingTable, type BridgeTarget, type CallLeg } from '@carillon/sip-transaction'
import { fail, readOptions, serve, startStack } from './support/program.ts'

const options = readOptions(
  'b2bua [--listen udp://127.0.0.1:5060] … [--next-hop sip:HOST:PORT] [--transfers execute]',
  {
    listen: { type: 'string', multiple: true, default: ['udp://127.0.0.1:5060', 'tcp://127.0.0.1:5060'] },
    /** Where calls to those go who are not registered here. */
    'next-hop': { type: 'string' },
    /** `execute`, `pass` or `refuse`. */
    transfers: { type: 'string', default: 'execute' },
  },
)
const { transfers } = options
if (transfers !== 'execute' && transfers !== 'pass' && transfers !== 'refuse')
  fail(`--transfers is execute, pass or refuse, not ${transfers}`, 2)
const nextHop = options['next-hop']

const bindings = new BindingTable()
setInterval(() => bindings.expire(performance.now(), []), 1_000).unref()

const stack = await startStack({ listen: options.listen, callMethods: ['REFER', 'INFO', 'MESSAGE'] })

stack.method('REGISTER', (request) => {
  const name = userOf(request.to.uri)
  if (name === undefined) return request.reply(404)
  const { status, ...answer } = bindings.apply(request, performance.now(), name)
  request.reply(status, answer)
})

stack.method('INVITE', async (request) => {
  const targets = targetsOf(request.uri)
  // An INVITE with Replaces takes the place of a side of another bridge, whoever it is for.
  const isReplacing = request.message.has('Replaces')
  if (targets.length === 0 && !isReplacing) return request.reply(404)
  const { from, to, callId } = request
  const bridge = await request.bridge(targets, {
    to,
    hideTopology: true,
    headerPolicy: { toB: { pass: ['Subject', 'Alert-Info', 'Privacy'] } },
    // Where a transfer leads is for us to say, as it is for calls.
    transfers: ({ target, replaces }) => {
      if (transfers !== 'execute' || replaces !== undefined) return transfers
      return targetsOf(target)[0] ?? 'refuse'
    },
    onEvent: (event) => {
      if (event.kind === 'answered') console.log(`answered ${callId} a=${named(bridge.a)} b=${named(bridge.b)}`)
      if (event.kind === 'transferring') console.log(`transfer to ${event.target}`)
      if (event.kind === 'replaced') console.log(`side ${event.side} replaced by ${event.reason}`)
    },
  })
  const end = await bridge.ended
  // Who takes a place joins a call that has a record already.
  if (!isReplacing)
    console.log(JSON.stringify({ callId, source: from.uri.toString(), destination: to.uri.toString(), ...end }))
})

serve(stack)

/** A leg as Replaces would name it. */
function named(leg: CallLeg | undefined): string {
  return leg === undefined ? '' : `${leg.callId};to-tag=${leg.localTag};from-tag=${leg.remoteTag}`
}

/** The name that somebody registers under or is called by, whatever the domain. */
function userOf(uri: unknown): string | undefined {
  return uri instanceof SipUri ? uri.user : undefined
}

/** Where somebody's phones are; the next hop for those whom nobody has registered. */
function targetsOf(uri: unknown): BridgeTarget[] {
  const name = userOf(uri)
  if (name === undefined) return []
  const phones = bindings.lookup(name, performance.now()).map((binding) => ({
    uri: binding.contact,
    destination: { ...binding.receivedFrom, flowId: binding.flowId },
  }))
  if (phones.length > 0 || nextHop === undefined) return phones
  return [{ uri: uri as SipUri, routes: [`<${nextHop};lr>`] }]
}
