/**
 * Connects two phones: calls the first one, and when somebody picks up there, the second one (third party call control,
 * RFC 3725). Ends when either hangs up, or at Ctrl-C. Exit code 0: they talked; 1: somebody refused; 3: nobody could be
 * reached in time.
 */
import { CallFailedError } from '@carillon/sip-transaction'
import { describe, fail, readNumber, readOptions, startStack } from './support/program.ts'

const options = readOptions(
  'click-to-dial --first sip:alice@HOST --second sip:bob@HOST [--from sip:desk@HOST] [--flow IV]',
  {
    first: { type: 'string' },
    second: { type: 'string' },
    /** Whom both of them see as their caller; without it each sees the other one. */
    from: { type: 'string' },
    /** `IV` waits for the second one however long that takes; `I` is for one that answers at once. */
    flow: { type: 'string', default: 'IV' },
    /** Seconds to let each of them ring. */
    ring: { type: 'string', default: '30' },
    listen: { type: 'string', multiple: true, default: ['udp://0.0.0.0:0', 'tcp://0.0.0.0:0'] },
  },
)
const first = options.first ?? fail('--first says whom to call first', 2)
const second = options.second ?? fail('--second says whom to call then', 2)
const { flow } = options
if (flow !== 'I' && flow !== 'IV') fail(`--flow is I or IV, not ${flow}`, 2)

const stack = await startStack({ listen: options.listen, tls: {} })
const stopping = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stopping.abort())

process.exitCode = await run().catch((error) => {
  console.error(describe(error))
  return error instanceof CallFailedError ? 1 : 3
})
await stack.close({ graceMs: 0 })

async function run(): Promise<number> {
  console.log(`calling ${first}`)
  const bridge = await stack.connect(first, second, {
    flow: flow as 'I' | 'IV',
    ...(options.from === undefined ? {} : { from: `<${options.from}>` }),
    ringTimeoutMs: readNumber('ring', options.ring) * 1_000,
    signal: stopping.signal,
    onRinging: (status) => console.log(`${status} at the first one`),
    onEvent: (event) => {
      if (event.kind === 'ringing') console.log(`${event.status} at the second one`)
      if (event.kind === 'answered') console.log('connected')
    },
  })
  const { disposition, status, by, durationMs } = await bridge.ended
  console.log(`${disposition} ${status}, ended by ${by} after ${Math.round(durationMs / 1_000)} s`)
  return disposition === 'ANSWERED' ? 0 : 1
}
