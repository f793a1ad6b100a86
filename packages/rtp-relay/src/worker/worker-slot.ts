/**
 * A worker that owns its sockets: started, watched, and replaced when it ends without being asked to. A worker that ends
 * again and again is started ever more rarely.
 */
import type { EngineStats, MediaTotals } from '../control/engine'
import { addTotals, noTotals } from '../control/engine'
import { RelayError } from '../errors'
import {
  workerMissedReportsMax,
  workerReportIntervalMs,
  workerRequestTimeoutMs,
  workerRestartMaxMs,
  workerRestartMinMs,
  workerSoundAfterMs,
  workerStartTimeoutMs,
} from '../limits'
import type { Clock } from '../ports'
import { EngineClient } from './engine-client'
import type { EngineSlot, WorkerState, WorkerStats } from './engine-slot'
import { errorOf } from './error-message'
import type { FromWorker, ToWorker } from './protocol'

/** A thread as the slot sees it; node:worker_threads in programs. */
export interface WorkerThread {
  post(message: ToWorker): void
  /** Share (0–1) of one core since the last call. */
  busyShare(): number
  /** Whether the thread keeps the process alive. */
  hold(isHeld: boolean): void
  /** Ends it by force; the slot hears `ended`. */
  kill(): void
}

/** What a thread tells its slot. */
export interface WorkerThreadEvents {
  message(message: FromWorker): void
  /** The thread is gone; told once. */
  ended(code: string, detail: string): void
}

/** What the slot needs of its relay. */
export interface WorkerSlotContext {
  readonly index: number
  readonly clock: Clock
  /** Starts the thread of this slot. May throw. */
  spawn(events: WorkerThreadEvents): WorkerThread
  /** The worker is gone; told after its requests have been rejected and before its sessions are. */
  crashed(code: string, detail: string, sessions: number): void
  /** A worker has taken the place of the one that crashed. */
  restarted(): void
}

/** One worker after the other. */
export class WorkerSlot implements EngineSlot {
  packetsPerSecond = 0
  readonly past: MediaTotals = noTotals()
  private state: WorkerState = 'starting'
  private thread: WorkerThread | undefined
  private running: EngineClient | undefined
  private report: EngineStats | undefined
  private heapBytes = 0
  private busyShare = 0
  private reportedAtMs = 0
  private startedAtMs = 0
  private missedReports = 0
  private crashes = 0
  private crashesInARow = 0
  private isClosing = false
  private watch: NodeJS.Timeout | undefined
  private restart: NodeJS.Timeout | undefined
  private started: { resolve(): void; reject(error: Error): void } | undefined
  private stopped: (() => void) | undefined

  constructor(private readonly context: WorkerSlotContext) {}

  get client(): EngineClient | undefined {
    return this.state === 'running' && !this.isClosing ? this.running : undefined
  }

  get portsFree(): number {
    return this.report?.portsFree ?? 0
  }

