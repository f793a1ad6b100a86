/** One place for an engine: in this thread, or in a worker that is replaced when it crashes. */
import { createEngine, type EngineStats, type MediaTotals, noTotals, type RelayEngine } from '../control/engine'
import type { RelayOptions } from '../control/options'
import { RelayError } from '../errors'
import { nodeClock } from '../io/node-clock'
import { EngineClient } from './engine-client'
import { EngineHost } from './engine-host'

/** How a worker stands. */
export type WorkerState = 'starting' | 'running' | 'waiting' | 'closed'

/** One worker, as of its last report. */
export interface WorkerStats {
  readonly index: number
  /** `waiting` after a crash, until it is started again. */
  readonly state: WorkerState
  readonly sessions: number
  readonly packetsPerSecond: number
  /** Share (0–1) of one core that its event loop is busy. */
  readonly busyShare: number
  readonly heapBytes: number
  readonly crashes: number
}

/** A place for an engine. */
export interface EngineSlot {
  /** The engine there, while there is one that takes sessions. */
  readonly client: EngineClient | undefined
  readonly portsFree: number
  /** Of the last second; what counts between engines that have as many sessions. */
  readonly packetsPerSecond: number
  /** What engines that are gone have carried, as far as it is known. */
  readonly past: Readonly<MediaTotals>
  /** How the engine stands; undefined when there is none, or it does not answer. */
  stats(): Promise<EngineStats | undefined>
  /** Undefined for an engine in this thread. */
  workerStats(): WorkerStats | undefined
  /** Closes the engine; its sessions close with it. */
  close(): Promise<void>
}

/** Has an engine in this thread. Rejects as createEngine does. */
export async function openLocalSlot(options: RelayOptions): Promise<EngineSlot> {
  return new LocalSlot(await createEngine(options), options)
}

class LocalSlot implements EngineSlot {
  readonly client: EngineClient
  readonly packetsPerSecond = 0
  readonly past = noTotals()

  constructor(
    private readonly engine: RelayEngine,
    options: RelayOptions,
  ) {
    const host = new EngineHost(engine, {
      clock: options.clock ?? nodeClock,
      heapBytes: () => 0,
      isOwners: true,
      post: (message) => this.client.receive(message),
    })
    this.client = new EngineClient({
      send: (message) => host.handle(message),
      requestTimeoutMs: 0,
      busy: () => undefined,
    })
  }

  get portsFree(): number {
    return this.engine.portsFree
  }

  async stats(): Promise<EngineStats> {
    return this.engine.stats()
  }

  workerStats(): undefined {
    return undefined
  }

  async close(): Promise<void> {
    await this.engine.close()
    this.client.lose(new RelayError('RELAY_CLOSED'), 'relay-closed')
  }
}
