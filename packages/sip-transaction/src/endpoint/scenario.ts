/** Several stacks on one network in memory, for the tests of this folder: every message seen, chosen ones lost. */
import { defaultTransportLimits } from '../limits'
import type { FlowAddress, Transport, TransportFactory } from '../ports'
import { FakeClock, MemoryNetwork, SeededRandom } from '../testing'
import { silentLogger } from './node-ports'
import type { SipStackOptions } from './options'
import { SipStack } from './stack'

/** A description as a phone sends it, in size and kind. */
export function phoneSdp(who: string): string {
  return `v=0
o=${who} 1 1 IN IP4 10.0.0.9
s=-
c=IN IP4 10.0.0.9
t=0 0
m=audio 4000 RTP/AVP 8 0 9 101
a=rtpmap:8 PCMA/8000
a=rtpmap:0 PCMU/8000
a=rtpmap:9 G722/8000
a=rtpmap:101 telephone-event/8000
a=fmtp:101 0-16
a=ptime:20
a=sendrecv
`.replaceAll('\n', '\r\n')
}

/** Decides whether a message is lost on its way out. */
export type Loss = (startLine: string, text: string) => boolean

/** A peer without a stack: it sends what a test writes, and keeps what it gets. */
export interface RawPeer {
  readonly address: string
  readonly received: string[]
  /** Sends lines joined with CRLF, an empty line and the body. */
  send(to: string, lines: readonly string[], body?: string): void
}

/** A network with its clock, and the stacks on it. */
export class Scenario {
  readonly clock = new FakeClock()
  readonly network: MemoryNetwork
  /** Every message in the order sent: `alice>bob INVITE`, `bob>alice 200 INVITE`; `x` before what was lost. */
  readonly ladder: string[] = []
  readonly stacks: SipStack[] = []
  private readonly names = new Map<string, string>()
  private readonly losses: Loss[] = []
  private raws = 0

  constructor(seed = 1) {
    this.network = new MemoryNetwork({ clock: this.clock, random: new SeededRandom(seed) })
    this.network.observe((message) => this.note(message.from, message.to, message.bytes, false))
  }

  /** Makes a stack at an address of its own; `name` stands for it in the ladder. */
  async stack(name: string, options: Partial<SipStackOptions> = {}): Promise<SipStack> {
    const address = `10.0.0.${this.stacks.length + 1}`
    this.names.set(address, name)
    const stack = await SipStack.create({
      listen: [`udp://${address}:5060`],
      transports: [
        this.lossy(this.network.factory({ scheme: 'udp', transportName: 'UDP' })),
        this.lossy(this.network.factory({ scheme: 'tcp', transportName: 'TCP', isReliable: true })),
      ],
      clock: this.clock,
      random: new SeededRandom(this.stacks.length + 7),
      ...options,
    })
    this.stacks.push(stack)
    return stack
  }

  /** Makes a peer without a stack, over UDP. */
  async raw(name: string): Promise<RawPeer> {
    this.raws += 1
    const address = `10.0.1.${this.raws}`
    this.names.set(address, name)
    const received: string[] = []
    const sink = {
      message: (bytes: Uint8Array) => received.push(Buffer.from(bytes).toString('latin1')),
      garbage: () => {},
      flowOpened: () => {},
      flowClosed: () => {},
    }
    const factory = this.network.factory({ scheme: 'udp', transportName: 'UDP' })
    let flows = 0
    const context = {
      clock: this.clock,
      logger: silentLogger,
      limits: defaultTransportLimits,
      nextFlowId: () => ++flows,
    }
    const transport = await factory.listen(address, 5060, sink, context)
    return {
      address,
      received,
      send: (to, lines, body = '') => {
        const bytes = Buffer.from(`${lines.join('\r\n')}\r\n\r\n${body}`, 'latin1')
        transport.send(bytes, { kind: 'address', address: { transport: 'UDP', address: to, port: 5060 } }, () => {})
      },
    }
  }

  /** Loses the first `times` messages for which `loss` says so. */
  lose(times: number, loss: Loss): void {
    let left = times
    this.losses.push((startLine, text) => {
      if (left === 0 || !loss(startLine, text)) return false
      left -= 1
      return true
    })
  }

  /** Lets time pass, and everything that falls due happen. */
  async pass(ms: number): Promise<void> {
    await this.clock.advance(ms)
  }

  /** Runs a promise to its end while time passes. */
  async settle<T>(work: Promise<T>, atMostMs = 100_000): Promise<T> {
    let isDone = false
    const watched = work.finally(() => {
      isDone = true
    })
    watched.catch(() => {})
    for (let passedMs = 0; passedMs <= atMostMs && !isDone; passedMs += 10) await this.pass(10)
    if (!isDone) throw new Error(`Nothing came of it in ${atMostMs} ms.\n${this.ladder.join('\n')}`)
    return watched
  }

  /** The gauges of every stack; all zero when nothing is left. */
  gauges(): number[] {
    return this.stacks.flatMap((stack) => {
      const { transactions, dialogs, calls, bridges, ringing, requests } = stack.stats()
      return [transactions, dialogs, calls, bridges, ringing, requests]
    })
  }

  private lossy(factory: TransportFactory): TransportFactory {
    return {
      scheme: factory.scheme,
      listen: async (address, port, sink, context) => {
        const transport = await factory.listen(address, port, sink, context)
        return new Proxy(transport, {
          get: (target, name) => {
            if (name === 'send') return (...args: Parameters<Transport['send']>) => this.send(target, args)
            const value: unknown = Reflect.get(target, name, target)
            return typeof value === 'function' ? value.bind(target) : value
          },
        })
      },
    }
  }

  private send(transport: Transport, args: Parameters<Transport['send']>): void {
    const [bytes, destination] = args
    const text = Buffer.from(bytes).toString('latin1')
    const startLine = text.slice(0, text.indexOf('\r\n'))
    if (!this.losses.some((loss) => loss(startLine, text))) {
      transport.send(...args)
      return
    }
    const to = destination.kind === 'flow' ? destination.flow.remote : destination.address
    this.note(transport.local, to, bytes, true)
  }

  private note(from: FlowAddress, to: FlowAddress, bytes: Uint8Array, isLost: boolean): void {
    const text = Buffer.from(bytes).toString('latin1')
    const first = text.slice(0, text.indexOf('\r\n'))
    const method = /^CSeq: \d+ (\w+)/im.exec(text)?.[1] ?? ''
    const what = first.startsWith('SIP/2.0') ? `${first.slice(8, 11)} ${method}` : first.slice(0, first.indexOf(' '))
    const name = (address: FlowAddress) => this.names.get(address.address) ?? address.address
    this.ladder.push(`${isLost ? 'x ' : ''}${name(from)}>${name(to)} ${what}`)
  }
}
