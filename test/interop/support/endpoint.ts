/**
 * A stack of ours in this process, as the other side of a peer: what it sends and receives is kept, to be counted when
 * the peer is content, and to be shown when it is not.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { type Clock, nodeClock, SipStack, type SipStackOptions } from '@carillon/sip-transaction'
import { loopback } from './network.ts'

/** A session description of ours. */
export const ownSdp = sdpOf(1, 'sendrecv')

/** A session description of ours, changed `version - 1` times. */
export function sdpOf(version: number, direction: string): string {
  return `${[
    'v=0',
    `o=- 77 ${version} IN IP4 ${loopback}`,
    's=-',
    `c=IN IP4 ${loopback}`,
    't=0 0',
    'm=audio 40000 RTP/AVP 0',
    'a=rtpmap:0 PCMU/8000',
    `a=${direction}`,
  ].join('\r\n')}\r\n`
}

/** A message that passed. */
export interface Passed {
  readonly direction: 'in' | 'out'
  readonly atMs: number
  readonly text: string
}

/** One stack with its memory. */
export class Endpoint {
  readonly stack: SipStack
  readonly messages: Passed[] = []

  private constructor(stack: SipStack) {
    this.stack = stack
    for (const [event, direction] of [
      ['messageIn', 'in'],
      ['messageOut', 'out'],
    ] as const) {
      stack.on(event, ({ bytes }) => {
        this.messages.push({ direction, atMs: performance.now(), text: Buffer.from(bytes).toString('latin1') })
      })
    }
  }

  static async start(options: Partial<SipStackOptions> = {}): Promise<Endpoint> {
    return new Endpoint(await SipStack.create({ listen: [`udp://${loopback}:0`, `tcp://${loopback}:0`], ...options }))
  }

  /** Where its listener of that transport is. */
  target(transport = 'UDP'): string {
    return `${loopback}:${this.port(transport)}`
  }

  port(transport = 'UDP'): number {
    const found = this.stack.listeners.find((listener) => listener.transport === transport)
    if (found === undefined) throw new Error(`there is no listener for ${transport}`)
    return found.port
  }

  /** The messages of a direction whose text matches. */
  passed(direction: Passed['direction'], pattern: RegExp): Passed[] {
    return this.messages.filter((message) => message.direction === direction && pattern.test(message.text))
  }

  /** Fails unless so many messages match. */
  expectCount(count: number, direction: Passed['direction'], pattern: RegExp): void {
    const found = this.passed(direction, pattern).length
    if (found !== count) throw new Error(`${count} of ${pattern} ${direction} were expected, there were ${found}`)
  }

  /** Waits until a message matches; fails after `timeoutMs`. */
  async until(direction: Passed['direction'], pattern: RegExp, timeoutMs = 5_000): Promise<Passed> {
    const end = performance.now() + timeoutMs
    for (;;) {
      const [found] = this.passed(direction, pattern)
      if (found !== undefined) return found
      if (performance.now() > end) throw new Error(`no ${pattern} ${direction} within ${timeoutMs} ms`)
      await sleep(10)
    }
  }

  /** Waits until nothing of the stack is left but what time will end. */
  async untilIdle(timeoutMs = 5_000): Promise<void> {
    const end = performance.now() + timeoutMs
    for (;;) {
      const { calls, dialogs, ringing } = this.stack.stats()
      if (calls === 0 && dialogs === 0 && ringing === 0) return
      if (performance.now() > end) throw new Error(`left over: ${JSON.stringify({ calls, dialogs, ringing })}`)
      await sleep(10)
    }
  }

  /** All messages, for a failure report. */
  trace(): string {
    const begin = this.messages[0]?.atMs ?? 0
    return this.messages
      .slice(-30)
      .map(({ direction, atMs, text }) => `${(atMs - begin).toFixed(0)} ms ${direction === 'in' ? '<-' : '->'} ${text}`)
      .join('\n')
      .slice(-12_000)
  }
}

/** Runs with a stack, closes it, and adds what passed to whatever fails. */
export async function withEndpoint(
  options: Partial<SipStackOptions>,
  run: (endpoint: Endpoint) => Promise<void>,
): Promise<void> {
  const endpoint = await Endpoint.start(options)
  try {
    await run(endpoint)
  } catch (error) {
    throw new Error(`${error instanceof Error ? error.message : String(error)}\n--- our side\n${endpoint.trace()}`)
  } finally {
    await endpoint.stack.close({ graceMs: 0 })
  }
}

/**
 * A clock `factor` times as fast as the real one. RFC 4028 allows no session shorter than 90 seconds, and a test has no
 * 90 seconds to wait; give {@link timersAt} along with it, and retransmissions keep their real pace.
 */
export function fastClock(factor: number): Clock {
  return {
    monotonicMs: () => nodeClock.monotonicMs() * factor,
    wallMs: () => nodeClock.wallMs(),
    schedule: (atMs, wake) => nodeClock.schedule(atMs / factor, wake),
  }
}

/** The timers of RFC 3261 for a clock that runs so much faster: as long as ever in real time. */
export function timersAt(factor: number): NonNullable<SipStackOptions['timers']> {
  return { T1: 500 * factor, T2: 4_000 * factor, T4: 5_000 * factor }
}

/** Fails with these words unless the condition holds. */
export function expectThat(condition: boolean, what: string): void {
  if (!condition) throw new Error(what)
}
