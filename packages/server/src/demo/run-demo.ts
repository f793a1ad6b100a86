/**
 * The demonstration: a server and two phones on loopback, one call, a tone each way, and the proof that each phone
 * heard the other's.
 */
import { once } from 'node:events'
import { performance } from 'node:perf_hooks'
import type { Call } from '@carillon/sip-transaction'
import { createServer } from '../app'
import { configFrom, type ListenAddress } from '../config'
import type { LogStream } from '../observability/logger'
import { createLogger } from '../observability/logger'
import { StaticUserStore } from '../store'
import { Agent } from './agent'
import { drawLadder, type LadderStep } from './ladder'

const PHONES = [
  { extension: '1001', password: 'demo-left', toneHz: 440, ssrc: 1 },
  { extension: '1002', password: 'demo-right', toneHz: 880, ssrc: 2 },
] as const

const RING_MS = 200

/** Options of the demonstration. */
export interface DemoOptions {
  /** How long each tone plays. */
  readonly toneMs: number
  readonly print: (line: string) => void
}

/** Runs the demonstration; throws with the reason when anything is not as it should be. */
export async function runDemo(options: DemoOptions): Promise<void> {
  const { print } = options
  const log = new LogLines()
  const config = configFrom({
    sip: { listen: 'udp://127.0.0.1:0' },
    media: { address: '127.0.0.1' },
    log: { level: 'info' },
  })
  const server = createServer(config, { users: new StaticUserStore(PHONES), logger: createLogger('info', log) })
  await server.start()
  const listen = server.addresses[0] as ListenAddress
  const agents: Agent[] = []
  const steps: LadderStep[] = []
  try {
    const beganMs = performance.now()
    for (const phone of PHONES) {
      const agent = await Agent.open({ ...phone, server: listen })
      observe(agent, agents.length as 0 | 1, beganMs, steps)
      agents.push(agent)
    }
    const [left, right] = agents as [Agent, Agent]
    await registerBoth(left, right)
    const setupMs = await talk(left, right, options.toneMs)
    for (const line of drawLadder(PHONES[0].extension, PHONES[1].extension, steps)) print(line)
    print('')
    report(left, right, setupMs, print)
    await reportRecord(log, print)
  } finally {
    await Promise.all(agents.map((agent) => agent.close()))
    await server.stop({ drainTimeoutMs: 0 })
  }
}

function observe(agent: Agent, phone: 0 | 1, beganMs: number, steps: LadderStep[]): void {
  const note = (direction: 'in' | 'out') => (event: { readonly startLine: string }) =>
    steps.push({ atMs: performance.now() - beganMs, phone, direction, startLine: event.startLine })
  agent.stack.on('messageIn', note('in'))
  agent.stack.on('messageOut', note('out'))
}

async function registerBoth(left: Agent, right: Agent): Promise<void> {
  for (const agent of [left, right]) {
    const status = await agent.register()
    if (status !== 200) throw new Error(`registration was answered ${status}`)
  }
}

/** Calls, plays both tones, hangs up. Returns the time from dialling to the answer, without the ringing. */
async function talk(left: Agent, right: Agent, toneMs: number): Promise<number> {
  const answered = new Promise<Call>((resolve) => right.answerCalls(RING_MS, resolve))
  const dialledMs = performance.now()
  const call = await left.call(PHONES[1].extension)
  const setupMs = performance.now() - dialledMs - RING_MS
  const answer = await answered
  const packets = Math.round(toneMs / 20)
  await Promise.all([
    left.voice.play(PHONES[0].toneHz, sdpOf(call), packets),
    right.voice.play(PHONES[1].toneHz, sdpOf(answer), packets),
  ])
  // The last packets are on their way.
  await new Promise((resolve) => setTimeout(resolve, 100))
  await call.bye()
  await answer.ended
  return setupMs
}

function sdpOf(call: Call): string {
  if (!call.remoteSdp) throw new Error('the answer has no SDP')
  return Buffer.from(call.remoteSdp).toString('latin1')
}

function report(left: Agent, right: Agent, setupMs: number, print: DemoOptions['print']): void {
  print(`set-up time ${setupMs.toFixed(1)} ms, without ${RING_MS} ms of ringing`)
  for (const [index, agent] of [left, right].entries()) {
    const own = PHONES[index as 0 | 1]
    const other = PHONES[(1 - index) as 0 | 1]
    const { sent, received, lost, jitterMs } = agent.voice.report()
    const heard = agent.voice.hears(other.toneHz)
    const echo = agent.voice.hears(own.toneHz)
    print(
      `${own.extension}: played ${own.toneHz} Hz in ${sent} packets; received ${received} packets, loss ${lost}, ` +
        `jitter ${jitterMs.toFixed(2)} ms; heard ${other.toneHz} Hz (${percent(heard)} of the sound, own tone ${percent(echo)})`,
    )
    if (heard < 0.9) throw new Error(`${own.extension} did not hear the ${other.toneHz} Hz of ${other.extension}`)
    if (echo > 0.01) throw new Error(`${own.extension} heard its own tone`)
    if (lost > 0 || received === 0) throw new Error(`${own.extension} lost ${lost} packets of ${received + lost}`)
  }
}

async function reportRecord(log: LogLines, print: DemoOptions['print']): Promise<void> {
  const record = await log.find('call.ended')
  print('')
  print(`the server's record of the call: ${record}`)
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`
}

/** Log lines kept for the end of the demonstration. */
class LogLines implements LogStream {
  readonly #lines: string[] = []
  readonly #added = new EventTarget()

  write(line: string): void {
    this.#lines.push(line.trim())
    this.#added.dispatchEvent(new Event('line'))
  }

  /** The line of that event, waited for as long as a second. */
  async find(event: string): Promise<string> {
    const isIt = (line: string) => line.includes(`"event":"${event}"`)
    const signal = AbortSignal.timeout(1_000)
    while (!this.#lines.some(isIt)) await once(this.#added, 'line', { signal })
    return this.#lines.find(isIt) as string
  }
}
