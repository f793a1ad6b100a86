/**
 * Calls passed on to where their Request-URI says, on SipStack: by a stateful proxy that records its route, or by a
 * back-to-back user agent. A user named `fork` is forked to ten, one of whom answers.
 *
 *   node carillon-proxy.ts PORT proxy|bridge
 */
import { SipUri } from '@carillon/sip-parser'
import { type IncomingRequest, SipStack } from '@carillon/sip-transaction'

const isProxy = process.argv[3] === 'proxy'
const stack = await SipStack.create({
  listen: [`udp://127.0.0.1:${process.argv[2]}`],
  ...(isProxy ? { proxy: true } : {}),
})

function targetsOf({ uri }: IncomingRequest): { uri: string }[] {
  if (!(uri instanceof SipUri)) return []
  if (uri.user !== 'fork') return [{ uri: uri.toString() }]
  return Array.from({ length: 10 }, (_, index) => ({
    uri: uri.with({ user: index === 9 ? 'callee' : `ring${index}` }).toString(),
  }))
}

if (isProxy) {
  stack.method('INVITE', (request) => request.proxy(targetsOf(request), { recordRoute: true }))
} else {
  stack.method('INVITE', async (request) => {
    await request.bridge(targetsOf(request))
  })
}
console.log('ready')
