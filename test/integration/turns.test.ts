/**
 * How much of a turn of the event loop a flood can take: processor time, so that a busy machine changes nothing. The flood
 * comes from a process of its own.
 */
import { spawn } from 'node:child_process'
import { PerformanceObserver } from 'node:perf_hooks'
import { SipStack } from '@carillon/sip-transaction'
import { afterEach, expect, it } from 'vitest'

const stacks: SipStack[] = []
const cleanups: (() => void)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0)) cleanup()
  await Promise.all(stacks.splice(0).map((stack) => stack.close({ graceMs: 0 })))
})

const turnMsMax = 10
/** The kernel counts processor time in ticks, and a turn that one falls into looks longer than it was. */
const longestMsMax = 25
const warmUpMs = 1_000
const floodMs = 1_500

/** Sends what it is told as fast as it can; it ends with its standard input. */
const flooder = `
const { createSocket } = require('node:dgram')
const { connect } = require('node:net')
const [udp, tcp, kind] = process.argv.slice(1)
const id = () => Math.random().toString(36).slice(2)
const pad = (bytes, line) => line.repeat(Math.floor(bytes / line.length))
const message = (transport) => {
  const key = id()
  const method = kind === 'calls' ? 'INVITE' : kind === 'nonsense' ? 'BYE' : 'OPTIONS'
  const head = method + ' sip:x@127.0.0.1 SIP/2.0\\r\\nVia: SIP/2.0/' + transport + ' 127.0.0.1:9;branch=z9hG4bK' + key + ';rport\\r\\n' +
    'From: <sip:a@b>;tag=' + key + '\\r\\nTo: <sip:c@d>' + (kind === 'nonsense' ? ';tag=1' : '') + '\\r\\nCall-ID: ' + key + '\\r\\nCSeq: 1 ' + method + '\\r\\nMax-Forwards: 70\\r\\n' +
    (method === 'INVITE' ? 'Contact: <sip:a@127.0.0.1:9>\\r\\n' : '')
  const extra = kind === 'headers' ? pad(30000, 'X: y\\r\\n') : kind === 'long' ? 'Contact: ' + pad(30000, '<sip:a@b;p=q>;x="y", ') + '<sip:a@b>\\r\\n' : ''
  const body = kind === 'bodies' ? pad(30000, 'a=x:y\\r\\n') : ''
  return Buffer.from(kind === 'noise' ? pad(1000, key) : head + extra + 'Content-Length: ' + body.length + '\\r\\n\\r\\n' + body)
}
const socket = createSocket('udp4')
socket.bind(0, '127.0.0.1')
const blast = () => {
  for (let count = 0; count < 32; count += 1) socket.send(message('UDP'), udp, '127.0.0.1', () => {})
  setImmediate(blast)
}
blast()
for (let one = 0; one < 20; one += 1) {
  const stream = connect(tcp, '127.0.0.1').resume()
  stream.on('error', () => {})
  const pour = () => { while (stream.writable && stream.write(message('TCP'))); }
  stream.on('connect', pour).on('drain', pour)
}
process.stdin.on('end', () => process.exit()).resume()
`

interface Turn {
  readonly cpuMs: number
  /** What of it went into collecting garbage: that is not for the stack to share out. */
  readonly collectingMs: number
}

/** Each turn of the event loop for so long. */
async function turnsFor(durationMs: number): Promise<Turn[]> {
  const collections: { startTime: number; duration: number }[] = []
  const observer = new PerformanceObserver((list) => collections.push(...list.getEntries()))
  observer.observe({ entryTypes: ['gc'] })
  const turns: { cpuMs: number; fromMs: number; toMs: number }[] = []
  let [before, fromMs] = [process.threadCpuUsage(), performance.now()]
  const endMs = fromMs + durationMs
  while (fromMs < endMs) {
    await new Promise((resolve) => setImmediate(resolve))
    const [now, toMs] = [process.threadCpuUsage(), performance.now()]
    turns.push({ cpuMs: (now.user + now.system - before.user - before.system) / 1000, fromMs, toMs })
    before = now
    fromMs = toMs
  }
  await new Promise((resolve) => setTimeout(resolve, 50))
  observer.disconnect()
  return turns.map(({ cpuMs, fromMs: from, toMs: to }) => {
    const own = collections.filter(({ startTime }) => startTime >= from && startTime < to)
    // The kernel counts processor time in ticks of its own, and the clock counts what others had of the processor.
    return { cpuMs: Math.min(cpuMs, to - from), collectingMs: own.reduce((sum, { duration }) => sum + duration, 0) }
  })
}

it.each(['questions', 'calls', 'nonsense', 'headers', 'long', 'bodies', 'noise'])(
  `a flood of %s takes no more than ${turnMsMax} ms of 99 turns in 100, and of none more than ${longestMsMax} ms`,
  // Whatever else the machine does can only make a turn longer.
  { retry: 3 },
  async (kind) => {
    const stack = await SipStack.create({ listen: ['udp://127.0.0.1:0', 'tcp://127.0.0.1:0'] })
    stacks.push(stack)
    stack.method('OPTIONS', (request) => request.reply(200))
    stack.method('INVITE', (request) => request.reply(486))
    const ports = stack.listeners.map(({ port }) => `${port}`)
    const peer = spawn(process.execPath, ['-e', flooder, ...ports, kind], { stdio: ['pipe', 'ignore', 'ignore'] })
    // Not by its input alone: a process that floods has been seen to hang in its own exit.
    cleanups.push(() => peer.kill('SIGKILL'))
    await turnsFor(warmUpMs)
    const turns = await turnsFor(floodMs)
    const [ownMs, allMs] = [
      turns.map(({ cpuMs, collectingMs }) => cpuMs - collectingMs),
      turns.map(({ cpuMs }) => cpuMs),
    ].map((list) => list.sort((one, other) => one - other)) as [number[], number[]]
    const worst = ownMs.at(-1) ?? 0
    const usual = ownMs[Math.floor(ownMs.length * 0.99)] ?? 0
    console.log(
      `${kind}: ${turns.length} turns, 99 % ${usual.toFixed(1)} ms, longest ` +
        `${worst.toFixed(1)} ms, with the collection of garbage ${(allMs.at(-1) ?? 0).toFixed(1)} ms`,
    )
    expect(stack.stats().counters.requestsIn + stack.stats().counters.dropped.garbage).toBeGreaterThan(100)
    expect(usual).toBeLessThan(turnMsMax)
    expect(worst).toBeLessThan(longestMsMax)
  },
)
