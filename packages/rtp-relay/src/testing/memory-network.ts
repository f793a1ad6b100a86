/** A world for tests: a clock that is moved by hand, repeatable chance, and datagrams that never touch a socket. */
import { Buffer } from 'node:buffer'
import type { Clock, DatagramChannel, DatagramNetwork, DatagramSink, Random, ScheduledWake } from '../ports'

/** A clock that stands still until it is moved. */
export class ManualClock implements Clock {
  nowMs = 1_000
  private wakes: { readonly atMs: number; readonly wake: () => void }[] = []

  monotonicMs(): number {
    return this.nowMs
  }

  schedule(atMs: number, wake: () => void): ScheduledWake {
    const entry = { atMs, wake }
    this.wakes.push(entry)
    return {
      cancel: () => {
        this.wakes = this.wakes.filter((one) => one !== entry)
      },
    }
  }

  /** Wake-ups that have been asked for and not happened. */
  get pending(): number {
    return this.wakes.length
  }

  /** Moves time, in due order of the wake-ups on the way. */
  advance(byMs: number): void {
    const endMs = this.nowMs + byMs
    for (;;) {
      const due = this.wakes.filter(({ atMs }) => atMs <= endMs).sort((x, y) => x.atMs - y.atMs)[0]
      if (due === undefined) break
      this.wakes = this.wakes.filter((one) => one !== due)
      this.nowMs = Math.max(this.nowMs, due.atMs)
      due.wake()
    }
    this.nowMs = endMs
  }
}

/** Chance that repeats itself for a seed (a linear congruential generator). */
export class SeededRandom implements Random {
  constructor(private state: number) {}

  fraction(): number {
    this.state = (Math.imul(this.state, 1_664_525) + 1_013_904_223) >>> 0
    return this.state / 2 ** 32
  }

  bytes(count: number): Uint8Array {
    return Uint8Array.from({ length: count }, () => Math.floor(this.fraction() * 256))
  }
}

/** One datagram that a channel has sent. */
export interface SentDatagram {
  readonly from: number
  readonly address: string
  readonly port: number
  readonly packet: Uint8Array
}

/** An open channel of {@link MemoryNetwork}. */
export class MemoryChannel implements DatagramChannel {
  isConnected = false
  readonly isSending = false
  peer: { readonly address: string; readonly port: number } | undefined

  constructor(
    private readonly network: MemoryNetwork,
    readonly address: string,
    readonly port: number,
    readonly sink: DatagramSink,
  ) {}

  send(packet: Uint8Array, address: string, port: number): void {
    const to = this.peer ?? { address, port }
    // What a socket would have copied: the sender may use its buffer again.
    this.network.sent.push({ from: this.port, ...to, packet: Buffer.from(packet) })
  }

  connect(address: string, port: number): void {
    this.isConnected = true
    this.peer = { address, port }
  }

  disconnect(): void {
    this.isConnected = false
    this.peer = undefined
  }

  close(): Promise<void> {
    this.network.channels.delete(`${this.address} ${this.port}`)
    return Promise.resolve()
  }
}

/** Opens channels in memory; ports can be made busy, failing, or slow to open. */
export class MemoryNetwork implements DatagramNetwork {
  readonly channels = new Map<string, MemoryChannel>()
  readonly sent: SentDatagram[] = []
  readonly busy = new Set<number>()
  /** Error code with which every further open fails. */
  failure: string | undefined
  /** Awaited before each open; a test holds binds back with it. */
  gate: Promise<void> = Promise.resolve()
  opened = 0

  async open(address: string, port: number, _family: 'IP4' | 'IP6', sink: DatagramSink): Promise<DatagramChannel> {
    await this.gate
    const key = `${address} ${port}`
    const code = this.failure ?? (this.busy.has(port) || this.channels.has(key) ? 'EADDRINUSE' : undefined)
    if (code !== undefined) throw Object.assign(new Error(`open ${code}`), { code })
    this.opened++
    const channel = new MemoryChannel(this, address, port, sink)
    this.channels.set(key, channel)
    return channel
  }

  /** The open channel at a port. */
  at(port: number, address = '192.0.2.1'): MemoryChannel {
    const channel = this.channels.get(`${address} ${port}`)
    if (channel === undefined) throw new Error(`nothing is open at ${address} port ${port}`)
    return channel
  }

  /** Delivers a datagram to a port, as a kernel would: a connected socket hears its peer only. Returns what was sent on. */
  deliver(to: MemoryChannel, packet: Uint8Array, address: string, port: number): readonly SentDatagram[] {
    const before = this.sent.length
    if (to.peer === undefined || (to.peer.address === address && to.peer.port === port)) {
      to.sink.receive(Buffer.from(packet), address, port)
    }
    return this.sent.slice(before)
  }
}