  /** Starts the first worker. Rejects with the RelayError of its engine, or WORKER_FAILED. */
  start(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.started = { resolve, reject }
      this.begin()
    })
  }

  async stats(): Promise<EngineStats | undefined> {
    return this.client?.stats().catch(() => this.report)
  }

  workerStats(): WorkerStats {
    const { state, packetsPerSecond, busyShare, heapBytes, crashes } = this
    const { index } = this.context
    return { index, state, sessions: this.running?.sessions ?? 0, packetsPerSecond, busyShare, heapBytes, crashes }
  }

  async close(): Promise<void> {
    this.isClosing = true
    clearTimeout(this.restart)
    clearInterval(this.watch)
    const { thread } = this
    if (thread !== undefined) {
      const stopped = new Promise<void>((resolve) => {
        this.stopped = resolve
      })
      const force = setTimeout(() => thread.kill(), workerStartTimeoutMs)
      thread.hold(true)
      if (this.state === 'running') thread.post({ kind: 'close' })
      else thread.kill()
      await stopped
      clearTimeout(force)
    }
    this.state = 'closed'
  }

  private begin(): void {
    this.state = 'starting'
    this.startedAtMs = this.context.clock.monotonicMs()
    this.missedReports = 0
    let thread: WorkerThread | undefined
    const events = {
      message: (message: FromWorker) => this.take(message),
      ended: (code: string, detail: string) => {
        if (this.thread === thread) this.ended(code, detail)
      },
    }
    try {
      thread = this.context.spawn(events)
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? String(error.code) : 'SPAWN'
      this.ended(code, error instanceof Error ? error.message : String(error))
      return
    }
    this.thread = thread
    thread.hold(this.started !== undefined)
    clearInterval(this.watch)
    this.watch = setInterval(() => this.look(), workerReportIntervalMs)
    this.watch.unref()
  }

  private take(message: FromWorker): void {
    switch (message.kind) {
      case 'ready':
        this.ready()
        break
      case 'refused':
        this.refused(errorOf(message.error))
        break
      case 'report':
        this.noteReport(message.stats, message.heapBytes)
        this.running?.receive(message)
        break
      case 'closed':
        this.thread?.kill()
        break
      default:
        this.running?.receive(message)
        break
    }
  }

  /** The first worker says why its engine cannot run; that is final. A later one is tried again, as after a crash. */
  private refused(error: Error): void {
    if (this.started !== undefined) {
      this.isClosing = true
      this.started.reject(error)
      this.started = undefined
    }
    this.thread?.kill()
  }

  private ready(): void {
    const { thread } = this
    if (thread === undefined) return
    this.running = new EngineClient({
      send: (message) => thread.post(message),
      requestTimeoutMs: workerRequestTimeoutMs,
      busy: (isBusy) => thread.hold(isBusy || this.isClosing),
    })
    this.state = 'running'
    this.missedReports = 0
    thread.hold(false)
    const { started } = this
    this.started = undefined
    if (started !== undefined) started.resolve()
    else this.context.restarted()
  }

  private noteReport(stats: EngineStats, heapBytes: number): void {
    const nowMs = this.context.clock.monotonicMs()
    const elapsedMs = nowMs - this.reportedAtMs
    const packets = stats.packets - (this.report?.packets ?? 0)
    if (elapsedMs > 0) this.packetsPerSecond = Math.max(0, (packets * 1_000) / elapsedMs)
    this.reportedAtMs = nowMs
    this.report = stats
    this.heapBytes = heapBytes
    this.missedReports = 0
    this.busyShare = this.thread?.busyShare() ?? 0
  }

  /** One look for each report that is due: where this thread itself was busy, it looks less often and forgives more. */
  private look(): void {
    if (++this.missedReports < workerMissedReportsMax) return
    clearInterval(this.watch)
    const { thread } = this
    this.ended('UNRESPONSIVE', `no report for ${(workerMissedReportsMax * workerReportIntervalMs) / 1_000} s`)
    thread?.kill()
  }

  private ended(code: string, detail: string): void {
    const { running } = this
    clearInterval(this.watch)
    this.thread = undefined
    this.running = undefined
    this.packetsPerSecond = 0
    this.busyShare = 0
    this.heapBytes = 0
    if (this.report !== undefined) addTotals(this.past, this.report)
    this.report = undefined
    if (this.isClosing) {
      running?.lose(new RelayError('RELAY_CLOSED'), 'relay-closed')
      this.stopped?.()
      return
    }
    if (this.started !== undefined) {
      this.started.reject(new RelayError('WORKER_FAILED', code))
      this.started = undefined
      this.state = 'closed'
      return
    }
    this.state = 'waiting'
    this.crashes++
    const isSound = this.context.clock.monotonicMs() - this.startedAtMs >= workerSoundAfterMs
    this.crashesInARow = isSound ? 1 : this.crashesInARow + 1
    const delayMs = Math.min(workerRestartMaxMs, workerRestartMinMs * 2 ** (this.crashesInARow - 1))
    this.restart = setTimeout(() => this.begin(), delayMs)
    this.restart.unref()
    this.context.crashed(code, detail, running?.sessions ?? 0)
    running?.lose(new RelayError('WORKER_CRASHED'), 'worker-crashed')
  }
}
