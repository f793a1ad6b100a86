/** A proxy (RFC 3261 §16): sends what comes on to the next hop, and stays on the way of the calls that come of it. */
import type { ProxyTarget } from '@carillon/sip-transaction'
import { fail, readNumber, readOptions, serve, startStack } from './support/program.ts'

const options = readOptions(
  'stateful-proxy [--listen udp://127.0.0.1:5060] … --next-hop sip:127.0.0.1:5070 … [--mode parallel|serial] [--timeout 5]',
  {
    listen: { type: 'string', multiple: true, default: ['udp://127.0.0.1:5060'] },
    'next-hop': { type: 'string', multiple: true, default: [] },
    mode: { type: 'string', default: 'parallel' },
    timeout: { type: 'string' },
  },
)
const { mode, 'next-hop': nextHops, timeout } = options
if (nextHops.length === 0) fail('--next-hop is missing', 2)
if (mode !== 'parallel' && mode !== 'serial') fail(`--mode is parallel or serial: ${mode}`, 2)
const limit = timeout === undefined ? {} : { branchTimeoutMs: readNumber('timeout', timeout) * 1_000 }

const stack = await startStack({ listen: options.listen, proxy: true })
stack.use((request) => {
  // The Request-URI stays: who the request is for is the next hop's business.
  const targets = nextHops.map((nextHop): ProxyTarget => ({ uri: request.uri, nextHop }))
  return request.proxy(targets, { mode, recordRoute: true, ...limit })
})
serve(stack)
