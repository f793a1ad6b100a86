/** Gets packets to a capture server over UDP or TCP, as far as it takes them: what it does not take in time is dropped. */
import { createSocket } from 'node:dgram'
import { connect } from 'node:net'
import { type HepLimits, hepDatagramBytesMax } from '../../limits'
import type { Clock } from '../../ports'

/** Where packets go. */
export interface HepTarget {
  readonly host: string
  readonly port: number
  readonly protocol: 'udp' | 'tcp'
}

/** An open way to the server. `done` is called once for each packet, with whether it was handed to the network. */
interface Line {
  write(bytes: Uint8Array, done: (isSent: boolean) => void): void
  close(ended: () => void): void
  destroy(): void
}

/** A bounded queue in front of one socket, which is opened for the first packet and again after a failure. */
export class HepSender {
  /** Packets handed to the network. */
  sent = 0
  /** Packets dropped because the queue was full, or because they are too long. */
  dropped = 0
  /** Packets that the network did not take. */
  failed = 0
  private queue: Uint8Array[] = []
  private pendingBytes = 0
  private line: Line | undefined
  private state: 'idle' | 'opening' | 'open' | 'closed' = 'idle'
  private retryAtMs = Number.NEGATIVE_INFINITY
  private onDrained: (() => void) | undefined

  constructor(
    private readonly target: HepTarget,
    private readonly limits: HepLimits,
    private readonly clock: Clock,
  ) {}

  /** Bytes that wait, or are on their way to the network. */
  get queuedBytes(): number {
    return this.pendingBytes
  }

  /** Takes one packet, which must not change afterwards. Never throws. */
  push(bytes: Uint8Array): void {
    const isTooLong = this.target.protocol === 'udp' && bytes.length > hepDatagramBytesMax
    const isFull = this.pendingBytes + bytes.length > this.limits.hepQueueBytesMax
    if (this.state === 'closed' || isTooLong || isFull) {
      this.dropped += 1
      return
    }
    this.pendingBytes += bytes.length
    if (this.state === 'open') this.write(bytes)
    else this.queue.push(bytes)
    if (this.state === 'idle' && this.clock.monotonicMs() >= this.retryAtMs) this.open()
  }

  /** Sends what waits, for a moment at most, and closes the socket. */
  async close(): Promise<void> {
    if (this.state === 'closed') return
    if (this.pendingBytes > 0 && this.state !== 'idle') {
      await new Promise<void>((resolve) => {
        const wake = this.clock.schedule(this.clock.monotonicMs() + this.limits.hepCloseGraceMs, resolve)
        this.onDrained = () => {
          wake.cancel()
          resolve()
        }
      })
    }
    const { line } = this
    this.state = 'closed'
    this.discardQueue()
    this.line = undefined
    if (line === undefined) return
    await new Promise<void>((resolve) => {
      const wake = this.clock.schedule(this.clock.monotonicMs() + this.limits.hepCloseGraceMs, () => {
        line.destroy()
        resolve()
      })
      line.close(() => {
        wake.cancel()
        resolve()
      })
    })
  }

  private open(): void {
    this.state = 'opening'
    const ready = () => {
      if (this.state !== 'opening') return
      this.state = 'open'
      for (const bytes of this.queue.splice(0)) this.write(bytes)
    }
    const broken = () => this.broken(line)
    const line =
      this.target.protocol === 'udp' ? udpLine(this.target, ready, broken) : tcpLine(this.target, ready, broken)
    this.line = line
  }

  private write(bytes: Uint8Array): void {
    this.line?.write(bytes, (isSent) => {
      if (isSent) this.sent += 1
      else this.failed += 1
      this.release(bytes.length)
    })
  }

  /** The socket is of no use any more. The first packet after a while opens another one; until then they wait. */
  private broken(line: Line): void {
    if (this.line !== line || this.state === 'closed') return
    line.destroy()
    this.line = undefined
    this.state = 'idle'
    this.retryAtMs = this.clock.monotonicMs() + this.limits.hepRetryMs
    this.onDrained?.()
    this.onDrained = undefined
  }

  private discardQueue(): void {
    for (const { length } of this.queue.splice(0)) {
      this.dropped += 1
      this.pendingBytes -= length
    }
  }

  private release(length: number): void {
    this.pendingBytes -= length
    if (this.pendingBytes > 0) return
    this.onDrained?.()
    this.onDrained = undefined
  }
}

function udpLine({ host, port }: HepTarget, ready: () => void, broken: () => void): Line {
  const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4')
  let isConnected = false
  // A server that is not there makes its machine answer with ICMP: the datagram is lost, the socket is none the worse.
  socket.on('error', () => {
    if (!isConnected) broken()
  })
  socket.once('connect', () => {
    isConnected = true
    ready()
  })
  socket.connect(port, host)
  socket.unref()
  const close = () => {
    try {
      socket.close()
    } catch {
      // It is closed already.
    }
  }
  return {
    write: (bytes, done) => socket.send(bytes, (error) => done(error === null)),
    close: (ended) => {
      socket.once('close', ended)
      close()
    },
    destroy: close,
  }
}

function tcpLine({ host, port }: HepTarget, ready: () => void, broken: () => void): Line {
  const socket = connect({ host, port, noDelay: true })
  socket.on('error', () => {})
  socket.once('close', broken)
  socket.once('connect', ready)
  // Whatever the server says is no news.
  socket.resume()
  socket.unref()
  return {
    write: (bytes, done) => {
      socket.write(bytes, (error) => done(error === null || error === undefined))
    },
    close: (ended) => {
      socket.once('close', ended)
      socket.end()
      if (socket.destroyed) ended()
    },
    destroy: () => socket.destroy(),
  }
}
