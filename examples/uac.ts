/**
 * Calls somebody, stays for a while, and hangs up. Exit code 0: the call was answered; 1: it was refused; 3: nobody could
 * be reached in time. Ctrl-C hangs up, or gives up ringing.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { CallFailedError, LadderRecorder } from '@carillon/sip-transaction'
import { describe, fail, readNumber, readOptions, startStack } from './support/program.ts'
import { answer, offer } from './support/session.ts'

const options = readOptions(
  'uac --to sip:bob@127.0.0.1:5060 [--from sip:alice@localhost] [--user alice --password secret] …',
  {
    to: { type: 'string' },
    from: { type: 'string' },
    user: { type: 'string' },
    password: { type: 'string' },
    /** Seconds to stay on the line. */
    duration: { type: 'string', default: '1' },
    /** Seconds to let it ring. */
    ring: { type: 'string', default: '30' },
    /** Registers before the call, and takes its registration back after it. */
    register: { type: 'boolean', default: false },
    listen: { type: 'string', multiple: true, default: ['udp://0.0.0.0:0', 'tcp://0.0.0.0:0'] },
    trace: { type: 'boolean', default: false },
  },
)
const target = options.to ?? fail('--to says whom to call', 2)
const { user, password } = options
const durationMs = readNumber('duration', options.duration) * 1_000
const credentials = user === undefined || password === undefined ? {} : { credentials: { username: user, password } }
const from = options.from === undefined ? {} : { from: `<${options.from}>` }

const stack = await startStack({ listen: options.listen, tls: {} })
const recorder = options.trace ? new LadderRecorder() : undefined
recorder?.attach(stack, 'uac')
const stopping = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stopping.abort())

process.exitCode = await run().catch((error) => {
  console.error(describe(error))
  return error instanceof CallFailedError ? 1 : 3
})
for (const callId of recorder?.callIds ?? []) console.log(recorder?.trace(callId)?.toText())
await stack.close({ graceMs: 0 })

async function run(): Promise<number> {
  if (options.register && !(await register(300))) return 1
  console.log(`calling ${target}`)
  const address = stack.listeners[0]!.uri.host
  const call = await stack.invite(target, {
    ...from,
    ...credentials,
    sdp: offer(address),
    timeoutMs: readNumber('ring', options.ring) * 1_000,
    signal: stopping.signal,
    onProvisional: ({ status, reason }) => console.log(`${status} ${reason}`),
  })
  console.log('answered')
  call.onRequest((request) => {
    const sdp = request.body.length === 0 ? offer(address) : answer(request.body, address)
    if (request.method !== 'INVITE' && request.method !== 'UPDATE') request.reply(200)
    else if (sdp === undefined) request.reply(488)
    else request.reply(200, { body: sdp })
  })
  await Promise.race([call.ended, sleep(durationMs, undefined, { signal: stopping.signal }).catch(() => {})])
  await call.bye()
  const { by } = await call.ended
  console.log(by === 'local' ? 'hung up' : `ended: ${by}`)
  if (options.register) await register(0)
  return 0
}

/** Registers the address of `--from` with the server of `--to` for so many seconds; 0 takes it back. */
async function register(seconds: number): Promise<boolean> {
  const own = options.from ?? fail('--register needs --from', 2)
  const uri = target.replace(/^(sips?:)[^@;?]*@/, '$1')
  const headers = [['Expires', seconds]] as const
  const { status, reason } = await stack.request({
    method: 'REGISTER',
    uri,
    ...from,
    to: `<${own}>`,
    headers,
    ...credentials,
  })
  console.log(`${seconds === 0 ? 'unregistered' : 'registered'}: ${status} ${reason}`)
  return status === 200
}
