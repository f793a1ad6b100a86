/** A bad network in memory, on a clock that a run moves: an hour of load in as long as its work takes. */
import type { SipStackOptions, TransportContext } from '@carillon/sip-transaction'
import { FakeClock, MemoryNetwork, SeededRandom, silentLogger } from '@carillon/sip-transaction/testing'
import { type Medium, smallLimits } from './medium.ts'

const schemes = ['udp', 'tcp'] as const
type Place = ReturnType<Medium['place']>

/** The network. */
export class MemoryMedium implements Medium {
  readonly name = 'memory'
  readonly idleMs = undefined
  private readonly clock = new FakeClock()
  private readonly random: SeededRandom
  private readonly network: MemoryNetwork
  private places = 0
  private intruders = 0

  constructor(seed: number) {
    this.random = new SeededRandom(seed)
    this.network = new MemoryNetwork({
      clock: this.clock,
      random: this.random.fork(),
      conditions: { lossRate: 0.03, duplicateRate: 0.02, reorderRate: 0.05, delayMinMs: 5, delayMaxMs: 60 },
    })
  }

  place(): Place {
    this.places += 1
    // Callers come and go, and their addresses come again as they do behind a translator.
    const host = `10.0.0.${1 + (this.places % 200)}`
    const options: Partial<SipStackOptions> = {
      transports: schemes.map((scheme) =>
        this.network.factory({ scheme, transportName: scheme.toUpperCase(), isReliable: scheme === 'tcp' }),
      ),
      clock: this.clock,
      random: this.random.fork(),
      limits: smallLimits,
    }
    return { ...options, listen: schemes.map((scheme) => `${scheme}://${host}:5060`) }
  }

  async pass(ms: number): Promise<void> {
    await this.clock.advance(ms)
  }

  disturb(): void {
    for (let host = 1; host <= 2; host += 1) {
      for (let other = 1; other <= 200; other += 1) this.network.resetStreams(`10.0.0.${host}`, `10.0.0.${other}`)
    }
  }

  intrude(bytes: Uint8Array, listeners: Parameters<Medium['intrude']>[1]): void {
    this.intruders += 1
    const address = `10.9.${(this.intruders >> 8) % 256}.${this.intruders % 256}`
    const [target] = listeners.filter(({ transport }) => transport === 'UDP')
    if (target === undefined) return
    const ignore = () => {}
    const sink = { message: ignore, garbage: ignore, flowOpened: ignore, flowClosed: ignore }
    const context = { clock: this.clock, logger: silentLogger, nextFlowId: () => 1 } as unknown as TransportContext
    const factory = this.network.factory({ scheme: 'udp', transportName: 'UDP' })
    void factory.listen(address, 5060, sink, context).then((transport) => {
      transport.send(bytes, { kind: 'address', address: target }, ignore)
      return transport.close()
    })
  }

  async close(): Promise<void> {}
}
