/**
 * Lets browsers that speak SIP over WebSocket (RFC 7118) and phones on UDP or TCP reach each other: whoever registers
 * under a name is called by it, over the connection or address that the registration came from. Calls are bridged,
 * messages are passed on. With `--account` users register, call and write with their password only; without, everybody
 * may, which is for a trial. `wss://` and `tls://` need a certificate.
 */
import { readFileSync } from 'node:fs'
import { type SipResponse, SipUri } from '@carillon/sip-parser'
import {
  BindingTable,
  type BridgeTarget,
  createNodeRandom,
  DigestVerifier,
  digest,
  digestUsernameKey,
  type Handler,
  type IncomingRequest,
} from '@carillon/sip-transaction'
import { describe, fail, readOptions, serve, startStack } from './support/program.ts'

const options = readOptions(
  'websocket-gateway [--listen wss://127.0.0.1:8443] [--listen udp://127.0.0.1:5060] … [--tls-cert FILE --tls-key FILE] ' +
    '[--account NAME:PASSWORD] … [--realm localhost]',
  {
    listen: { type: 'string', multiple: true, default: ['ws://127.0.0.1:8080', 'udp://127.0.0.1:5060'] },
    'tls-cert': { type: 'string' },
    'tls-key': { type: 'string' },
    account: { type: 'string', multiple: true, default: [] },
    realm: { type: 'string', default: 'localhost' },
  },
)

const bindings = new BindingTable()
setInterval(() => bindings.expire(performance.now(), []), 1_000).unref()

const certificate = readCertificate()
const stack = await startStack({ listen: options.listen, ...(certificate === undefined ? {} : { tls: certificate }) })
const guards = guardsOf(readAccounts())

stack.method('REGISTER', ...guards.registrar, (request) => {
  const name = userOf(request.to.uri)
  if (name === undefined) return request.reply(404)
  const { status, ...answer } = bindings.apply(request, performance.now(), name)
  request.reply(status, answer)
})

stack.method('INVITE', ...guards.proxy, async (request) => {
  const targets = targetsOf(request)
  if (targets.length === 0) return request.reply(480)
  // The From and To of the caller: what the phone shows. The bridge has the rest: forking, CANCEL, failures, the end.
  await request.bridge(targets, { to: request.to })
})

stack.method('MESSAGE', ...guards.proxy, async (request) => {
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

/** Certificate and key of `wss://` and `tls://`, when there are any. */
function readCertificate(): { readonly cert: Buffer; readonly key: Buffer } | undefined {
  const { 'tls-cert': cert, 'tls-key': key } = options
  if (cert === undefined && key === undefined) return undefined
  if (cert === undefined || key === undefined) return fail('--tls-cert and --tls-key go together', 2)
  try {
    return { cert: readFileSync(cert), key: readFileSync(key) }
  } catch (error) {
    return fail(describe(error), 1)
  }
}

/** Passwords by user. */
function readAccounts(): ReadonlyMap<string, string> {
  return new Map(
    options.account.map((text): [string, string] => {
      const colonAt = text.indexOf(':')
      return colonAt > 0 ? [text.slice(0, colonAt), text.slice(colonAt + 1)] : fail('--account is NAME:PASSWORD', 2)
    }),
  )
}

/** What stands before the handlers: nothing without accounts, else the password, and the From of its user. */
function guardsOf(accounts: ReadonlyMap<string, string>): Record<'registrar' | 'proxy', Handler[]> {
  if (accounts.size === 0) return { registrar: [], proxy: [] }
  const random = createNodeRandom()
  const verifier = new DigestVerifier({ realm: options.realm, secret: random.bytes(32), random })
  const lookup = (name: string) => {
    const password = accounts.get(name)
    return password === undefined ? undefined : { password }
  }
  // Nobody registers, calls or writes under the name of somebody else.
  const asThemselves: Handler = (request, next) => {
    const claimed = userOf(request.method === 'REGISTER' ? request.to.uri : request.from.uri)
    if (request.locals.get(digestUsernameKey) !== claimed) return request.reply(403)
    return next()
  }
  return {
    registrar: [digest.required(verifier, lookup, { info: true }), asThemselves],
    proxy: [digest.proxyRequired(verifier, lookup), asThemselves],
  }
}

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
