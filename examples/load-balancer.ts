/**
 * Spreads calls over several servers: each goes to the one with the fewest, and to the next when that does not answer or is
 * overloaded. Servers are asked with OPTIONS whether they are there.
 */
import type { IncomingRequest, ProxyTarget } from '@carillon/sip-transaction'
import { fail, readNumber, readOptions, serve, startStack } from './support/program.ts'

const options = readOptions(
  'load-balancer [--listen udp://127.0.0.1:5060] … --backend sip:127.0.0.1:5070 … [--probe 5] [--timeout 2]',
  {
    listen: { type: 'string', multiple: true, default: ['udp://127.0.0.1:5060'] },
    backend: { type: 'string', multiple: true, default: [] },
    probe: { type: 'string', default: '5' },
    timeout: { type: 'string', default: '2' },
  },
)
if (options.backend.length === 0) fail('--backend is missing', 2)
const probeMs = readNumber('probe', options.probe) * 1_000
const branchTimeoutMs = readNumber('timeout', options.timeout) * 1_000

/** A server; its load is the calls that it was given and the answers still to come. */
const backends = options.backend.map((uri) => ({ uri, load: 0, isUp: true }))
type Backend = (typeof backends)[number]

const stack = await startStack({ listen: options.listen, proxy: true })

/** The server with the least to do of those not tried yet; one that is down only when no other is left. */
function choose(tried: ReadonlySet<Backend>): Backend | undefined {
  const left = backends.filter((backend) => !tried.has(backend))
  const up = left.filter(({ isUp }) => isUp)
  return (up.length > 0 ? up : left).toSorted((one, other) => one.load - other.load)[0]
}

async function balance(request: IncomingRequest): Promise<void> {
  const tried = new Set<Backend>()
  const next = (): ProxyTarget | undefined => {
    const backend = choose(tried)
    if (backend === undefined) return undefined
    tried.add(backend)
    backend.load += 1
    return { uri: request.uri, nextHop: backend.uri }
  }
  const first = next()
  await request.proxy(first === undefined ? [] : [first], {
    recordRoute: true,
    branchTimeoutMs,
    // A busy phone is busy on every server: only what a server itself could not do is tried elsewhere.
    onBranchFailed: ({ status, reason }) => (reason !== 'status' || status === 503 ? next() : undefined),
  })
  // Load is what was given out lately: it fades, so that nothing has to be known about when calls end.
  const fade = setTimeout(() => {
    for (const backend of tried) backend.load -= 1
  }, 60_000)
  fade.unref()
}

async function probe(backend: Backend): Promise<void> {
  try {
    const { status } = await stack.request({ method: 'OPTIONS', uri: backend.uri, timeoutMs: branchTimeoutMs })
    backend.isUp = status !== 503
  } catch {
    backend.isUp = false
  }
}

stack.use(balance)
if (probeMs > 0) setInterval(() => void Promise.all(backends.map(probe)), probeMs).unref()
serve(stack)
