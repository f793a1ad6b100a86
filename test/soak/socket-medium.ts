/** Sockets on the loopback: UDP, TCP, TLS and WebSocket, in real time, with the timers of a fast network. */
import { createSocket } from 'node:dgram'
import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { TestAuthority, type TestCertificate } from '../support/certificates.ts'
import { type Medium, smallLimits } from './medium.ts'

type Place = ReturnType<Medium['place']>

const schemes = ['udp', 'tcp', 'tls', 'ws', 'wss'] as const

/** An idle connection lasts for longer than any transaction. */
const idleT1s = 80

/** The loopback. */
export class SocketMedium implements Medium {
  readonly name = 'sockets'
  readonly idleMs: number
  private readonly certificate: TestCertificate
  private readonly ca: string
  /** T1; the timers that follow from it last 64 of them. */
  private readonly t1Ms: number

  private constructor(certificate: TestCertificate, ca: string, t1Ms: number) {
    this.certificate = certificate
    this.ca = ca
    this.t1Ms = t1Ms
    this.idleMs = idleT1s * t1Ms
  }

  /** @param t1Ms T1 of every stack; it decides how long a run takes to come to rest */
  static async create(t1Ms: number): Promise<SocketMedium> {
    const authority = await TestAuthority.create()
    return new SocketMedium(await authority.issue({ addresses: ['127.0.0.1'] }), authority.cert, t1Ms)
  }

  place(): Place {
    const { t1Ms } = this
    return {
      listen: schemes.map((scheme) => `${scheme}://127.0.0.1:0`),
      tls: { ...this.certificate, ca: this.ca },
      limits: {
        ...smallLimits,
        // After glare one waits for seconds, however fast the network is (RFC 3261 §14.1).
        stack: { ...smallLimits.stack, glareRetriesMax: 0 },
        transport: { ...smallLimits.transport, idleTimeoutMs: this.idleMs, firstMessageTimeoutMs: this.idleMs },
      },
      timers: { T1: t1Ms, T2: 8 * t1Ms, T4: 10 * t1Ms },
      // Collecting garbage stops the process for longer than any overload would.
      protection: { overload: false },
    }
  }

  async pass(ms: number): Promise<void> {
    await sleep(ms)
  }

  /** Phones that are closed while they have connections are disturbance enough. */
  disturb(): void {}

  intrude(bytes: Uint8Array, listeners: Parameters<Medium['intrude']>[1]): void {
    const target = listeners[bytes.length % listeners.length]
    if (target === undefined) return
    if (target.transport === 'UDP') {
      const socket = createSocket('udp4')
      socket.send(bytes, target.port, target.address, () => socket.close())
      return
    }
    const socket = connect({ port: target.port, host: target.address })
    socket.on('error', () => {})
    socket.setTimeout(2_000, () => socket.destroy())
    if (bytes.length % 2 === 0) socket.end(bytes)
    else socket.write(bytes, () => socket.destroy())
  }

  async close(): Promise<void> {}
}
